# A user's mistake is one line, not a traceback.
import gc
import shlex
import sys
from pathlib import Path

import swift_hyperband.study.model
from swift_hyperband.study import reader
from swift_hyperband.base import console
from swift_hyperband.base.errors import UserError
from swift_hyperband.workflow.paths import check_folder

# plain snakemake; 'swift-hyperband run' has done it, with its own options
if not console.is_set_up():
    console.set_up()

# Snakemake's modules stay until the end: no full garbage collection, of a tenth of a second each, need visit them
gc.freeze()


# no other workflow uses this one as a module
IS_MAIN = workflow.modifier.is_main_snakefile()


def stop(error):
    sys.exit(f"error: {error}")


for folder in (Path.cwd(), Path(str(workflow.basedir))):
    try:
        check_folder(folder)
    except UserError as error:
        stop(error)


def check_yaml(path):
    """Tell line and column of what is no YAML, and keys given twice, which Snakemake does not."""
    try:
        reader.read(Path(path))
    except UserError as error:
        stop(error)

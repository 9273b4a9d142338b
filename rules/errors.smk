# A user's mistake is one line, not a traceback.
import sys
from pathlib import Path

import swift_hyperband.study
from swift_hyperband import study_yaml
from swift_hyperband.errors import UserError


def stop(error):
    sys.exit(f"error: {error}")


def check_yaml(path):
    """Tell line and column of what is no YAML, and keys given twice, which Snakemake does not."""
    try:
        study_yaml.read(Path(path))
    except UserError as error:
        stop(error)

"""`swift-hyperband resume`: go on with a search that was started, and never start another."""

from __future__ import annotations

import argparse
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json, write_json
from swift_hyperband.cli.start import ABOUT, add_options, is_study_file, start
from swift_hyperband.results.contents import known
from swift_hyperband.results.freeze import load_frozen
from swift_hyperband.results.layout import RESULTS, StudyFolder, is_of_environment
from swift_hyperband.study.model import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `resume` takes."""
    parser.description = (
        "Go on with a search that was started, as 'run' does, and never start another. results/<study> goes on with "
        f"the settings of the last start, a study file with those that stand in it now. {ABOUT}"
    )
    parser.usage = "%(prog)s [results/<study> | study file] [options]"
    add_options(parser)
    parser.set_defaults(run=_resume, passes_on=True)


def _resume(options: argparse.Namespace) -> int:
    where: Path | None = None
    if options.rest and _names_study(Path(options.rest[0])):
        where = Path(options.rest.pop(0))
    if where is not None and not is_study_file(where):
        folder = StudyFolder(where)
    else:
        options.configfile = where or options.configfile
        study = load(options.configfile)
        folder = StudyFolder.of(study.name, study.results)
    if not folder.study.exists():
        raise UserError(
            f"{folder.path}: must hold a search that was started, found no {folder.study}; "
            "start it with 'swift-hyperband run'"
        )
    if folder.path == where:
        options.configfile = _frozen_study_file(folder)
    return start(options)


def _names_study(path: Path) -> bool:
    """Whether a word is a study file or the folder of a study, and no option, rule or file for Snakemake to make."""
    return is_study_file(path) or path.is_dir() or path.parent.name == "results"


def _frozen_study_file(folder: StudyFolder) -> Path:
    """Write the study that a folder holds, with the settings of its last start, to a study file; return its path."""
    frozen = load_frozen(folder)
    study = {**frozen.definition, **frozen.settings}
    # older settings lack the key
    if is_of_environment(study.get("results", RESULTS)):
        # the user has named the folder, whatever the variable is here
        study["results"] = str(folder.path.parent)
    here = StudyFolder.of(study["name"], study.get("results", RESULTS))
    if here.path.resolve() != folder.path.resolve():
        raise UserError(
            f"{folder.path}: must be {here.path} of the folder where this is run, found another folder; "
            "if it was moved, name its place in the study file (results), and give that file"
        )
    # jobs that are still at work read it, too
    if known(folder.resume, read_json) != study:
        write_json(folder.resume, study)
    return folder.resume

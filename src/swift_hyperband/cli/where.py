"""The argument WHERE of commands that look at a search: its folder, or the study file that names it."""

from __future__ import annotations

import argparse
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.cli.arguments import STUDY_FILE
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import load


def add_where(parser: argparse.ArgumentParser) -> None:
    """Add the argument WHERE."""
    parser.add_argument("where", nargs="?", type=Path, default=STUDY_FILE, help="results/<study> or the study file")


def found(where: Path) -> StudyFolder:
    """Return the folder that a user means by a folder or a study file.

    Raises
    ------
    UserError
        If it is neither.
    """
    if where.is_file() or where.suffix in (".yaml", ".yml"):
        study = load(where, data=False)
        return StudyFolder.of(study.name, study.results)
    folder = StudyFolder(where)
    if not folder.study.exists():
        raise UserError(f"{where}: must be a study file or the folder of a started search, found no {folder.study}")
    return folder


def started(where: Path) -> StudyFolder:
    """Return the folder of a search that was started.

    Raises
    ------
    UserError
        If there is none.
    """
    folder = found(where)
    if not folder.study.exists():
        raise UserError(f"{where}: its search must have been started, found no {folder.study}; start it with: run")
    return folder

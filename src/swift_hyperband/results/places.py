"""Where the last start of each search went, so that a changed key `results` does not begin one anew unseen.

A search that was left at the default place is found there, and a start elsewhere is refused. The key may name any other
place, so each start leaves a note in the working directory. By the note a start is only warned of: it may be lost, or
older than a move.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json, write_json
from swift_hyperband.results.contents import known
from swift_hyperband.results.layout import RESULTS, StudyFolder

logger = logging.getLogger(__name__)

NOTE = Path(".swift-hyperband.json")
"""By names of studies: the folder that held theirs at the last start."""


def check(folder: StudyFolder, name: str) -> None:
    """Refuse to start a search anew whose key `results` was changed while its folder stayed at the default place.

    Raises
    ------
    UserError
    """
    if folder.study.exists():
        return
    before = StudyFolder.of(name)
    if before.study.exists() and before.path.resolve() != folder.path.resolve():
        raise UserError(
            f"results: must be the folder of the search that was started, found {folder.path.parent} while "
            f"{before.path} holds a search of this name; move that to {folder.path} to go on, "
            "or give the study a name of its own"
        )


def warn(folder: StudyFolder) -> None:
    """Warn before a search begins where none is, while the last start of this name went elsewhere and is there."""
    last = _noted().get(folder.path.name)
    if last is None or folder.study.exists():
        return
    before = StudyFolder(Path(last) / folder.path.name)
    if before.study.exists() and before.path.resolve() != folder.path.resolve():
        logger.warning(
            f"a new search begins in {folder.path}, while the last one of this name is in {before.path}; to go on with "
            f"that one, stop, and set results: {last}, or move its folder"
        )


def note(folder: StudyFolder) -> None:
    """Note where a search is that starts now."""
    noted, name = _noted(), folder.path.name
    place = folder.path.parent.resolve()
    is_default = place == RESULTS.resolve()
    if noted.get(name) == str(place) or (is_default and name not in noted):
        return
    # a working directory may be one to read only
    with suppress(OSError, UserError):
        write_json(NOTE, {**noted, name: str(place)})


def _noted() -> dict[str, str]:
    if NOTE.is_dir():
        return {}
    return known(NOTE, lambda path: dict(read_json(path, {str: str}))) or {}

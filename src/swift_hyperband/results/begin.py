"""The first steps of the head of a search, before anything is trained, and the reasons to give up."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.results import provenance
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.targets import ASK_TELL
from swift_hyperband.targets.ask_tell import TRAINED_BY_USER
from swift_hyperband.training import alike

logger = logging.getLogger(__name__)


def begin(folder: StudyFolder, target: Mapping[str, Any], by_user: bool = False) -> None:
    """Begin a search, or go on with it; to be called by its head.

    Parameters
    ----------
    folder : StudyFolder
    target : mapping
        The section `target` of the study's definition.
    by_user : bool
        Whether code of the user's own trains (`Study.ask` and `tell`).

    Raises
    ------
    UserError
        If the model's code changed, and that was not allowed; or if only the user's code can train.
    """
    if target["name"] == ASK_TELL and not by_user:
        raise UserError(f"{folder.path}: target.name {TRAINED_BY_USER}")
    provenance.check(folder, target)
    if alike.forget(folder.path, folder.journal):
        logger.info(f"{folder.path}: nothing was trained yet, so its trials that crashed start again")
    provenance.note(folder, target)


def reason_to_give_up(folder: StudyFolder, target: Mapping[str, Any], trials: int) -> str | None:
    """Return why no training job of a search will come to its end, however often it is tried; None where one may.

    Parameters
    ----------
    folder : StudyFolder
    target : mapping
        The section `target` of the study's definition.
    trials : int
        So many crash alike in their first epoch, and no other trains: the key `give_up_after`.
    """
    if (line := alike.hopeless(folder.path, trials)) is not None:
        return line
    try:
        provenance.check_job(folder, target)
    except UserError as error:
        return str(error)
    return None

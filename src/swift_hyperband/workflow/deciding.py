"""The lease of the one process that decides in a search, and mending a search's folder under that lease."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from swift_hyperband.base.errors import UserError
from swift_hyperband.processes import lease
from swift_hyperband.processes.heartbeat import INTERVAL, SILENT_AFTER
from swift_hyperband.results import repair
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import Study

logger = logging.getLogger(__name__)


class DecidedElsewhereError(UserError):
    """Another living process decides."""


@contextmanager
def deciding(folder: StudyFolder, *, ends: bool = False) -> Iterator[lease.Lease]:
    """Be the one process that decides, by a lease.

    Parameters
    ----------
    folder : StudyFolder
    ends : bool, optional
        Whether another process that decides for workers is about to end, as the study says "rounds" now.

    Raises
    ------
    UserError
        If another living process decides.
    """
    folder.decider.mkdir(parents=True, exist_ok=True)
    is_here = lease.is_held_here(folder.decider)
    end = time.monotonic() + (1.0 if is_here and not ends else SILENT_AFTER + INTERVAL)
    held = lease.acquire(folder.decider, unless=lambda: time.monotonic() > end)
    if held is None:
        raise DecidedElsewhereError(
            f"{folder.path}: one process at a time can decide, and {lease.holder(folder.decider)} does; "
            "follow it with 'swift-hyperband status --watch', or end it first"
        )
    try:
        with held:
            yield held
    except lease.LeaseLostError:
        raise DecidedElsewhereError(
            f"{folder.path}: another process decides, as this one was suspended for too long"
        ) from None


def mend(folder: StudyFolder, study: Study) -> None:
    """Mend a search's folder as its head, unless a process decides for workers: that has mended it.

    Raises
    ------
    UserError
        As `repair.mend`; or if another process decides, and the study says "rounds".
    """
    try:
        with deciding(folder, ends=study.execution == "rounds"):
            repair.mend(folder, study)
    except DecidedElsewhereError:
        if study.execution == "rounds":
            raise
        logger.info(
            f"{folder.path}: {lease.holder(folder.decider)} decides already, so damaged files are looked for at the "
            "next start"
        )

"""The job that decides for workers: it begins the search if need be, and tries again where a shared disk was away."""

from __future__ import annotations

import logging
import time

from swift_hyperband.base.errors import PASSING_ERRORS, about_disk
from swift_hyperband.processes import lease
from swift_hyperband.results import repair
from swift_hyperband.results.freeze import load_study
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.files import check_data
from swift_hyperband.study.model import Study
from swift_hyperband.workers.conduct import conduct_of
from swift_hyperband.workers.decider import Decider
from swift_hyperband.workflow.deciding import DecidedElsewhereError, deciding
from swift_hyperband.workflow.driver import begin_search

logger = logging.getLogger(__name__)

PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 60.0)
"""Seconds after which deciding is tried again where the disk is away, as long as it stays so."""
STEADY = 600.0
"""Seconds of deciding after which the disk counts as having been there again."""


def decide(folder: StudyFolder, study: Study | None = None) -> None:
    """Decide until the search is over, unless another living process does: the job `search`.

    Begins the search, or goes on with it, where no head has done so.

    Parameters
    ----------
    folder : StudyFolder
    study : Study, optional
        As its file says, for a search that may not have begun.

    Raises
    ------
    UserError
        If the search cannot go on.
    OSError
        If the disk is full, or fails for minutes.
    """
    pauses = iter(PAUSES)
    while True:
        begin = time.monotonic()
        try:
            return _decide(folder, study)
        except OSError as error:
            if time.monotonic() - begin > STEADY:
                pauses = iter(PAUSES)
            if error.errno not in PASSING_ERRORS or (pause := next(pauses, None)) is None:
                raise
            logger.warning(f"{about_disk(error, folder.path)}; another try in {pause:g} s")
        # others may decide meanwhile
        time.sleep(pause)


def _decide(folder: StudyFolder, study: Study | None) -> None:
    try:
        with deciding(folder) as held:
            study = _begun(folder, study)
            Decider(folder, study, conduct_of(folder, study), held).run()
    except DecidedElsewhereError as error:
        logger.info(str(error))


def _begun(folder: StudyFolder, study: Study | None) -> Study:
    try:
        head = lease.try_acquire(folder.path, unless=lambda: False)
    except lease.TakenError:
        if not folder.study.exists():
            raise DecidedElsewhereError(f"{folder.path}: {lease.holder(folder.path)} begins this search") from None
        # the head has begun it
        return load_study(folder, here=True)
    assert head is not None
    with head:
        found = study if study is not None else load_study(folder, here=True)
        check_data(found, found.name)
        found = begin_search(found, folder)
        repair.mend(folder, found)
        return found

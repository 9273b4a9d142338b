"""Jobs in SLURM's queue without a living Snakemake: those of an earlier start, and of a stopped one."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

from swift_hyperband.processes import head
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.slurm import queue

logger = logging.getLogger(__name__)

NOTHING_STARTED = "stopped; nothing was started"
LONGEST_PAUSE = 30.0
"""Seconds between two looks into the queue while jobs are waited for."""
SAY_AGAIN = 600.0
"""Seconds after which an unchanged line is repeated."""


def settle(folder: StudyFolder, study: str, choice: str | None) -> None:
    """Wait for the jobs that an earlier start left in SLURM, or cancel them.

    Leases keep two jobs from training the same trial, but the second would hold a node and wait. Workers stay until the
    search is over, so they are not waited for: they go on in the search that starts now (`slurm.left_workers`).

    Parameters
    ----------
    folder : StudyFolder
    study : str
    choice : str or None
        "wait" or "cancel"; None: ask the user, and wait if nobody can answer.

    Raises
    ------
    UserError
        If another process runs the search, or SLURM does not answer.
    SystemExit
        If the user quits.
    """
    if not queue.jobs(study):
        return
    # If another head is alive, these jobs are its own and this is refused. While the lease is held, none can start.
    with head.lead(folder.path):
        try:
            found = queue.jobs(study)
            if found:
                logger.info(
                    f"{queue.counted(found)} of an earlier start are in SLURM: {', '.join(job.id for job in found)}"
                )
                choice = choice or _ask()
                if choice == "quit":
                    logger.info(NOTHING_STARTED)
                    raise SystemExit(1)
                if choice == "cancel":
                    queue.cancel(found)
                    _wait_until_gone(lambda: queue.jobs(study, pauses=()), "until these are gone")
                elif choice == "wait":
                    if workers := [job for job in found if queue.worker(job.comment) is not None]:
                        logger.info(f"{queue.counted(workers)} of these go on as workers of this search")
                    _wait_until_gone(lambda: _without_workers(queue.jobs(study, pauses=())), "for these")
        except KeyboardInterrupt:
            logger.info(NOTHING_STARTED)
            raise


def clean_up(study: str, cancel: bool) -> None:
    """After Snakemake was stopped, say which of its jobs are still in SLURM; cancel them first if `cancel`.

    Snakemake cancels no job that it is just submitting or asking for, and none at all if it had to be killed.
    """
    try:
        found = _at_work(queue.jobs(study, pauses=()))
        if cancel and found:
            queue.cancel(found, pauses=())
            found = _at_work(queue.jobs(study, pauses=()))
    except queue.SlurmError as error:
        logger.warning(f"it is not known what remains in SLURM's queue ({error}); 'swift-hyperband resume' looks again")
        return
    if found:
        logger.info(f"{queue.counted(found)} in SLURM go on; 'swift-hyperband resume' waits for them or cancels them")


def _without_workers(found: list[queue.Job]) -> list[queue.Job]:
    return [job for job in found if queue.worker(job.comment) is None]


def _at_work(found: list[queue.Job]) -> list[queue.Job]:
    return [job for job in found if job.state != "COMPLETING"]


def _ask() -> str:
    """Ask the user whether to wait, cancel or quit; return "wait" if nobody can answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "wait"
    choices = {"w": "wait", "c": "cancel", "q": "quit"}
    while True:
        sys.stderr.write("Wait for them, cancel them, or quit? [w/c/q] ")
        sys.stderr.flush()
        answer = sys.stdin.readline()
        if not answer:
            return "quit"
        if (first := answer.strip().lower()[:1]) in choices:
            return choices[first]


def _wait_until_gone(left: Callable[[], list[queue.Job]], what: str) -> None:
    pause, said, since = 1.0, "", 0.0
    while True:
        try:
            if not (found := left()):
                return
            line = f"waits {what}: {queue.counted(found)}; Ctrl-C ends the waiting"
        except queue.SlurmError as error:
            line = f"waits, and does not know for what: {error}"
        if line != said or time.monotonic() - since > SAY_AGAIN:
            logger.info(line)
            said, since = line, time.monotonic()
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)

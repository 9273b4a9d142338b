"""One live line about a search that runs, for who started it: `status` in short, from the same source."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from swift_hyperband.base import console
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import STOPPED
from swift_hyperband.results import accounting
from swift_hyperband.results.jobs import JobOutcome
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.progress import Progress, Reader
from swift_hyperband.slurm import queue as slurm

logger = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds from one look to the next on a terminal; ten times as long as a look takes, if that is more."""
SOONEST = 5.0
"""Seconds from one line to the next in a log file at the least; in a search of hours a hundredth of its time."""
SLURM_EVERY = 15.0
NOTE_EVERY = 60.0
BAR = 12


class Live:
    """Shows how far a search has come, while it runs, on standard error.

    Parameters
    ----------
    folder : StudyFolder
    on_slurm : bool
        Whether SLURM is asked how many jobs are in its queue and what they took.
    """

    def __init__(self, folder: StudyFolder, on_slurm: bool = False) -> None:
        self._folder = folder
        self._reader = Reader(folder, asks=False)
        self._on_slurm = on_slurm
        self._terminal = os.isatty(2)
        self._shown = ""
        self._begun = self._said = self._noted = time.monotonic()
        self._queue = ""
        self._asked = float("-inf")

    def follow(self, is_over: Callable[[float], bool]) -> None:
        """Show it until it is over, unless only warnings are wanted; `is_over` waits so many seconds for that."""
        if not logger.isEnabledFor(logging.INFO):
            return
        pause = EVERY
        while not is_over(pause):
            begun = time.monotonic()
            # files that are not there yet, or damaged: the search itself says what is wrong
            with suppress(OSError, UserError, ValueError, LookupError, TypeError, AttributeError):
                self._look()
            pause = max(EVERY, 10 * (time.monotonic() - begun))
        if self._terminal and self._shown:
            console.clear_line()

    def _look(self) -> None:
        now = time.monotonic()
        if self._on_slurm and now - self._noted > NOTE_EVERY:
            self._noted = now
            accounting.note(self._folder.path)
        progress = self._reader.read()
        if progress is None:
            return
        if self._on_slurm and now - self._asked > SLURM_EVERY:
            self._asked, self._queue = now, _in_queue(self._folder.path.name)
        line = told(progress, self._queue)
        if self._terminal:
            # a line that is as long as the terminal is wide would begin another one
            self._shown = _fitting(f"{_bar(progress)} {line}", shutil.get_terminal_size().columns - 1)
            console.show_line(self._shown)
        elif line != self._shown and now - self._said >= max(SOONEST, (now - self._begun) / 100):
            self._shown, self._said = line, now
            logger.info(line)


@contextmanager
def shown(folder: StudyFolder) -> Iterator[None]:
    """Show how far a search of this process comes, in a process beside: trainings are forked, so threads are no way."""
    if not logger.isEnabledFor(logging.INFO):
        yield
        return
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        _be_beside(folder, parent)
    stopped = False
    try:
        yield
    except KeyboardInterrupt:
        stopped = True
        raise
    finally:
        try:
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        if stopped:
            logger.info(STOPPED)


def told(progress: Progress, queue: str = "") -> str:
    """Return how far a search has come in a line; `queue` is what SLURM says of its jobs."""
    spent, to_come = progress.sum("spent"), progress.sum("to_come")
    parts = [f"{spent} epochs" if progress.has_no_bound else f"{spent} of at most {spent + to_come} epochs"]
    if progress.best is not None:
        parts.append(f"best {progress.history.study.target.metric} {progress.best.value:.6g}")
    entered = [bracket for bracket in progress.brackets if bracket.round is not None and bracket.round.competitors]
    rounds = [
        found.name if found.is_thaw else f"{found.name} round {found.round.schedule.index}"
        for found in entered
        if found.round
    ]
    if (rungs := progress.history.rungs) is not None:
        parts.append(f"{len(rungs.trials)} trials, {len(rungs.rungs[-1].reached)} at the last epoch")
    if rounds:
        parts.append(", ".join(rounds[:2]) + (f" and {len(rounds) - 2} more" if len(rounds) > 2 else ""))
    workers = len(progress.living)
    running = sum(job.outcome == JobOutcome.AT_WORK for job in progress.jobs) - workers
    if queue:
        parts.append(queue)
    parts += [
        f"{count} {what}{'s' if count != 1 else ''} running"
        for count, what in ((running, "job"), (workers, "worker"))
        if count and not queue
    ]
    return f"{progress.history.study.name}: {'; '.join(parts)}"


def _be_beside(folder: StudyFolder, parent: int) -> None:
    """Show the line in a forked process until it is told to end, or its parent is gone; never return."""
    over = False

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal over
        over = True

    def is_over(seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not over and os.getppid() == parent and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))
        return over or os.getppid() != parent

    # Ctrl-C is for the search, which ends this
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end)
    try:
        Live(folder).follow(is_over)
    finally:
        # nothing of what the parent registered for its own end
        os._exit(0)


def _in_queue(study: str) -> str:
    try:
        found = slurm.jobs(study, pauses=())
        return f"in SLURM {slurm.counted(found)}" if found else ""
    except slurm.SlurmError:
        return "SLURM does not answer"


def _fitting(line: str, width: int) -> str:
    """Return as many parts of a line as a terminal is wide for."""
    if len(line) <= width:
        return line
    return line[: width + 2].rpartition("; ")[0] or line[:width]


def _bar(progress: Progress) -> str:
    spent, to_come = progress.sum("spent"), progress.sum("to_come")
    if progress.has_no_bound:
        # as Hyperband, the nearest that is known
        to_come = max(0, progress.history.schedule.epochs_hyperband - spent)
    done = BAR * spent // max(1, spent + to_come)
    return f"[{'#' * done}{'-' * (BAR - done)}]"

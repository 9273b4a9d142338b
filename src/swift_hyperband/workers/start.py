"""The other processes of a search by workers, as one of them starts them: the one that decides, and other workers."""

from __future__ import annotations

import logging
import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from swift_hyperband.base.errors import PASSING_ERRORS, UserError
from swift_hyperband.processes import lease
from swift_hyperband.processes.children import end_program_with_parent
from swift_hyperband.processes.exit_codes import of_signal
from swift_hyperband.results.freeze import load_frozen
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.frozen import FrozenStudy
from swift_hyperband.workers.agenda import Agenda

logger = logging.getLogger(__name__)

LOOKS = 70
"""Most looks of all workers at one file in a second."""
LOOK_EVERY = 2.0
"""Seconds between two looks at whether a process decides, at least."""
APART = 0.02
"""Seconds, times the number of workers, over which workers spread that start a process that decides."""
LONGEST_APART = 10.0
WAIT = 0.1
QUICK = 60.0
MOST = 3
"""So many deaths of a process within `QUICK` seconds of its start, one after another, are no accident."""
PATIENCE = 20.0
"""Seconds in which the head of a search, if it lives, starts a process that decides."""


def command(*words: str) -> list[str]:
    """Return the command line of a command of ours, run by this Python whatever lies in the working directory."""
    return [sys.executable, "-P", "-m", "swift_hyperband", *words]


def start(log: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start a command of ours as a child that ends with this process, and prints to a log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as printed:
        return subprocess.Popen(
            command(*words),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            preexec_fn=end_program_with_parent,
        )


def last_line(log: Path) -> str:
    """Return the last line of a log, without what a command puts before an error."""
    with suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.removeprefix("error: ") for line in reversed(lines) if line.strip()), "it printed nothing")
    return f"{log} cannot be read"


def in_vain(what: str, log: Path) -> str:
    """Return the message about a process that died too often."""
    return f"{what} ended {MOST} times soon after its start: {last_line(log)} ({log})"


def was_killed(code: int) -> bool:
    """Whether a process that ended with this code was ended by a signal."""
    return code < 0 or code > of_signal(0)


def apart(workers: int) -> float:
    """Return the seconds between two looks at a file that so many workers look at."""
    return workers / LOOKS


class Deaths:
    """Counts deaths of a process that was started again each time."""

    def __init__(self) -> None:
        self._quick = 0
        self._begun = time.monotonic()

    def start(self) -> None:
        """Note that it is started."""
        self._begun = time.monotonic()

    def too_many(self) -> bool:
        """Note that it died; return whether to start it again is in vain."""
        self._quick = self._quick + 1 if time.monotonic() - self._begun < QUICK else 1
        return self._quick >= MOST


class SearchFailedError(UserError):
    """The search cannot go on, as the process that decides says."""


class Deciding:
    """The process that decides, as a worker sees it: its agenda, and another such process where none lives.

    Parameters
    ----------
    folder : StudyFolder
    study : str
        For a process that decides: the folder, or the file of a study that was perhaps not begun.
    """

    def __init__(self, folder: StudyFolder, study: str) -> None:
        self._folder, self._study = folder, study
        self._watch = lease.Watch()
        self._process: subprocess.Popen[bytes] | None = None
        self._deaths = Deaths()
        self._look_at = float("-inf")
        self._lives = False
        self._alive = time.monotonic()
        """When a process was seen last that decides, or this one began to look."""
        # the user starts again, as the cause is mended
        earlier = Agenda.read(folder.agenda)
        self._earlier = earlier if earlier is not None and earlier.error is not None else None

    @property
    def is_mine(self) -> bool:
        """Whether a process that this one started decides, or will."""
        return self._process is not None and self._process.poll() is None

    @property
    def is_here(self) -> bool:
        """Whether the process that decides is on this machine."""
        return self.is_mine or lease.is_held_here(self._folder.decider)

    def begun(self) -> FrozenStudy:
        """Return the study; where its file was given, wait until the search has begun with that.

        Raises
        ------
        UserError
            If there is no such search, or it does not begin.
        """
        if self._study != str(self._folder.path):
            while not self._folder.study.exists() or load_frozen(self._folder).execution != "workers":
                self.agenda()
                time.sleep(WAIT)
        found = load_frozen(self._folder)
        if found.execution != "workers":
            raise UserError(
                f"{self._folder.settings}: execution must be workers for a worker to train, found {found.execution}; "
                "set it in the study file and start the search again"
            )
        return found

    def agenda(self) -> Agenda | None:
        """Return the agenda; None where there is none yet. Start a process that decides where none lives.

        Raises
        ------
        SearchFailedError
            If the search cannot go on.
        """
        found = Agenda.read(self._folder.agenda)
        ends = found is not None and (found.over or found.error is not None)
        if ends or time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + max(LOOK_EVERY, apart(found.workers if found is not None else 1))
            try:
                self._lives = self._watch.is_held(self._folder.decider)
            except OSError as error:
                if error.errno in PASSING_ERRORS:
                    return None
                raise
        if self._lives:
            self._alive = time.monotonic()
            # an agenda that ends all is of the one before
            return None if ends else found
        if found is not None and found.over:
            return found
        if found is not None and found.error is not None and found != self._earlier:
            raise SearchFailedError(found.error)
        self._start(1 if found is None else found.workers)
        return None if ends else found

    def _start(self, workers: int) -> None:
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                # it has just begun
                return
            if code and not was_killed(code):
                raise SearchFailedError(last_line(self._log))
            if code and self._deaths.too_many():
                raise SearchFailedError(in_vain("the process that decides", self._log))
            self._process = None
        if self._watch.is_held(self._folder.path) and time.monotonic() - self._alive < PATIENCE:
            # the head of the search starts one
            return
        time.sleep(random.uniform(0, min(LONGEST_APART, APART * max(0, workers - 1))))
        now = Agenda.read(self._folder.agenda)
        if now is not None and now.over:
            # it has ended since this process looked
            return
        if self._watch.is_free(self._folder.decider):
            logger.info(f"{self._folder.path}: no process decides, so this worker starts one")
            self._deaths.start()
            self._process = start(self._log, "job", "search", self._study)

    @property
    def _log(self) -> Path:
        return self._folder.decider / "log"

"""A search by workers on this machine: this process decides, and the workers are its children."""

from __future__ import annotations

import subprocess
import time
from collections import defaultdict
from contextlib import suppress
from itertools import count, islice

from swift_hyperband.base.errors import UserError
from swift_hyperband.processes import lease
from swift_hyperband.processes.exit_codes import TRY_AGAIN
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Search
from swift_hyperband.study.model import Study
from swift_hyperband.workers import agenda
from swift_hyperband.workers.conduct import conduct_of
from swift_hyperband.workers.decider import Decider
from swift_hyperband.workers.roster import EVENTS, LOG
from swift_hyperband.workers.start import Deaths, in_vain, last_line, start, was_killed
from swift_hyperband.workflow.driver import leading
from swift_hyperband.workflow.round_files import OnRound

GRACE = 10.0
"""Seconds that workers have to end when the search is over."""


def run_search(study: Study, folder: StudyFolder, workers: int, on_round: OnRound | None = None) -> Search:
    """Run a search to its end, by workers that end with this process.

    Parameters
    ----------
    study : Study
    folder : StudyFolder
        Where the search lies, or will lie.
    workers : int
    on_round : callable, optional
        Called with each round that is over.

    Raises
    ------
    UserError
        If the folder holds a search with another definition, no trial reached the last epoch, or a worker cannot train.
    """
    crew = Crew(folder)
    try:
        with leading(study, folder) as (study, held):
            agenda.remove(folder.agenda)
            crew.start(workers)
            search = Decider(folder, study, conduct_of(folder, study, on_round), held, crew.look).run()
        crew.wait()
    finally:
        crew.end()
    return search


class Crew:
    """The workers that this process starts. They end with it, however it ends.

    Parameters
    ----------
    folder : StudyFolder
    """

    def __init__(self, folder: StudyFolder) -> None:
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._begun: dict[str, int] = {}
        """How many trainings a worker had begun when it was started."""
        self._deaths: defaultdict[str, Deaths] = defaultdict(Deaths)

    def start(self, workers: int) -> None:
        """Start workers; those of others, with names of their own, go on."""
        watch = lease.Watch()
        free = (str(number) for number in count() if watch.is_free(self._folder.worker(str(number))))
        for name in islice(free, workers):
            self._start(name)

    def look(self) -> None:
        """Start those again that were killed, or whose time was over.

        Raises
        ------
        UserError
            If one cannot train.
        """
        for name, process in list(self._processes.items()):
            code = process.poll()
            if code is None:
                continue
            del self._processes[name]
            if code and code != TRY_AGAIN:
                self._judge(name, code)
            if code or not self._processes:
                self._start(name)

    def wait(self) -> None:
        """Wait until all have ended by themselves, as the agenda says that the search is over."""
        end = time.monotonic() + GRACE
        for process in self._processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, end - time.monotonic()))

    def end(self) -> None:
        """End all."""
        for process in self._processes.values():
            process.terminate()
        self.wait()
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _judge(self, name: str, code: int) -> None:
        """Raise `UserError` unless the death of a worker may be an accident."""
        log = self._folder.worker(name) / LOG
        if not was_killed(code):
            raise UserError(last_line(log))
        if self._trainings(name) == self._begun[name]:
            raise UserError(f"worker {name} ended with code {code} before it could train: {last_line(log)} ({log})")
        if self._deaths[name].too_many():
            raise UserError(in_vain(f"worker {name}", log))

    def _start(self, name: str) -> None:
        self._begun[name] = self._trainings(name)
        self._deaths[name].start()
        log = self._folder.worker(name) / LOG
        self._processes[name] = start(log, "work", str(self._folder.path), "--name", name)

    def _trainings(self, name: str) -> int:
        """Return how many trainings a worker has begun."""
        try:
            return (self._folder.worker(name) / EVENTS).read_bytes().count(b'"began"')
        except FileNotFoundError:
            return 0

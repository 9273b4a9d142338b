"""A search by workers on this machine: this process decides, and the workers are its children."""

from __future__ import annotations

import subprocess
import time
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
from swift_hyperband.workers.start import last_line, start, was_killed
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
        """How many bytes of events a worker had when it was started."""

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
            if code and code != TRY_AGAIN and not (was_killed(code) and self._events(name) > self._begun[name]):
                line = last_line(self._folder.worker(name) / LOG)
                raise UserError(line if not was_killed(code) else f"worker {name} ended with code {code}: {line}")
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

    def _start(self, name: str) -> None:
        self._begun[name] = self._events(name)
        log = self._folder.worker(name) / LOG
        self._processes[name] = start(log, "work", str(self._folder.path), "--name", name)

    def _events(self, name: str) -> int:
        try:
            return (self._folder.worker(name) / EVENTS).stat().st_size
        except FileNotFoundError:
            return 0

"""The supervisor: sees to it that a process decides for as long as Snakemake runs a search by workers."""

from __future__ import annotations

import logging
import signal
import threading
import time

from swift_hyperband.processes.exit_codes import of_signal
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.workers import agenda
from swift_hyperband.workers.agenda import Agenda
from swift_hyperband.workers.start import Deaths, in_vain, start

logger = logging.getLogger(__name__)

AGAIN = 10.0
"""Seconds after which another process is started where one decides that a worker has started."""
PAUSE = 1.0
"""Seconds before another process is started after one that was killed."""


class Supervisor:
    """Starts the process that decides, and another one where it dies.

    Parameters
    ----------
    folder : StudyFolder
        Of a search that this process leads.
    """

    def __init__(self, folder: StudyFolder) -> None:
        self._folder = folder
        self._log = folder.decider / "log"
        self._error: str | None = None
        self._forget()
        threading.Thread(target=self._supervise, daemon=True).start()

    @property
    def error(self) -> str | None:
        """In one line, why the search cannot go on; None if it can."""
        found = self._agenda()
        return self._error or (found.error if found is not None else None)

    @property
    def is_over(self) -> bool:
        """Whether the search is over."""
        found = self._agenda()
        return found is not None and found.over

    def _agenda(self) -> Agenda | None:
        try:
            return Agenda.read(self._folder.agenda)
        except OSError:
            # a shared disk may be away for a moment
            return None

    def _forget(self) -> None:
        """Remove what an earlier start said of its end, and that its workers have ended: jobs start anew."""
        found = self._agenda()
        if found is not None and (found.over or found.error is not None):
            agenda.remove(self._folder.agenda)
        for path in (self._folder.workers_done, *self._folder.workers.glob("*/done")):
            path.unlink(missing_ok=True)

    def _supervise(self) -> None:
        deaths = Deaths()
        while not self.is_over and self.error is None:
            deaths.start()
            code = start(self._log, "job", "search", str(self._folder.path)).wait()
            if code == 0:
                # a worker has started another one, before this process led the search
                time.sleep(0 if self.is_over else AGAIN)
                continue
            if self.error is not None:
                break
            if code in (of_signal(signal.SIGINT), -signal.SIGINT):
                # a Ctrl-C reaches all processes of a start, so this one is about to end
                time.sleep(AGAIN)
            if deaths.too_many():
                self._error = in_vain("the process that decides", self._log)
                break
            logger.warning(f"the process that decides ended with code {code}; another one is started")
            time.sleep(PAUSE)

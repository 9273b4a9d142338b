"""What workers without needed work train ahead of the search, as the process that decides sees it."""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from pathlib import Path

from swift_hyperband.base.metric import Metric
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Curve, Training
from swift_hyperband.training import trial
from swift_hyperband.workers.conduct import Conduct

FEWEST = 64
"""The agenda has so many hopes, or four for each worker, if there are as many."""
SHARE = 0.05
"""Most of the time that making hopes may take."""


class Ahead:
    """Which trials workers may train ahead.

    Parameters
    ----------
    folder : StudyFolder
    metric : Metric
    conduct : Conduct

    Attributes
    ----------
    most : float
        Most epochs ahead, as a share of those that were asked for so far; 0: none.
    """

    def __init__(self, folder: StudyFolder, metric: Metric, conduct: Conduct) -> None:
        self._folder, self._metric, self._conduct = folder, metric, conduct
        self.most = 0.0
        self._curves: dict[str, Curve] | None = None
        self._failed: set[str] = set()
        self._hopes: list[Training] = []
        self._is_old = True
        self._next = float("-inf")

    def allow(self, speculate: bool | float) -> None:
        """Take what the study says of training ahead."""
        most = math.inf if speculate is True else float(speculate)
        self._is_old |= most != self.most
        self.most = most

    def note(self, name: str | None = None) -> None:
        """Note that the search knows more, or that the training of a trial has ended."""
        self._is_old = True
        if name is not None and self._curves is not None:
            self._look(name)

    def hopes(self, needed: int, slots: int, workers: int, running: Collection[str]) -> tuple[Training, ...]:
        """Return the hopes of the agenda, best first.

        Parameters
        ----------
        needed : int
            Trainings that the search has asked for and nobody has begun.
        slots : int
            Trials that all workers together can train now, beside those asked for that they train.
        workers : int
        running : collection of str
            Trials that are trained ahead now. One that is not returned ends: the least hopeful make room for needed
            work.
        """
        if not self.most or (slots <= needed and not running):
            return ()
        if self._is_old and time.monotonic() >= self._next:
            begin = time.monotonic()
            self._hopes = self._made()
            self._is_old = False
            self._next = time.monotonic() + (time.monotonic() - begin) / SHARE
        room = max(0, slots - needed)
        found, kept = [], 0
        for training in self._hopes[: max(FEWEST, 4 * workers)]:
            if training.trial in running:
                kept += 1
                if kept > room:
                    continue
            found.append(training)
        return tuple(found)

    def _made(self) -> list[Training]:
        if self._curves is None:
            self._curves = {}
            for path in self._folder.trials():
                self._look(path.name)
        found = self._conduct.hopes(self._curves, self.most)
        return [training for training in found if training.trial not in self._failed]

    def _look(self, name: str) -> None:
        """Read what a trial trained, if that is more than the search was told."""
        assert self._curves is not None
        place: Path = self._folder.trial(name)
        found = trial.state_of(place, self._metric.name)
        if len(found.values) > len(self._conduct.search.curves.get(name, ())):
            self._curves[name] = self._metric.losses(found.values)
        if found.status != "ok" or trial.failed_ahead(place):
            self._failed.add(name)

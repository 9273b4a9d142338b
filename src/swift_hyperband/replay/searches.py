"""A search with all its settings, from which a fresh one is made for each replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module

from swift_hyperband.search import Search
from swift_hyperband.search.adaptive_settings import AdaptiveSettings
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.fast_hyperband import FastSettings
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.schedule import Schedule
from swift_hyperband.search.scheduled import DrawTrials
from swift_hyperband.search.start import SearchSettings, note, start, supplied
from swift_hyperband.study.frozen import FrozenStudy

PREDICTORS = {"linear": "linear", "svr": "svr", "qsvr": "annealed", "last-value": "last_value"}
"""Modules of `predictors`, by name of the predictor."""


@dataclass(frozen=True)
class Recipe:
    """A search with all its settings.

    Attributes
    ----------
    label : str
        Its name in pictures and tables.
    algorithm : str
        One of `ALGORITHMS`.
    study : FrozenStudy
        Its settings, as a study has them.
    fast : FastSettings
        Those of Fast-Hyperband.
    adaptive : AdaptiveSettings
        Those of adaptive Hyperband.
    """

    label: str
    algorithm: str
    study: FrozenStudy
    fast: FastSettings = field(default_factory=FastSettings)
    adaptive: AdaptiveSettings = field(default_factory=AdaptiveSettings)

    @property
    def max_epochs(self) -> int:
        return self.study.max_epochs

    @property
    def synchronous(self) -> bool:
        """Whether its result does not depend on the order in which trainings end."""
        return ALGORITHMS[self.algorithm].synchronous

    @cached_property
    def schedule(self) -> Schedule:
        """Brackets and rounds; those of an asynchronous search are its rungs, those of an adaptive one its supply."""
        return supplied(self.algorithm, self._once, self.adaptive)

    @cached_property
    def _once(self) -> Schedule:
        return ALGORITHMS[self.algorithm].schedule(self.study.definition["search"], self.study.swift())

    @property
    def configurations(self) -> int:
        """How many configurations it starts; of an adaptive search, as many as Hyperband has."""
        return self._once.configurations

    def note(self, workers: int) -> str | None:
        """Return a warning about the search on so many workers; None without one."""
        return note(self.algorithm, self.adaptive, workers)

    @property
    def plain(self) -> Recipe:
        """Hyperband of the same size, whose configurations are drawn at random."""
        search = {key: value for key, value in self.study.definition["search"].items() if key != "sampling"}
        study = replace(self.study, definition={**self.study.definition, "search": search})
        return replace(self, algorithm="hyperband", label=ALGORITHMS["hyperband"].label, study=study)

    @property
    def is_plain(self) -> bool:
        """Whether it is Hyperband itself."""
        return replace(self, label=self.plain.label) == self.plain

    def prepare(self) -> None:
        """Import the module of its predictor, so that the first replay's time does not count the import."""
        if ALGORITHMS[self.algorithm].predicts:
            import_module(f"swift_hyperband.predictors.{PREDICTORS[self._rules.predictor.name]}")

    def start(self, trials: Mapping[int, Sequence[str]], workers: int = 1, draw: DrawTrials | None = None) -> Search:
        """Return a new search over trials, by bracket, for so many trainings side by side; `draw` as in `start`."""
        settings = SearchSettings(self._rules, self.fast, self.adaptive)
        return start(self.algorithm, self._once, trials, settings, workers, draw)

    @cached_property
    def _rules(self) -> Rules:
        return self.study.rules()

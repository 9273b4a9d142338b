"""The table of algorithms: all that depends on an algorithm's name.

A new algorithm gets its row here, and a search of its family in `search.start`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from swift_hyperband.search.schedule import (
    Schedule,
    hyperband,
    one_epoch_search,
    predicted_random_search,
    predicted_random_trials,
    random_search,
    random_trials,
)
from swift_hyperband.search.settings import SwiftSettings
from swift_hyperband.search.swift_hyperband import swift_hyperband

Name = Literal[
    "random",
    "predicted-random",
    "one-epoch",
    "hyperband",
    "fast-hyperband",
    "swift-hyperband",
    "asha",
    "swift-asha",
    "adaptive-hyperband",
]
"""The names in `ALGORITHMS`: the values of `search.algorithm` in a study."""


class Family(StrEnum):
    """How a search goes on from one training to the next."""

    RANDOM = "random"
    """One bracket, of a number of trials that a user may choose; the baselines."""
    HYPERBAND = "hyperband"
    """Brackets of rounds; all trials of a round end before the next round begins."""
    FAST_HYPERBAND = "fast-hyperband"
    """Brackets of rounds, one trial after another."""
    ASHA = "asha"
    """Brackets of rungs, without waiting."""
    ADAPTIVE = "adaptive"
    """Brackets of rounds, each chosen by the curves so far."""


MakeSchedule = Callable[[Mapping[str, Any], SwiftSettings], Schedule]
"""Makes a schedule from a study's frozen section `search` and the settings of Swift-Hyperband."""


def _rungs(search: Mapping[str, Any], _: SwiftSettings) -> Schedule:
    return hyperband(search["max_epochs"], search["eta"], search["brackets"])


def _hyperband(search: Mapping[str, Any], _: SwiftSettings) -> Schedule:
    return hyperband(search["max_epochs"], search["eta"], search["brackets"], in_turn=_in_turn(search))


def _swift_hyperband(search: Mapping[str, Any], swift: SwiftSettings) -> Schedule:
    return swift_hyperband(search["max_epochs"], search["eta"], swift, search["brackets"], _in_turn(search))


def _in_turn(search: Mapping[str, Any]) -> bool:
    # a definition has the key only if a model draws configurations
    return bool(search.get("sampling", "random") != "random")


def _random(search: Mapping[str, Any], _: SwiftSettings) -> Schedule:
    size = search["max_epochs"], search["eta"]
    return random_search(*size, search["trials"] or random_trials(*size))


def _predicted_random(search: Mapping[str, Any], swift: SwiftSettings) -> Schedule:
    size, full = (search["max_epochs"], search["eta"]), search["full"] or swift.d
    trials = search["trials"] or predicted_random_trials(*size, full, swift)
    return predicted_random_search(*size, trials, full, swift.decision_fraction)


BEST_OF_ONE_EPOCH = 3
"""How many trials train fully by default after one epoch for all: with them the search takes .1 to .4 of Hyperband's
epochs, in the order of the tenth that its authors report."""


def _one_epoch(search: Mapping[str, Any], _: SwiftSettings) -> Schedule:
    size = search["max_epochs"], search["eta"]
    trials = search["trials"] or hyperband(*size).configurations
    return one_epoch_search(*size, trials, search["full"] or BEST_OF_ONE_EPOCH)


@dataclass(frozen=True)
class Algorithm:
    """A row of the table.

    Attributes
    ----------
    label : str
        Its name in pictures and tables.
    family : Family
    study : str
        The algorithm of the study that holds its settings in a replay.
    predicts : bool
        Whether it fits predictors, and stops trials by their predictions.
    schedule : callable
        Makes its brackets and rounds (rungs, for the family ASHA).
    cost : float
        CPU time of a replay, roughly, in replays of Hyperband.
    has_full : bool
        Whether `search.full` sets how many of its trials train fully.
    """

    label: str
    family: Family
    study: Name
    predicts: bool
    schedule: MakeSchedule
    cost: float = 1.0
    has_full: bool = False

    @property
    def synchronous(self) -> bool:
        """Whether its result does not depend on the order in which trainings end: it has rounds."""
        return self.family in (Family.RANDOM, Family.HYPERBAND)

    @property
    def adapts(self) -> bool:
        """Whether the curves so far decide how often each of its brackets runs."""
        return self.family is Family.ADAPTIVE

    @property
    def random(self) -> bool:
        """Whether `search.trials` may set its size, and it has no brackets to choose from."""
        return self.family is Family.RANDOM


ALGORITHMS: Mapping[str, Algorithm] = {
    "random": Algorithm("Random search in full", Family.RANDOM, "random", False, _random),
    "predicted-random": Algorithm(
        "Random search with a predictor",
        Family.RANDOM,
        "predicted-random",
        True,
        _predicted_random,
        cost=3.0,
        has_full=True,
    ),
    "one-epoch": Algorithm("One epoch, then the best", Family.RANDOM, "one-epoch", False, _one_epoch, has_full=True),
    "hyperband": Algorithm("Hyperband", Family.HYPERBAND, "hyperband", False, _hyperband),
    "fast-hyperband": Algorithm("Fast-Hyperband", Family.FAST_HYPERBAND, "hyperband", True, _rungs, cost=100.0),
    "swift-hyperband": Algorithm(
        "Swift-Hyperband", Family.HYPERBAND, "swift-hyperband", True, _swift_hyperband, cost=10.0
    ),
    "asha": Algorithm("ASHA", Family.ASHA, "hyperband", False, _rungs),
    "swift-asha": Algorithm("Swift-ASHA", Family.ASHA, "swift-hyperband", True, _rungs, cost=150.0),
    "adaptive-hyperband": Algorithm("Adaptive Hyperband", Family.ADAPTIVE, "hyperband", True, _rungs, cost=150.0),
}
"""Every algorithm by name, in the order of lists and messages."""

"""The search of an algorithm, made from its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from swift_hyperband.search import Search
from swift_hyperband.search.adaptive_settings import AdaptiveSettings
from swift_hyperband.search.algorithms import ALGORITHMS, Family
from swift_hyperband.search.asha import AshaSearch
from swift_hyperband.search.fast_hyperband import FastHyperbandSearch, FastSettings
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.schedule import Schedule, supply
from swift_hyperband.search.scheduled import DrawTrials, ScheduledSearch


@dataclass(frozen=True)
class SearchSettings:
    """The settings of all algorithms; each search uses its own part."""

    rules: Rules
    fast: FastSettings = field(default_factory=FastSettings)
    adaptive: AdaptiveSettings = field(default_factory=AdaptiveSettings)


def start(
    algorithm: str,
    schedule: Schedule,
    trials: Mapping[int, Sequence[str]],
    settings: SearchSettings,
    workers: int = 1,
    draw: DrawTrials | None = None,
) -> Search:
    """Return a new search.

    Parameters
    ----------
    algorithm : str
        One of `ALGORITHMS`.
    schedule : Schedule
        Its brackets and rounds; rungs of a search without rounds.
    trials : mapping of int to sequence of str
        Trial ids by bracket of `supplied`.
    settings : SearchSettings
    workers : int
        Trainings side by side.
    draw : callable, optional
        Draws the configurations of trials from the curves so far, when their bracket begins. Brackets of rounds must
        then run in turn. Random searches, ASHA and Fast-Hyperband do not call it: with them a trial may be drawn when
        it is asked for.
    """
    family, rules = ALGORITHMS[algorithm].family, settings.rules
    if family is Family.ADAPTIVE:
        # numpy, before which the jobs of a comparison limit threads
        from swift_hyperband.search.adaptive import AdaptiveSearch

        return AdaptiveSearch(schedule, trials, settings.adaptive, workers, draw)
    if ALGORITHMS[algorithm].synchronous:
        if draw is None or family is Family.RANDOM:
            return ScheduledSearch(schedule, trials, rules)
        assert schedule.in_turn
        return ScheduledSearch(schedule, trials, rules, draw=draw)
    # their rules compare losses with one standard error for all
    predictor = replace(rules.predictor, values="loss", errors="common")
    if family is Family.FAST_HYPERBAND:
        return FastHyperbandSearch(schedule, trials, settings.fast, predictor)
    predicts = ALGORITHMS[algorithm].predicts
    return AshaSearch(schedule, trials, replace(rules, predictor=predictor) if predicts else None)


def supplied(algorithm: str, schedule: Schedule, adaptive: AdaptiveSettings) -> Schedule:
    """Return the schedule whose first rounds hold all trials that a search may start."""
    if not ALGORITHMS[algorithm].adapts:
        return schedule
    return supply(schedule, int(adaptive.budget * schedule.epochs_hyperband))


def note(algorithm: str, adaptive: AdaptiveSettings, workers: int) -> str | None:
    """Return a warning about a search on so many workers; None without one."""
    if not ALGORITHMS[algorithm].adapts or workers <= adaptive.most_workers:
        return None
    return (
        f"with more than {adaptive.most_workers} workers all brackets run in Hyperband's order before any is "
        "chosen (adaptive.most_workers): the curves that a choice needs come too late"
    )


def most_epochs(algorithm: str, schedule: Schedule, adaptive: AdaptiveSettings) -> int | None:
    """Return how many epochs a search without rounds trains at most; None where only a useless bound is known.

    ASHA promotes every trial that is better than all before it. If each were, all would train to the end.
    """
    if ALGORITHMS[algorithm].family is Family.ASHA:
        return None
    budget = adaptive.budget if ALGORITHMS[algorithm].adapts else 1.0
    return int(budget * schedule.epochs_hyperband)

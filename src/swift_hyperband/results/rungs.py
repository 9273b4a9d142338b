"""How far a search without rounds has come, read from its journal: who reached which rung, and what became of others.

A rung is an epoch at which a bracket of Hyperband compares trials. The rungs of all brackets are put together here:
those of an adaptive search have no brackets of their own, and trials of all brackets meet the same epochs.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swift_hyperband.base.metric import Metric
from swift_hyperband.results.journal import Event
from swift_hyperband.search.schedule import Schedule

STATES = ("reached", "promoted", "running", "stopped", "lost")


@dataclass(frozen=True)
class Rung:
    """A rung, with trials in the order of the journal.

    Attributes
    ----------
    epoch : int
    reached : tuple of str
        Trials that trained to it, with a finite metric.
    promoted : tuple of str
        Those of them that were asked to train on.
    running : tuple of str
        Trials on the way to it that train now.
    stopped : tuple of str
        Trials that a prediction stopped on the way to it.
    lost : tuple of str
        Trials that failed or diverged on the way to it.
    """

    epoch: int
    reached: tuple[str, ...] = ()
    promoted: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """Return how many trials are in which of `STATES`."""
        return {state: len(getattr(self, state)) for state in STATES}


@dataclass(frozen=True)
class Rungs:
    """A search without rounds so far.

    Attributes
    ----------
    rungs : tuple of Rung
        By epoch, the first one first.
    trials : tuple of str
        Those that began, in this order.
    told : mapping of str to Event
        What the search was told of a trial last.
    running : mapping of str to int
        The epochs to which trials train now.
    asked : mapping of str to int
        The epochs to which the search has asked for trials.
    stopped : frozenset of str
        Trials that a prediction stopped and that did not go on.
    over : bool
    """

    rungs: tuple[Rung, ...]
    trials: tuple[str, ...]
    told: Mapping[str, Event]
    running: Mapping[str, int]
    asked: Mapping[str, int]
    stopped: frozenset[str]
    over: bool

    @classmethod
    def of(cls, events: Iterable[Event], ends: Iterable[int]) -> Rungs:
        """Return what events tell.

        Parameters
        ----------
        events : iterable of Event
        ends : iterable of int
            The epochs of the rungs.
        """
        epochs = sorted(set(ends))
        asked: dict[str, int] = {}
        told: dict[str, Event] = {}
        running: dict[str, int] = {}
        stopped: dict[str, None] = {}
        reached: dict[int, dict[str, None]] = {epoch: {} for epoch in epochs}
        over = False
        for event in events:
            if event.kind == "ask":
                asked[event.name] = running[event.name] = event.epochs
                stopped.pop(event.name, None)
            elif event.kind == "tell":
                told[event.name] = event
                running.pop(event.name, None)
                if event.epochs in reached and not is_lost(event):
                    reached[event.epochs][event.name] = None
            elif event.kind == "stop":
                stopped[event.name] = None
            elif event.kind == "end":
                over = True
        lost = {trial: event for trial, event in told.items() if is_lost(event)}

        def on_the_way(trials: Mapping[str, int]) -> list[tuple[str, ...]]:
            """Return trials by the rung to which the given epoch leads."""
            found: list[list[str]] = [[] for _ in epochs]
            for trial, epoch in trials.items():
                found[min(bisect.bisect_left(epochs, epoch), len(epochs) - 1)].append(trial)
            return [tuple(trials) for trials in found]

        parts = zip(
            epochs,
            on_the_way(running),
            on_the_way({trial: told[trial].epochs for trial in stopped if trial in told}),
            on_the_way({trial: event.epochs for trial, event in lost.items()}),
            strict=True,
        )
        rungs = tuple(
            Rung(
                epoch,
                tuple(reached[epoch]),
                tuple(trial for trial in reached[epoch] if asked[trial] > epoch),
                *rest,
            )
            for epoch, *rest in parts
        )
        return cls(rungs, tuple(asked), told, running, asked, frozenset(stopped), over)

    def next_rung(self, epoch: int) -> int:
        """Return the epoch of the first rung that is not before an epoch."""
        return next((rung.epoch for rung in self.rungs if rung.epoch >= epoch), self.rungs[-1].epoch)

    def failed(self, trial: str) -> bool:
        """Whether the search was told that a trial crashed for good, whatever the trial's folder says now."""
        told = self.told.get(trial)
        return told is not None and told.trained < told.epochs and (not told.trained or told.value is not None)

    def ended(self, metric: Metric) -> dict[str, float]:
        """Return the losses of the trials that reached the last rung."""
        return {trial: metric.loss(self.told[trial].value or 0.0) for trial in self.rungs[-1].reached}

    def to_json(self) -> list[dict[str, Any]]:
        """Return the rungs as `swift-hyperband status --json` prints them."""
        return [{"epoch": rung.epoch, "trials": rung.counts()} for rung in self.rungs]


def is_lost(told: Event) -> bool:
    """Whether a trial failed or diverged, as a search was told."""
    return told.trained < told.epochs or told.value is None


def of_hyperband(schedule: Schedule, ends: Sequence[int]) -> dict[int, int]:
    """Return the epochs that Hyperband trains on the way to each rung, by its epoch."""
    found, start = {}, 0
    for end in ends:
        parts = ((round_.trials, max(0, min(round_.end, end) - max(round_.start, start))) for round_ in schedule.rounds)
        found[end] = sum(trials * epochs for trials, epochs in parts)
        start = end
    return found


def trained_to(rungs: Sequence[Rung], curves: Mapping[str, int]) -> dict[int, int]:
    """Return the epochs trained on the way to each rung, by its epoch, given how many each trial trained."""
    found, start = {}, 0
    for rung in rungs:
        found[rung.epoch] = sum(min(length, rung.epoch) - start for length in curves.values() if length > start)
        start = rung.epoch
    return found

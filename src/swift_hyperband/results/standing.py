"""The standing of a search: the fate of each trial, the best one, and each bracket's winner."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from swift_hyperband.results.history import History, RoundHistory, TrialHistory

Fate = Literal["finished", "promoted", "stopped by prediction", "not promoted", "diverged", "failed", "running"]


@dataclass(frozen=True)
class Best:
    """The best trial, where it stands."""

    trial: str
    epoch: int
    value: float


def diverged(history: History, trial: TrialHistory) -> bool:
    """Whether the metric of a trial was not finite at some epoch."""
    return not all(map(math.isfinite, trial.values(history.study.target.metric)))


def fates(history: History) -> dict[str, Fate]:
    """Return what became of each trial.

    "finished" trained to the last epoch of its bracket; "promoted" waits for a round that was not entered yet;
    "running" competes in a round that is not over.
    """
    last = {trial: found for found in history.rounds.values() for trial in found.competitors}
    return {trial: _fate(history, history.trials[trial], last[trial]) for trial in history.trials}


def _fate(history: History, trial: TrialHistory, found: RoundHistory) -> Fate:
    if trial.failed:
        return "failed"
    if diverged(history, trial):
        return "diverged"
    if trial.trial in found.stopped:
        return "stopped by prediction"
    if found.promoted is None:
        return "running"
    if history.schedule.is_last(found.schedule):
        return "finished"
    return "promoted" if trial.trial in found.promoted else "not promoted"


def winners(history: History) -> dict[int, Best]:
    """Return the winner of each bracket that is over; none where all its trials failed."""
    found = {}
    for bracket, rounds in history.schedule.brackets.items():
        last = history.rounds[rounds[-1].key]
        if last.promoted:
            found[bracket] = _standing(history, last.promoted[0], last.schedule.end)
    return found


def best(history: History) -> Best | None:
    """Return the winner of a finished search, else the best trial so far, each where it stands; None without any."""
    if history.finished:
        standing = list(winners(history).values())
    else:
        alive = [trial for trial in history.trials.values() if trial.curve and not trial.failed]
        standing = [
            _standing(history, trial.trial, len(trial.curve)) for trial in alive if not diverged(history, trial)
        ]
    metric = history.study.metric
    return min(standing, key=lambda best: (metric.loss(best.value), best.trial), default=None)


def _standing(history: History, trial: str, epoch: int) -> Best:
    return Best(trial, epoch, history.trials[trial].curve[epoch - 1][history.study.target.metric])

"""The standing of a search: the fate of each trial, the best one, and each bracket's winner."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from swift_hyperband.results.history import History, RoundHistory, TrialHistory
from swift_hyperband.results.rungs import Rungs
from swift_hyperband.search.decisions import rank
from swift_hyperband.targets import ASK_TELL
from swift_hyperband.training.trial import started


class Fate(StrEnum):
    """The fate of a trial so far.

    A finished trial trained to the last epoch of its bracket; a promoted one waits for a round that was not entered
    yet; a running one competes in a round that is not over; a waiting one does so and has not begun to train.
    """

    FINISHED = "finished"
    PROMOTED = "promoted"
    STOPPED = "stopped by prediction"
    NOT_PROMOTED = "not promoted"
    DIVERGED = "diverged"
    FAILED = "failed"
    RUNNING = "running"
    WAITING = "waiting"


@dataclass(frozen=True)
class Best:
    """The best trial, and the epoch at which it stands: its last one, or its best one (`target.metric_at`)."""

    trial: str
    value: float
    epoch: int
    configuration: Mapping[str, Any]


def status(history: History, trial: TrialHistory) -> Literal["ok", "diverged", "failed"]:
    """Return whether a trial can still train, as `training.trial.Trained` has it."""
    if trial.failed:
        return "failed"
    return "ok" if all(map(math.isfinite, trial.values(history.study.metric.name))) else "diverged"


def lost(history: History, trial: TrialHistory) -> bool:
    """Whether a trial failed or diverged."""
    return status(history, trial) != "ok"


def fate(found: RoundHistory, trial: str, status: Literal["ok", "diverged", "failed"], *, is_last: bool) -> Fate:
    """Return the fate of a competitor in a round, which may be the last one of its bracket."""
    if status != "ok":
        return Fate(status)
    if found.stops(trial):
        return Fate.STOPPED
    if found.promoted is None:
        return Fate.RUNNING
    if is_last:
        return Fate.FINISHED
    return Fate.PROMOTED if found.promotes(trial) else Fate.NOT_PROMOTED


def fates(history: History) -> dict[str, Fate]:
    """Return the fate of each trial."""
    found = _of_rounds(history) if history.rungs is None else _of_rungs(history, history.rungs)
    idle = [name for name, end in found.items() if end is Fate.RUNNING and not _began(history, history.trials[name])]
    return found | dict.fromkeys(idle, Fate.WAITING)


def _began(history: History, trial: TrialHistory) -> bool:
    """Whether a trial has begun to train; code of a user's own begins where it has asked for a trial."""
    own = history.study.target.name == ASK_TELL
    return bool(trial.curve) or own or bool(started(history.folder.trial(trial.trial)).begun)


def _of_rounds(history: History) -> dict[str, Fate]:
    last = {trial: found for found in history.rounds.values() for trial in found.competitors}
    if history.thaw is not None:
        last |= dict.fromkeys(history.thaw.competitors, history.thaw)
    return {
        name: fate(last[name], name, status(history, trial), is_last=history.schedule.is_last(last[name].schedule))
        for name, trial in history.trials.items()
    }


def _of_rungs(history: History, rungs: Rungs) -> dict[str, Fate]:
    return {name: _fate_on_rungs(history, rungs, trial) for name, trial in history.trials.items()}


def _fate_on_rungs(history: History, rungs: Rungs, trial: TrialHistory) -> Fate:
    """Return the fate of a trial of a search without rounds: one that waits at a rung is not promoted so far."""
    if (found := status(history, trial)) != "ok":
        return Fate(found)
    if trial.trial in rungs.running:
        return Fate.RUNNING
    if trial.trial in rungs.stopped:
        return Fate.STOPPED
    return Fate.FINISHED if len(trial.curve) >= history.study.search.max_epochs else Fate.NOT_PROMOTED


def winners(history: History) -> dict[int, Best]:
    """Return the winner of each bracket that is over; none where all its trials failed, and without rounds."""
    found: dict[int, Best] = {}
    if history.rungs is not None:
        return found
    for bracket, rounds in history.schedule.brackets.items():
        last = history.rounds[rounds[-1].key]
        if last.promoted:
            found[bracket] = _standing(history, last.promoted[0], last.schedule.end)
    return found


def best(history: History) -> Best | None:
    """Return the winner of a finished search, else the best trial so far, each where it stands; None without any."""
    if history.finished and history.rungs is not None:
        ended = history.rungs.ended(history.study.metric)
        standing = {trial: _standing(history, trial, history.study.search.max_epochs) for trial in ended}
    elif history.finished:
        standing = {found.trial: found for found in winners(history).values()}
        if history.thaw is not None:
            ends = history.thaw.schedule.end
            standing |= {trial: _standing(history, trial, ends) for trial in history.thaw.promoted or ()}
    else:
        alive = [trial for trial in history.trials.values() if trial.curve and not lost(history, trial)]
        standing = {trial.trial: _standing(history, trial.trial, len(trial.curve)) for trial in alive}
    order = rank({trial: history.study.metric.loss(found.value) for trial, found in standing.items()})
    return standing[order[0]] if order else None


def _standing(history: History, trial: str, trained: int) -> Best:
    """Return a trial where it stands after so many epochs."""
    found, metric = history.trials[trial], history.study.metric
    values = found.values(metric.name)[:trained]
    epoch = metric.epoch(values)
    return Best(trial, values[epoch - 1], epoch, found.configuration)

"""The numbers behind the pictures: epochs spent and saved, and the quality of the predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.results.decided import Fit
from swift_hyperband.results.history import History, RoundHistory, TrialHistory
from swift_hyperband.results.standing import lost
from swift_hyperband.search import kill_risk
from swift_hyperband.search.rounds import loss_at

Kind = Literal["full", "partial", "complete", "thawed", "saved"]


@dataclass(frozen=True)
class Stretch:
    """Epochs that a trial trained, or did not have to train, in a round.

    Attributes
    ----------
    kind : {"full", "partial", "complete", "thawed", "saved"}
        Trained to the round's end without a decision; trained until the decision point; trained on from there; trained
        on after all brackets; not trained, as a prediction stopped it there.
    start, end : int
        Epochs of the trial before and after.
    """

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True)
class Spending:
    """Epochs of the rounds that are over, by what they were spent on.

    Attributes
    ----------
    full, partial, complete, thawed : int
        As the kinds of `Stretch`.
    lost : int
        Not trained, because trials diverged or failed, or places of a round stayed empty.
    hyperband : int
        What Hyperband spends on the same rounds if no trial fails.
    """

    full: int = 0
    partial: int = 0
    complete: int = 0
    thawed: int = 0
    lost: int = 0
    hyperband: int = 0

    @property
    def spent(self) -> int:
        """All epochs trained."""
        return self.full + self.partial + self.complete + self.thawed

    @property
    def saved(self) -> int:
        """Further epochs that Hyperband would have trained, with the same failed trials; 0 if none."""
        return max(0, self.hyperband - self.spent - self.lost)

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            self.full + other.full,
            self.partial + other.partial,
            self.complete + other.complete,
            self.thawed + other.thawed,
            self.lost + other.lost,
            self.hyperband + other.hyperband,
        )


@dataclass(frozen=True)
class Prediction:
    """A prediction that can be checked: of a partial trial that continued and reached the round's end.

    Attributes
    ----------
    bracket : int
    seen, predicted, reached : float
        The metric at the decision point, as predicted for the round's end, and reached there.
    trial : str
    """

    bracket: int
    seen: float
    predicted: float
    reached: float
    trial: str = ""


def stretches(history: History, found: RoundHistory, trial: TrialHistory) -> list[Stretch]:
    """Return the epochs that a trial of a round spent and saved in it, without empty stretches."""
    round_ = found.schedule
    # it may have trained on after all brackets
    trained = min(len(trial.curve), found.goal(trial.trial))
    if trial.trial in found.full or round_.decision_epoch is None:
        parts = [Stretch("full", round_.start, trained)]
    else:
        point = round_.decision_epoch
        parts = [Stretch("partial", round_.start, min(trained, point)), Stretch("complete", point, trained)]
        # a trial that diverged or failed would not have trained on anyway
        if trial.trial in found.stopped and not lost(history, trial):
            parts.append(Stretch("saved", point, round_.end))
    return [part for part in parts if part.end > part.start]


def thaws(history: History) -> dict[str, Stretch]:
    """Return the epochs that each trial trained on after all brackets."""
    if history.thaw is None or history.thawed is None:
        return {}
    found = {}
    for trial in history.thaw.competitors:
        start, end = history.thawed.left[trial].epochs, len(history.trials[trial].curve)
        if end > start:
            found[trial] = Stretch("thawed", start, end)
    return found


def spending(history: History) -> dict[int, Spending]:
    """Return epochs spent and saved by bracket, in complete rounds; those after all brackets under their own number."""
    if history.rungs is not None:
        # nobody knows what Hyperband would have trained with these trials
        return {0: Spending(full=history.epochs)}
    found = {bracket: Spending() for bracket in history.schedule.brackets}
    for round_ in history.rounds.values():
        if round_.promoted is None:
            continue
        epochs = {"full": 0, "partial": 0, "complete": 0, "saved": 0}
        for trial in round_.competitors:
            for part in stretches(history, round_, history.trials[trial]):
                epochs[part.kind] += part.end - part.start
        schedule = round_.schedule
        lost = schedule.trials * (schedule.end - schedule.start) - sum(epochs.values())
        del epochs["saved"]
        found[schedule.bracket] += Spending(**epochs, lost=lost, hyperband=schedule.epochs_hyperband)
    if history.thaw is not None and history.thaw.promoted is not None:
        spent = sum(part.end - part.start for part in thaws(history).values())
        found[history.thaw.schedule.bracket] = Spending(thawed=spent)
    return found


def predictions(history: History) -> list[Prediction]:
    """Return the predictions that can be checked, in the order of the rounds."""
    metric = history.study.metric
    found = []
    for round_ in history.rounds.values():
        for trial, verdict in (round_.verdicts or {}).items():
            values = history.trials[trial].values(metric.name)[: round_.schedule.end]
            if not verdict.continues or verdict.predicted is None or len(values) < round_.schedule.end:
                continue
            if math.isfinite(loss := metric.losses(values)[-1]):
                seen, predicted = metric.value(verdict.seen), metric.value(verdict.predicted)
                found.append(Prediction(round_.schedule.bracket, seen, predicted, metric.value(loss), trial))
    return found


def predicted_kill_risk(history: History) -> float | None:
    """Return the predicted chance that a stopped trial was the one that Hyperband would have chosen.

    Of the rounds that are over; None where none was decided. See `search.kill_risk`.
    """
    metric, folder = history.study.metric, history.folder
    chances = []
    for found in history.rounds.values():
        round_ = found.schedule
        if found.verdicts is None or found.promoted is None or round_.predictor is None:
            continue
        path = folder.predictor(history.schedule.by_key[round_.predictor])
        if (predictor := Fit.read(path).load(path)) is None:
            continue
        alive = [trial for trial in found.stopped if math.isfinite(found.verdicts[trial].seen)]
        stopped = [trial for trial in alive if history.thawed is None or trial not in history.thawed.chosen]
        losses = {
            trial: metric.losses(history.trials[trial].values(metric.name)) for trial in [*stopped, *found.promoted]
        }
        reached = [loss_at(losses[trial], round_.end) for trial in found.promoted]
        chances.append(kill_risk.chance(predictor, round_, [losses[trial] for trial in stopped], reached))
    return kill_risk.of_search(chances, len(history.schedule.brackets)) if chances else None


def r2(predicted: Sequence[float], reached: Sequence[float]) -> float:
    """Return the coefficient of determination: 1 is perfect, 0 as good as the mean.

    nan if all reached the same, or squares overflow.
    """
    truth = np.asarray(reached, dtype=float)
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(np.sum((truth - truth.mean()) ** 2)) if len(truth) else 0.0
        missed = float(np.sum((truth - np.asarray(predicted)) ** 2))
    return 1 - missed / spread if spread > 0 and math.isfinite(spread) else math.nan


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Spearman's rank correlation, ties by average rank; nan if one side is constant."""
    if len(one) < 2 or min(one) == max(one) or min(other) == max(other):
        return math.nan
    return float(np.corrcoef(ranks(one), ranks(other))[0, 1])


def ranks(values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each value from 1, the smallest first; equal ones share their average rank."""
    _, places, counts = np.unique(np.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[places])

"""ASHA, and Swift-ASHA with a decision point between rungs, as an ask/tell search without barriers.

ASHA: Li et al., A system for massively parallel hyperparameter tuning, arXiv 1810.05934, algorithm 2. With more than
one bracket it is their asynchronous Hyperband. Swift-ASHA, named as future work by García Amboage et al. (2024), is
designed in docs/swift-asha.md.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from swift_hyperband.predictors import Predictor
from swift_hyperband.search import Curve, Training, decisions, rounds
from swift_hyperband.search.recorded import NOTHING, Recorded
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.schedule import Round, Schedule, decision_point


@dataclass
class _Rung:
    """A rung: the trials of a bracket that trained to one epoch.

    Attributes
    ----------
    round : Round
        The round of Hyperband with the same start and end.
    losses : list of (loss, trial)
        The finite losses of the trials that reached it, best first.
    entered : int
        Number of trials that arrived, were stopped on the way or failed.
    running : int
        Number of trials on the way.
    promoted : set of str
    """

    round: Round
    losses: list[tuple[float, str]] = field(default_factory=list)
    entered: int = 0
    running: int = 0
    promoted: set[str] = field(default_factory=set)


@dataclass
class _Goal:
    """The goal of a running trial: a rung of a bracket, with or without a decision point on the way."""

    bracket: int
    rung: int
    epochs: int


@dataclass
class AshaSearch:
    """An asynchronous ask/tell search: a free worker promotes a trial as soon as there is one, else starts a new one.

    Parameters
    ----------
    schedule : Schedule
        From `schedule.hyperband`: rungs and number of trials of each bracket.
    trials : mapping of int to sequence of str
        Trial ids of each bracket, in the order in which they start.
    rules : Rules, optional
        The rules of Swift-ASHA: the first `swift.d` trials on the way to an epoch train there without a decision; the
        others have a decision point at `swift.decision_fraction` of the way. ASHA if left out.
    """

    schedule: Schedule
    trials: Mapping[int, Sequence[str]]
    rules: Rules | None = None
    curves: dict[str, Curve] = field(default_factory=dict)
    best: tuple[str, float] | None = None
    fits: int = 0
    stopped: set[str] = field(default_factory=set)
    kill_risk: float | None = None
    recorded: Recorded = NOTHING

    def __post_init__(self) -> None:
        self._rungs = {bracket: [_Rung(r) for r in rounds_] for bracket, rounds_ in self.schedule.brackets.items()}
        self._waiting = {
            bracket: list(self.trials[bracket])[: rungs[0].round.trials][::-1] for bracket, rungs in self._rungs.items()
        }
        # at their decision points: trials that go on, and trials that wait for a predictor
        self._going_on: dict[str, _Goal] = {}
        self._paused: dict[str, _Goal] = {}
        self._running: dict[str, _Goal] = {}
        # by epoch, over all brackets: the curves that reached it, and the number of trials sent there undecided
        self._reached: dict[int, list[Curve]] = {}
        self._undecided: dict[int, int] = {}
        self._predictors: dict[tuple[int, int], tuple[int, Predictor | None]] = {}

    def ask(self, at_most: int | None = None) -> list[Training]:
        """Return the next trainings for free workers; see `Search.ask`."""
        found: list[Training] = []
        while (at_most is None or len(found) < at_most) and (job := self._next_job()) is not None:
            trial, goal = job
            rung = self._rungs[goal.bracket][goal.rung]
            if trial in self._going_on or trial in self._paused:
                (self._going_on if trial in self._going_on else self._paused).pop(trial)
            else:
                rung.running += 1
                if goal.rung:
                    self._rungs[goal.bracket][goal.rung - 1].promoted.add(trial)
                else:
                    self._waiting[goal.bracket].pop()
                if goal.epochs == rung.round.end:
                    self._undecided[goal.epochs] = self._undecided.get(goal.epochs, 0) + 1
            self._running[trial] = goal
            found.append(Training(trial, goal.epochs))
        return found

    def tell(self, trial: str, curve: Curve) -> None:
        """Take the curve of a trial that was asked for: its losses from epoch 1, short or not finite if it failed."""
        goal = self._running.pop(trial)
        self.curves[trial] = curve
        rung = self._rungs[goal.bracket][goal.rung]
        loss, end = rounds.loss_at(curve, goal.epochs), rung.round.end
        if goal.epochs < end and math.isfinite(loss):
            self._paused[trial] = _Goal(goal.bracket, goal.rung, end)
        else:
            self._leave(rung)
        if goal.epochs == end and math.isfinite(loss):
            insort(rung.losses, (loss, trial))
            self._reached.setdefault(end, []).append(curve)
            if end == self.schedule.max_epochs and (self.best is None or (loss, trial) < self.best[::-1]):
                self.best = trial, loss
        self._decide(end)

    @property
    def finished(self) -> bool:
        """Whether nothing runs and nothing can start any more."""
        return not self._running and self._next_job() is None

    @property
    def epochs(self) -> int:
        """Epochs trained so far."""
        return sum(map(len, self.curves.values()))

    def _next_job(self) -> tuple[str, _Goal] | None:
        """Return the next trial to train.

        The order is: a trial that goes on from its decision point, the highest promotion, a new trial, and at last a
        trial that waits for a decision, because no worker idles while there is work.
        """
        if self._going_on:
            return next(iter(self._going_on.items()))
        for bracket, rungs in self._rungs.items():
            for index in range(len(rungs) - 1, 0, -1):
                if (trial := self._promotable(bracket, index - 1)) is not None:
                    return trial, self._goal(bracket, index)
        for bracket, waiting in self._waiting.items():
            if waiting:
                return waiting[-1], self._goal(bracket, 0)
        if self._paused:
            trial = min(self._paused, key=lambda trial: (-self._paused[trial].epochs, self.curves[trial][-1], trial))
            return trial, self._paused[trial]
        return None

    def _goal(self, bracket: int, index: int) -> _Goal:
        round_ = self._rungs[bracket][index].round
        epochs = round_.end
        if self.rules is not None and self._undecided.get(round_.end, 0) >= self.rules.swift.d:
            epochs = decision_point(round_.start, round_.end, self.rules.swift.decision_fraction)
        return _Goal(bracket, index, epochs)

    def _promotable(self, bracket: int, index: int) -> str | None:
        """Return the best trial in the top 1/eta of a rung that was not promoted yet."""
        rung = self._rungs[bracket][index]
        quota = rung.entered // self.schedule.eta
        if not quota and rung.losses and self._closed(bracket, index):
            quota = 1
        return next((trial for _, trial in rung.losses[:quota] if trial not in rung.promoted), None)

    def _closed(self, bracket: int, index: int) -> bool:
        """Whether no further trial can reach a rung."""
        if self._rungs[bracket][index].running:
            return False
        if index == 0:
            return not self._waiting[bracket]
        return self._closed(bracket, index - 1) and self._promotable(bracket, index - 1) is None

    def _decide(self, end: int) -> None:
        """Decide all trials that wait at a decision point on the way to an epoch, if a predictor can be fitted."""
        if self.rules is None or len(self._reached.get(end, ())) < self.rules.swift.d:
            return
        for trial, goal in list(self._paused.items()):
            rung = self._rungs[goal.bracket][goal.rung]
            if rung.round.end != end:
                continue
            del self._paused[trial]
            if self._continues(rung, trial):
                self._going_on[trial] = goal
            else:
                self.stopped.add(trial)
                self._leave(rung)

    def _leave(self, rung: _Rung) -> None:
        """Note that a trial is no longer on its way to a rung: it arrived, was stopped or failed."""
        rung.running -= 1
        rung.entered += 1

    def _continues(self, rung: _Rung, trial: str) -> bool:
        """Whether a trial goes on from its decision point: it is not predicted outside the top 1/eta of the rung."""
        assert self.rules is not None
        if (verdict := self.recorded.goes_on(trial)) is not None:
            return verdict
        round_, swift = rung.round, self.rules.swift
        point = decision_point(round_.start, round_.end, swift.decision_fraction)
        predictor = self._predictor(point, round_.end)
        if predictor is None or not rung.losses:
            return True
        seen = self.curves[trial]
        predicted = rounds.predict(predictor, [seen], point)[0]
        reached = [loss for loss, _ in rung.losses]
        if swift.threshold == "quantile":
            threshold = decisions.quantile_threshold(reached, swift.threshold_quantile)
        else:
            # stopped trials are not counted here (they are in `_promotable`); cost: docs/swift-asha.md
            quota = max(1, -(-len(reached) // self.schedule.eta))
            threshold = decisions.promotion_threshold([*reached, predicted], quota)
        # the larger the error, the better for the trial: a lower bound may do
        sigmas = predictor.sigmas() if swift.margin > 0 else (0.0,)
        return any(decisions.passes(predicted, sigma, threshold, swift.margin) for sigma in sigmas)

    def _predictor(self, seen: int, end: int) -> Predictor | None:
        """Return the predictor of the loss at an epoch, fitted to all curves that reached it so far."""
        assert self.rules is not None
        curves = self._reached[end]
        fitted_to, predictor = self._predictors.get((seen, end), (0, None))
        if len(curves) > fitted_to:
            predictor = rounds.fit_curves(curves, seen, end, self.rules.predictor)
            self._predictors[seen, end] = len(curves), predictor
            self.fits += predictor is not None
        return predictor

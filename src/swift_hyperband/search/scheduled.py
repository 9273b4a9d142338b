"""Every search in rounds, as one ask/tell search over a schedule.

Random search, with and without a predictor, one epoch for all, Hyperband and Swift-Hyperband differ in their schedules
alone. Rounds of different brackets run at the same time, as the workflow's jobs do, and the result does not depend on
the order of the curves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial as with_
from typing import TYPE_CHECKING

from swift_hyperband.predictors import Predictor
from swift_hyperband.search import Curve, Training, kill_risk, rounds
from swift_hyperband.search.decisions import Decision
from swift_hyperband.search.hopes import Hope, hopes
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.schedule import Round, RoundKey, Schedule

if TYPE_CHECKING:
    from swift_hyperband.search.thaw import Thawing

Fit = Callable[[Round, Sequence[Mapping[str, Curve]]], Predictor | None]
Decide = Callable[[Round, Mapping[str, Curve], Mapping[str, Curve], Predictor | None], Decision]
DrawTrials = Callable[[Sequence[str]], None]
"""Draws the configurations of trials."""


@dataclass(slots=True)
class RoundRecord:
    """The record of one round.

    Attributes
    ----------
    schedule : Round
    competitors : list of str
        Trial ids by rank.
    decision : Decision or None
        None until it is taken, and without a decision point.
    promoted : list of str or None
        Best first; None until the round is over.
    """

    schedule: Round
    competitors: list[str]
    decision: Decision | None = None
    promoted: list[str] | None = None

    @property
    def finishers(self) -> list[str]:
        """Trials known to train to the round's end: the full ones and those that continue."""
        full, _ = rounds.divide(self.schedule, self.competitors)
        verdicts = self.decision.verdicts if self.decision is not None else {}
        return full + [trial for trial, verdict in verdicts.items() if verdict.continues]


@dataclass(slots=True)
class _Group:
    """Trials of a round that train to the same epoch: the number still training, and the step after the last."""

    left: int
    over: Callable[[RoundRecord], None]
    record: RoundRecord


@dataclass
class ScheduledSearch:
    """An ask/tell search over a schedule.

    Parameters
    ----------
    schedule : Schedule
    trials : mapping of int to sequence of str
        Trial ids of each bracket, by rank.
    rules : Rules
    fit : callable, optional
        Fits the predictor of a round to the reference curves of its training rounds; `rounds.fit` if left out.
    decide : callable, optional
        Takes the decision of a round, given as to `rounds.decide`, which is called if left out.
    hold : callable, optional
        Called with the choice after all brackets; returns the one that counts.
    draw : callable, optional
        Called with the trials of each bracket before its first round, to draw their configurations. The curves of all
        earlier brackets are known if the schedule runs them in turn.

    Attributes
    ----------
    curves : dict of str to Curve
    thawing : Thawing or None
        Which trials go on after all brackets; None before, and without such a round.
    records : dict of RoundKey to RoundRecord
        Of the rounds that were entered.
    """

    schedule: Schedule
    trials: Mapping[int, Sequence[str]]
    rules: Rules
    fit: Fit | None = None
    decide: Decide | None = None
    hold: Callable[[Thawing], Thawing] | None = None
    draw: DrawTrials | None = None
    curves: dict[str, Curve] = field(default_factory=dict)
    thawing: Thawing | None = None
    records: dict[RoundKey, RoundRecord] = field(default_factory=dict)
    fits: int = 0
    _ready: dict[int, list[Training]] = field(default_factory=dict)
    _groups: dict[str, _Group] = field(default_factory=dict)
    _references: dict[RoundKey, dict[str, Curve]] = field(default_factory=dict)
    _finished: dict[RoundKey, dict[str, Curve]] = field(default_factory=dict)
    _predictors: dict[RoundKey, Predictor | None] = field(default_factory=dict)
    _undecided: list[RoundRecord] = field(default_factory=list)
    _certain: dict[RoundKey, tuple[int, tuple[set[str], set[str]]]] = field(default_factory=dict)
    _likely: tuple[object, list[str]] = (None, [])
    _goals: dict[str, int] = field(default_factory=dict)
    _rounds_over: int = 0
    _brackets: Iterator[int] = field(default_factory=lambda: iter(()))

    def __post_init__(self) -> None:
        self._brackets = iter(self.schedule.brackets)
        for bracket in self._brackets:
            self._begin(bracket)
            if self.schedule.in_turn:
                return

    def ask(self, at_most: int | None = None) -> list[Training]:
        """Return trainings that can start now, in the order of the schedule; see `Search.ask`."""
        found: list[Training] = []
        for place in sorted(self._ready):
            waiting = self._ready[place]
            if at_most is not None and len(found) + len(waiting) > at_most:
                taken = at_most - len(found)
                found += waiting[:taken]
                del waiting[:taken]
                return found
            found += self._ready.pop(place)
        return found

    def tell(self, trial: str, curve: Curve) -> None:
        """Take the curve of a trial that was asked for: its losses from epoch 1, short or not finite if it failed."""
        group = self._groups.pop(trial)
        self.curves[trial] = curve
        group.left -= 1
        if not group.left:
            group.over(group.record)

    def outstanding(self, trial: str) -> bool:
        """Return whether the trial's curve was asked for, or will be next, and was not told yet."""
        return trial in self._groups

    def urgency(self, trial: str) -> int:
        """Return the place of an outstanding training in the order of the schedule; the smallest is the most urgent."""
        return self.schedule.position[self._groups[trial].record.schedule.key]

    def hopes(self, ahead: Mapping[str, Curve]) -> list[Hope]:
        """Return trainings that are not asked for but may be, best first; see `search.hopes`."""
        return hopes(self, ahead)

    def certain(self, record: RoundRecord, partial: Mapping[str, Curve]) -> tuple[set[str], set[str]]:
        """Return which of a round's partial trials go on or stop for certain, before all are at the decision point.

        Nothing is certain before the predictor can be fitted.
        """
        round_ = record.schedule
        if round_.key not in self._references or not self._predictor_ready(round_):
            return set(), set()
        known = self._certain.get(round_.key)
        if known is None or known[0] != len(partial):
            reference = self._references[round_.key]
            found = rounds.certain(round_, reference, partial, self._predictor(round_), self.rules)
            known = self._certain[round_.key] = len(partial), found
        return known[1]

    def likely_to_thaw(self, ahead: Mapping[str, Curve]) -> list[str]:
        """Return which trials left behind are likely to go on after all brackets, the most promising first.

        They are chosen anew after each decision and each round.
        """
        if self.schedule.thaw is None or self.thawing is not None:
            return []
        steps = self.epochs, sum(map(len, ahead.values()))
        if self._likely[0] != steps:
            left = {trial: self._goals[trial] for trial in self._left_behind()}
            curves = {trial: max(curve, ahead.get(trial, ()), key=len) for trial, curve in self.curves.items()}
            self._likely = steps, rounds.likely_to_thaw(self.schedule, curves, left, self.rules)
        return self._likely[1]

    def _left_behind(self) -> Iterator[str]:
        for record in self.records.values():
            if record.decision is not None:
                yield from (trial for trial, verdict in record.decision.verdicts.items() if not verdict.continues)
            if record.promoted is not None and not self.schedule.is_last(record.schedule):
                finishers = record.competitors if record.schedule.decision_epoch is None else record.finishers
                yield from set(finishers).difference(record.promoted)

    @property
    def finished(self) -> bool:
        """Whether every round is over."""
        return self._rounds_over == len(self.schedule.all_rounds)

    @property
    def best(self) -> tuple[str, float] | None:
        """The winner over all brackets that are over, with its loss at the last epoch; None while there is none."""
        winners = {
            record.promoted[0]: rounds.loss_at(self.curves[record.promoted[0]], record.schedule.end)
            for record in self.records.values()
            if record.promoted and self.schedule.is_last(record.schedule)
        }
        return min(winners.items(), key=lambda item: (item[1], item[0])) if winners else None

    @property
    def stopped(self) -> set[str]:
        """Trials that a prediction stopped, and that did not go on since."""
        decided = [record.decision for record in self.records.values() if record.decision is not None]
        stopped = {trial for found in decided for trial, verdict in found.verdicts.items() if not verdict.continues}
        return stopped.difference(self.thawing.chosen if self.thawing is not None else ())

    @property
    def kill_risk(self) -> float | None:
        """Predicted chance that a stopped trial was the one that Hyperband would have chosen: see `search.kill_risk`.

        None without decision points, and where decisions have no margin: standard errors may cost many fits.
        """
        if not self.schedule.decides or self.rules.swift.margin <= 0:
            return None
        chances = []
        for record in self.records.values():
            round_, decision = record.schedule, record.decision
            if decision is None or record.promoted is None or (predictor := self._predictor(round_)) is None:
                continue
            here = [trial for trial, found in decision.verdicts.items() if not found.continues]
            alive = [trial for trial in here if math.isfinite(decision.verdicts[trial].seen)]
            stopped = [self.curves[trial] for trial in alive if trial in self.stopped]
            reached = [rounds.loss_at(self.curves[trial], round_.end) for trial in record.promoted]
            chances.append(kill_risk.chance(predictor, round_, stopped, reached))
        return kill_risk.of_search(chances, len(self.schedule.brackets))

    @property
    def epochs(self) -> int:
        """Epochs trained so far."""
        return sum(map(len, self.curves.values()))

    def _begin(self, bracket: int) -> None:
        """Enter the first round of a bracket."""
        first = self.schedule.brackets[bracket][0]
        trials = list(self.trials[bracket][: first.trials])
        if self.draw is not None:
            self.draw(trials)
        self._enter(first, trials)

    def _enter(self, round_: Round, competitors: list[str]) -> None:
        record = self.records[round_.key] = RoundRecord(round_, competitors)
        full, partial = rounds.divide(round_, competitors)
        self._train(record, full, round_.end, self._full_are_over)
        if round_.decision_epoch is not None:
            self._undecided.append(record)
            self._train(record, partial, round_.decision_epoch, self._decide_what_can_be)

    def _train(
        self, record: RoundRecord, trials: Sequence[str], epochs: int, over: Callable[[RoundRecord], None]
    ) -> None:
        """Request the training of trials of a round to an epoch, and call `over` afterwards."""
        if not trials:
            over(record)
            return
        self._groups.update(dict.fromkeys(trials, _Group(len(trials), over, record)))
        self._goals.update(dict.fromkeys(trials, epochs))
        place = self.schedule.position[record.schedule.key]
        self._ready.setdefault(place, []).extend([Training(trial, epochs) for trial in trials])

    def _full_are_over(self, record: RoundRecord) -> None:
        round_ = record.schedule
        if round_.key in self.schedule.teaching:
            self._references[round_.key] = rounds.reference_curves(round_, record.competitors, self.curves)
            self._decide_what_can_be(record)
        if round_.decision_epoch is None:
            self._promote(record)

    def _decide_what_can_be(self, _: RoundRecord) -> None:
        """Decide every round whose trials are at the decision point and whose predictor can be fitted."""
        for record in list(self._undecided):
            round_ = record.schedule
            full, partial = rounds.divide(round_, record.competitors)
            point = round_.decision_epoch
            assert point is not None
            if round_.key not in self._references or not self._predictor_ready(round_) or record not in self._undecided:
                continue
            if any(trial in self._groups for trial in partial):
                continue
            self._undecided.remove(record)
            seen = {trial: self.curves[trial][:point] for trial in partial}
            decide = self.decide or with_(rounds.decide, rules=self.rules)
            record.decision = decide(round_, self._references[round_.key], seen, self._predictor(round_))
            self._train(record, record.finishers[len(full) :], round_.end, self._promote)

    def _promote(self, record: RoundRecord) -> None:
        round_ = record.schedule
        finishers = record.competitors if round_.decision_epoch is None else record.finishers
        reached = {trial: self.curves[trial][: round_.end] for trial in finishers}
        record.promoted = rounds.promote(round_, reached)
        self._rounds_over += 1
        if round_.key in self.schedule.taught:
            self._finished[round_.key] = reached
            self._decide_what_can_be(record)
        following = self.schedule.by_key.get((round_.bracket, round_.index + 1))
        if following is not None:
            self._enter(following, record.promoted)
        elif (bracket := next(self._brackets, None)) is not None:
            self._begin(bracket)
        elif self._rounds_over == len(self.schedule.rounds) and self.schedule.thaw is not None and not self.thawing:
            found = rounds.thaw(self.schedule, self.curves, self._goals, self.rules)
            self.thawing = self.hold(found) if self.hold is not None else found
            self._enter(self.schedule.thaw, self.thawing.chosen)

    def _predictor_ready(self, round_: Round) -> bool:
        assert round_.predictor is not None
        first = self.schedule.by_key[round_.predictor]
        return all(key in self._teaching(first, key) for key in first.training_rounds)

    def _teaching(self, round_: Round, key: RoundKey) -> Mapping[RoundKey, dict[str, Curve]]:
        """Return the curves, by round, of which those of round `key` teach the predictor of a round."""
        return self._finished if key in self.schedule.taught and key != round_.key else self._references

    def _predictor(self, round_: Round) -> Predictor | None:
        """Return the predictor that decides in a round, fitted on its first use."""
        assert round_.predictor is not None
        if round_.predictor not in self._predictors:
            first = self.schedule.by_key[round_.predictor]
            references = [self._teaching(first, key)[key] for key in first.training_rounds]
            fitted = self.fit(first, references) if self.fit else rounds.fit(first, references, self.rules)
            self._predictors[round_.predictor] = fitted
            self.fits += fitted is not None
        return self._predictors[round_.predictor]

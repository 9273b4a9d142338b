"""Hyperband and Swift-Hyperband as one ask/tell search over a schedule.

`ask` returns every training that can start now; `tell` takes a trained curve. Rounds of different brackets go side by
side, exactly as the workflow's jobs do, and the result does not depend on the order in which curves arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from swift_hyperband.decisions import Decision
from swift_hyperband.predictors import Predictor
from swift_hyperband.schedule import Round, RoundKey, Schedule
from swift_hyperband.search import rounds
from swift_hyperband.search.rounds import Curve, Rules

Fit = Callable[[Round, Sequence[Mapping[str, Curve]]], Predictor | None]


@dataclass(frozen=True)
class Training:
    """A request to train one trial until it has `epochs` epochs behind it."""

    trial: str
    epochs: int


@dataclass
class RoundRecord:
    """What happened in one round.

    Attributes
    ----------
    schedule : Round
    competitors : list of str
        Trial ids by rank.
    decision : Decision or None
        None until it is taken, and where nothing is decided.
    promoted : list of str or None
        Best first; None until the round is over.
    """

    schedule: Round
    competitors: list[str]
    decision: Decision | None = None
    promoted: list[str] | None = None

    @property
    def finishers(self) -> list[str]:
        """Trials that train to the round's end, as far as is known: the full ones and those that continue."""
        full, _ = rounds.divide(self.schedule, self.competitors)
        verdicts = self.decision.verdicts if self.decision is not None else {}
        return full + [trial for trial, verdict in verdicts.items() if verdict.continues]


@dataclass
class HyperbandSearch:
    """An ask/tell search.

    Parameters
    ----------
    schedule : Schedule
        From `schedule.hyperband` or `schedule.swift_hyperband`.
    trials : mapping of int to sequence of str
        Trial ids of each bracket, by rank.
    rules : Rules
    fit : callable, optional
        Fits the predictor of a round to the reference curves of its training rounds; `rounds.fit` if left out.
    """

    schedule: Schedule
    trials: Mapping[int, Sequence[str]]
    rules: Rules
    fit: Fit | None = None
    curves: dict[str, Curve] = field(default_factory=dict)
    records: dict[RoundKey, RoundRecord] = field(default_factory=dict)
    _references: dict[RoundKey, dict[str, Curve]] = field(default_factory=dict)
    _predictors: dict[RoundKey, Predictor | None] = field(default_factory=dict)
    _asked: dict[str, int] = field(default_factory=dict)
    _pending: set[str] = field(default_factory=set)

    def ask(self) -> list[Training]:
        """Return the trainings that can start now and were not asked for before, in bracket order.

        Nothing is returned while others must end first, and when the search is finished.
        """
        found: list[Training] = []
        for round_ in self.schedule.rounds:
            for trial, epochs in self._advance(round_).items():
                if self._asked.get(trial, 0) < epochs:
                    self._asked[trial] = epochs
                    self._pending.add(trial)
                    found.append(Training(trial, epochs))
        return found

    def tell(self, trial: str, curve: Curve) -> None:
        """Take the curve of a trial that was asked for: its losses from epoch 1, short or not finite if it failed."""
        self._pending.remove(trial)
        self.curves[trial] = curve

    @property
    def finished(self) -> bool:
        """Whether every round is over."""
        return all(self._is_over(round_) for round_ in self.schedule.rounds)

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
    def epochs(self) -> int:
        """Epochs trained so far."""
        return sum(len(curve) for curve in self.curves.values())

    def _is_over(self, round_: Round) -> bool:
        return round_.key in self.records and self.records[round_.key].promoted is not None

    def _advance(self, round_: Round) -> dict[str, int]:
        """Take every step of a round that the curves allow; return to which epochs its trials must train now."""
        if self._is_over(round_) or (competitors := self._competitors(round_)) is None:
            return {}
        record = self.records.setdefault(round_.key, RoundRecord(round_, list(competitors)))
        full, partial = rounds.divide(round_, record.competitors)
        wanted = dict.fromkeys(full, round_.end)
        finished = self._trained(full, round_.end)
        if finished is not None:
            self._references[round_.key] = rounds.reference_curves(round_, full, finished)
        if round_.decision_epoch is not None:
            wanted |= dict.fromkeys(partial, round_.decision_epoch)
            seen = self._trained(partial, round_.decision_epoch)
            if finished is None or seen is None or not self._predictor_ready(round_):
                return wanted
            if record.decision is None:
                reference, predictor = self._references[round_.key], self._predictor(round_)
                record.decision = rounds.decide(round_, reference, seen, predictor, self.rules)
        curves = self._trained(record.finishers, round_.end)
        if curves is None:
            return dict.fromkeys(record.finishers, round_.end)
        record.promoted = rounds.promote(round_, curves)
        return {}

    def _competitors(self, round_: Round) -> Sequence[str] | None:
        if round_.index == 0:
            return self.trials[round_.bracket][: round_.trials]
        earlier = self.records.get((round_.bracket, round_.index - 1))
        return earlier.promoted if earlier is not None else None

    def _trained(self, trials: Sequence[str], epochs: int) -> dict[str, Curve] | None:
        """Return the trials' curves up to an epoch, or None while one of them is still to be trained."""
        if any(self._asked.get(trial, 0) < epochs or trial in self._pending for trial in trials):
            return None
        return {trial: self.curves[trial][:epochs] for trial in trials}

    def _predictor_ready(self, round_: Round) -> bool:
        assert round_.predictor is not None
        return all(key in self._references for key in self.schedule.by_key[round_.predictor].training_rounds)

    def _predictor(self, round_: Round) -> Predictor | None:
        """Return the predictor that decides in a round, fitted on its first use."""
        assert round_.predictor is not None
        if round_.predictor not in self._predictors:
            first = self.schedule.by_key[round_.predictor]
            references = [self._references[key] for key in first.training_rounds]
            fit = self.fit or (lambda first, references: rounds.fit(first, references, self.rules))
            self._predictors[round_.predictor] = fit(first, references)
        return self._predictors[round_.predictor]

"""Adaptive Hyperband: which bracket runs next follows from the curves so far, as an ask/tell search.

The search begins with brackets of middle length. Then each new bracket is the one that promises most, by the rank
correlation of each rung with the last epoch (`bracket_choice`). Trials stop within a round where they have little
chance of promotion, or of ending better than the best trial so far (`chances`). A free worker takes work of the oldest
open bracket, or opens another one: brackets never wait for each other, only the rounds of one bracket do.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from swift_hyperband.search import Curve, Training, bracket_choice, chances, rounds
from swift_hyperband.search.adaptive_settings import AdaptiveSettings
from swift_hyperband.search.recorded import NOTHING, Recorded
from swift_hyperband.search.schedule import Round, Schedule, decision_point

STARTS = (3, 2)
"""The brackets that run first."""


@dataclass(slots=True)
class _Bracket:
    """An open bracket.

    Attributes
    ----------
    rounds : sequence of Round
    cost : int
        Its epochs in Hyperband, the most that it can train.
    index : int
        Of the round that runs.
    competitors : list of str
        The trials of this round.
    undecided : list of str
        Those among them that train to the decision point first.
    waiting : list of Training
        Trainings that can start, the last one first.
    running : int
        Trainings that started and did not end.
    trained : int
        Epochs trained so far.
    """

    rounds: Sequence[Round]
    cost: int
    index: int = 0
    competitors: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    waiting: list[Training] = field(default_factory=list)
    running: int = 0
    trained: int = 0

    @property
    def round(self) -> Round:
        return self.rounds[self.index]


@dataclass
class AdaptiveSearch:
    """An asynchronous ask/tell search that chooses its brackets.

    Parameters
    ----------
    schedule : Schedule
        From `schedule.hyperband`: the brackets to choose from.
    trials : mapping of int to sequence of str
        Trial ids by bracket of `schedule.supply`. The search takes them in this order, whatever brackets it runs.
    settings : AdaptiveSettings
    workers : int
        Trainings side by side.
    """

    schedule: Schedule
    trials: Mapping[int, Sequence[str]]
    settings: AdaptiveSettings = field(default_factory=AdaptiveSettings)
    workers: int = 1
    draw: Callable[[Sequence[str]], None] | None = None
    curves: dict[str, Curve] = field(default_factory=dict)
    best: tuple[str, float] | None = None
    fits: int = 0
    stopped: set[str] = field(default_factory=set)
    kill_risk: float | None = None
    recorded: Recorded = NOTHING
    opened: list[int] = field(default_factory=list)
    """The brackets that ran, in their order."""

    def __post_init__(self) -> None:
        self._fresh = (trial for ids in self.trials.values() for trial in ids)
        self._rungs = sorted({round_.end for round_ in self.schedule.rounds})
        self._costs = {s: bracket_choice.cost(rounds_) for s, rounds_ in self.schedule.brackets.items()}
        self._left = int(self.settings.budget * self.schedule.epochs_hyperband)
        self._open: list[_Bracket] = []
        self._running: dict[str, tuple[_Bracket, int]] = {}
        # what brackets promise, by the number of trials that had ended
        self._promised: tuple[int, dict[int, float]] = (-1, {})
        # trials by the rungs that they reached
        self._reached: dict[int, list[str]] = {}

    def ask(self, at_most: int | None = None) -> list[Training]:
        """Return the next trainings for free workers; see `Search.ask`."""
        found: list[Training] = []
        while (at_most is None or len(found) < at_most) and (bracket := self._next_bracket()) is not None:
            training = bracket.waiting.pop()
            bracket.running += 1
            self._running[training.trial] = bracket, training.epochs
            found.append(training)
        return found

    def tell(self, trial: str, curve: Curve) -> None:
        """Take the curve of a trial that was asked for: its losses from epoch 1, short or not finite if it failed."""
        bracket, epochs = self._running.pop(trial)
        # a trial costs an epoch even if it fails at once, so that the search ends though all do
        bracket.trained += max(len(curve), 1) - len(self.curves.get(trial, ()))
        self.curves[trial] = curve
        bracket.running -= 1
        loss = rounds.loss_at(curve, epochs)
        if epochs == bracket.round.end and math.isfinite(loss):
            self._reached.setdefault(epochs, []).append(trial)
            if epochs == self._rungs[-1] and (self.best is None or (loss, trial) < self.best[::-1]):
                self.best = trial, loss
        if not bracket.waiting and not bracket.running:
            self._go_on(bracket)

    @property
    def finished(self) -> bool:
        """Whether no bracket is open and the epochs left pay for none."""
        return not self._open and not self._affordable()

    @property
    def epochs(self) -> int:
        """Epochs trained so far."""
        return sum(map(len, self.curves.values()))

    def _next_bracket(self) -> _Bracket | None:
        """Return the oldest open bracket with a training that can start, or a new one; None if there is neither."""
        for bracket in self._open:
            if bracket.waiting:
                return bracket
        return self._begin() if self._affordable() else None

    def _affordable(self) -> list[int]:
        """Return the brackets that the epochs left pay for even if no trial of them stops."""
        return [s for s, cost in self._costs.items() if cost <= self._left]

    def _begin(self) -> _Bracket:
        """Open the next bracket."""
        s = self._choose(self._affordable())
        self.opened.append(s)
        self._left -= self._costs[s]
        bracket = _Bracket(self.schedule.brackets[s], self._costs[s])
        self._open.append(bracket)
        trials = list(islice(self._fresh, bracket.round.trials))
        if self.draw is not None:
            self.draw(trials)
        self._enter(bracket, trials)
        return bracket

    def _choose(self, affordable: Sequence[int]) -> int:
        ended = [self.curves[trial] for trial in self._reached.get(self._rungs[-1], ())]
        turn = [s for s in self._turn(len(ended)) if s in affordable and s not in self.opened]
        if turn:
            return turn[0]
        if self.settings.choice == "hyper-tune":
            return self._hyper_tune(affordable, ended)
        if len(ended) != self._promised[0]:
            known = bracket_choice.correlations(self._rungs, ended)
            self._promised = len(ended), bracket_choice.promises(self.schedule, known)
        found = self._promised[1]
        return min(affordable, key=lambda s: (found[s], -s))

    def _turn(self, ended: int) -> list[int]:
        """Return the brackets that run once before any is chosen, in their order, given how many trials ended."""
        if self.workers > self.settings.most_workers:
            return sorted(self._costs, reverse=True)
        order = bracket_choice.start_order(list(self._costs))
        fewest = self.settings.fewest_ended
        if self.settings.choice == "hyper-tune":
            fewest = max(fewest, bracket_choice.FEWEST)
        return order if ended < fewest else [s for s in order if s in STARTS]

    def _hyper_tune(self, affordable: Sequence[int], ended: Sequence[Curve]) -> int:
        brackets = {s: self.schedule.brackets[s] for s in affordable}
        if not ended:
            return affordable[0]
        weights = bracket_choice.hyper_tune_weights(brackets, bracket_choice.thetas(self._rungs, ended))
        # the same random numbers in every search
        return random.Random(len(self.opened)).choices(list(weights), list(weights.values()))[0]

    def _enter(self, bracket: _Bracket, competitors: list[str]) -> None:
        """Start the round of a bracket with its trials, the first of which teach where too few curves are known."""
        round_, settings = bracket.round, self.settings
        point = decision_point(round_.start, round_.end, settings.decision_fraction)
        full = len(competitors)
        if point < round_.end:
            full = min(full, max(0, settings.d - len(self._reached.get(round_.end, ()))))
        bracket.competitors, bracket.undecided = competitors, competitors[full:]
        trainings = [Training(trial, round_.end) for trial in competitors[:full]]
        trainings += [Training(trial, point) for trial in bracket.undecided]
        bracket.waiting = trainings[::-1]

    def _go_on(self, bracket: _Bracket) -> None:
        """Take the next step of a bracket that nobody trains: decide, promote or end."""
        round_ = bracket.round
        if bracket.undecided:
            going = self._decide(bracket)
            bracket.undecided = []
            bracket.waiting = [Training(trial, round_.end) for trial in going][::-1]
            if going:
                return
        reached = {trial: self.curves[trial] for trial in bracket.competitors}
        promoted = rounds.promote(round_, reached)
        last = bracket.index == len(bracket.rounds) - 1
        promoted = [] if last else self._may_win(promoted, round_.end)
        if not promoted:
            self._close(bracket)
            return
        bracket.index += 1
        self._enter(bracket, promoted)

    def _close(self, bracket: _Bracket) -> None:
        self._open.remove(bracket)
        self._left += bracket.cost - bracket.trained

    def _decide(self, bracket: _Bracket) -> list[str]:
        """Return the trials at the decision point that go on: those that may be promoted, and may end best."""
        round_ = bracket.round
        seen = decision_point(round_.start, round_.end, self.settings.decision_fraction)
        alive = [trial for trial in bracket.undecided if math.isfinite(rounds.loss_at(self.curves[trial], seen))]
        going = self._recorded(alive)
        if not self.recorded.is_all and (found := self._predict(alive, seen, round_.end)) is not None:
            others = [trial for trial in bracket.competitors if trial not in bracket.undecided]
            reached = [rounds.loss_at(self.curves[trial], round_.end) for trial in others]
            among = found.among_best([loss for loss in reached if math.isfinite(loss)], round_.promoted)
            likely = {trial for trial, chance in zip(alive, among, strict=True) if chance >= self.settings.round_chance}
            going = [trial for trial in going if trial in likely]
        self.stopped.update(set(alive) - set(going))
        return self._may_win(going, seen)

    def _may_win(self, trials: list[str], seen: int) -> list[str]:
        """Return the trials that may end better than the best one so far, seen up to an epoch."""
        going = self._recorded(trials)
        if not self.recorded.is_all and self.best is not None:
            found = self._predict(trials, seen, self._rungs[-1])
            chances_ = [1.0] * len(trials) if found is None else found.below(self.best[1])
            likely = {
                trial for trial, chance in zip(trials, chances_, strict=True) if chance >= self.settings.final_chance
            }
            going = [trial for trial in going if trial in likely]
        self.stopped.update(set(trials) - set(going))
        return going

    def _recorded(self, trials: Sequence[str]) -> list[str]:
        """Return the trials without those that were stopped before the search was killed."""
        return [trial for trial in trials if trial not in self.recorded.stopped]

    def _predict(self, trials: Sequence[str], seen: int, end: int) -> chances.Prediction | None:
        ended = [self.curves[trial] for trial in self._reached.get(end, ())]
        found = chances.predict([self.curves[trial] for trial in trials], seen, end, ended, self.settings.d)
        self.fits += found is not None
        return found

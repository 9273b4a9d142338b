"""The schedule of a search in rounds: its brackets and rounds, and the numbers of trials in each.

Everything here follows from the settings alone, before anything runs, in integer arithmetic: floating-point logarithms
give wrong round ends if R is a power of eta.

Sources: Hyperband, Li et al., JMLR 18 (2018), algorithm 1; Swift-Hyperband, García Amboage et al., EPJ Web of
Conferences 295, 12005 (2024), section 3. Where a paper leaves a rounding open, the authors' published epoch counts
settle it (3213 epochs for R = 100, eta = 2).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache

from swift_hyperband.search.settings import SwiftSettings

RoundKey = tuple[int, int]
"""(bracket, index of the round in it), both as the papers number them."""


@dataclass(frozen=True)
class Round:
    """One round of a bracket, as the schedule fixes it.

    Attributes
    ----------
    bracket, index : int
        Bracket s (s_max first) and round i (0 first).
    trials : int
        Number of trials, n_i and `extra` ones.
    start, end : int
        The epochs of its trials at its start and end, r_(i-1) and r_i.
    promoted : int
        Number of trials promoted to the next round (in the last round: the bracket's winner, 1).
    reference : int
        Number of trials, the first by rank, that set the threshold and give their curves to the predictors, m.
    decision_epoch : int or None
        The decision point p, or None if all trials train to the round's end.
    predictor : RoundKey or None
        The round whose predictor decides here: this one, or an earlier one with the same decision point and end.
    training_rounds : tuple of RoundKey
        The rounds, in order, whose reference curves train the predictor fitted here; empty if none is fitted here.
    extra : int
        Number of trials that Hyperband would not have.
    paying : int
        Number of partial trials, besides as many as the extra ones, that certainly stop at the decision point. Their
        saved epochs pay for the extra trials.
    budget : int or None
        Most epochs that all trials together train here; None where the schedule alone says how many they do.
    idle : bool
        Whether its predictor can never have enough curves to learn from, so that no prediction stops a trial.
    """

    bracket: int
    index: int
    trials: int
    start: int
    end: int
    promoted: int
    reference: int
    decision_epoch: int | None = None
    predictor: RoundKey | None = None
    training_rounds: tuple[RoundKey, ...] = ()
    extra: int = 0
    paying: int = 0
    budget: int | None = None
    idle: bool = False

    @property
    def is_thaw(self) -> bool:
        """Whether trials that were left behind go on in it, after all brackets."""
        return self.budget is not None

    @property
    def key(self) -> RoundKey:
        return self.bracket, self.index

    @property
    def full(self) -> int:
        """Number of trials that train to the round's end without a decision."""
        return self.trials if self.decision_epoch is None else self.reference

    @property
    def partial(self) -> int:
        """Number of trials that train to the decision point first."""
        return self.trials - self.full

    @property
    def least_completed(self) -> int:
        """Least number of partial trials that go on, to fill the next round."""
        return self.most_completed if self.idle else min(self.partial, max(0, self.promoted - self.full))

    @property
    def most_completed(self) -> int:
        """Most partial trials that go on: no more trials than Hyperband's train to the round's end."""
        return self.partial - self.extra - self.paying

    @property
    def epochs_hyperband(self) -> int:
        """Epochs that Hyperband trains in this round."""
        return (self.trials - self.extra) * (self.end - self.start)

    @property
    def epochs_worst(self) -> int:
        """Epochs trained in this round if as few trials as possible are stopped."""
        return self._epochs(self.most_completed)

    @property
    def epochs_best(self) -> int:
        """Epochs trained in this round if as many trials as possible are stopped."""
        return self._epochs(self.least_completed)

    def _epochs(self, completed: int) -> int:
        point = self.end if self.decision_epoch is None else self.decision_epoch
        to_point = self.partial * (point - self.start)
        return self.full * (self.end - self.start) + to_point + completed * (self.end - point)


@dataclass(frozen=True)
class Schedule:
    """All rounds of a search, bracket after bracket (s_max first, or bracket 0 if they run in turn).

    Attributes
    ----------
    max_epochs, eta : int
    rounds : tuple of Round
    taught_by_all : bool
        Whether predictors learn from all trials that trained to the end of earlier rounds, not from reference trials.
    thaw : Round or None
        The round after all brackets, in which trials that were left behind go on to the last epoch. It has a bracket
        number of its own, and is not counted among the rounds and brackets.
    in_turn : bool
        Whether brackets run one after another, as the configurations of each are drawn from the curves of all before.
    """

    max_epochs: int
    eta: int
    rounds: tuple[Round, ...]
    taught_by_all: bool = False
    thaw: Round | None = None
    in_turn: bool = False

    @property
    def all_rounds(self) -> tuple[Round, ...]:
        """The rounds of all brackets, and the one after them."""
        return self.rounds if self.thaw is None else (*self.rounds, self.thaw)

    @cached_property
    def by_key(self) -> dict[RoundKey, Round]:
        return {round_.key: round_ for round_ in self.all_rounds}

    @cached_property
    def brackets(self) -> dict[int, tuple[Round, ...]]:
        """Rounds by bracket, in the order of the schedule."""
        found: dict[int, list[Round]] = {}
        for round_ in self.rounds:
            found.setdefault(round_.bracket, []).append(round_)
        return {bracket: tuple(rounds) for bracket, rounds in found.items()}

    @cached_property
    def position(self) -> dict[RoundKey, int]:
        """The place of each round in the order of the schedule."""
        return {round_.key: place for place, round_ in enumerate(self.all_rounds)}

    @cached_property
    def teaching(self) -> frozenset[RoundKey]:
        """The rounds whose reference curves train a predictor, or set the threshold of their own decision."""
        deciding = {round_.key for round_ in self.rounds if round_.decision_epoch is not None}
        return frozenset(deciding | (set() if self.taught_by_all else self._training))

    @cached_property
    def taught(self) -> frozenset[RoundKey]:
        """The rounds whose finishers, all that trained to their end, train predictors of later brackets."""
        others = {key for round_ in self.rounds for key in round_.training_rounds if key != round_.key}
        return frozenset(others if self.taught_by_all else ())

    def drawn_after(self, bracket: int) -> list[int]:
        """Return the brackets from whose curves a model draws the configurations of a bracket; none if none does."""
        order = list(self.brackets)
        return order[: order.index(bracket)] if self.in_turn else []

    def most_curves(self, round_: Round) -> int:
        """Return the number of curves that train a round's predictor, at most."""
        rounds = [self.by_key[key] for key in round_.training_rounds]
        return sum(r.trials if r.key in self.taught and r.key != round_.key else r.reference for r in rounds)

    def idling(self, fewest: int) -> Schedule:
        """Return the schedule with the rounds marked that cannot have the fewest curves that a predictor needs."""
        too_few = {r.key for r in self.rounds if r.training_rounds and self.most_curves(r) < fewest}
        return replace(self, rounds=tuple(replace(r, idle=r.predictor in too_few) for r in self.rounds))

    @property
    def _training(self) -> set[RoundKey]:
        return {key for round_ in self.rounds for key in round_.training_rounds}

    @property
    def decides(self) -> bool:
        """Whether any round has a decision point."""
        return any(round_.decision_epoch is not None for round_ in self.rounds)

    @property
    def configurations(self) -> int:
        return sum(rounds[0].trials for rounds in self.brackets.values())

    @property
    def epochs_hyperband(self) -> int:
        """Epochs of Hyperband when each round continues the training of the one before."""
        return sum(round_.epochs_hyperband for round_ in self.rounds)

    @property
    def epochs_best(self) -> int:
        return sum(round_.epochs_best for round_ in self.rounds)

    def is_last(self, round_: Round) -> bool:
        """Whether a round ends its bracket."""
        return (round_.bracket, round_.index + 1) not in self.by_key


def s_max(max_epochs: int, eta: int) -> int:
    """Return the number of the most aggressive bracket, floor(log_eta R), in integers."""
    power, found = eta, 0
    while power <= max_epochs:
        power *= eta
        found += 1
    return found


def hyperband(max_epochs: int, eta: int, brackets: Collection[int] | None = None, *, in_turn: bool = False) -> Schedule:
    """Return the schedule of Hyperband.

    Parameters
    ----------
    max_epochs : int
        R, the most epochs that any trial trains; at least `eta`.
    eta : int
        One in `eta` trials is promoted from a round to the next; at least 2.
    brackets : collection of int, optional
        Which brackets to run, as numbers between 0 and s_max; all if left out.
    in_turn : bool
        Whether they run one after another, as in `Schedule`, bracket 0 first: curves from which configurations are
        drawn should not be those of trials that were chosen for beginning well, and bracket 0 chooses none.

    Raises
    ------
    ValueError
        If `eta` < 2, `max_epochs` < `eta` or a bracket does not exist.

    Notes
    -----
    Li et al. (2018), algorithm 1, rounded as in the published runs: n = ceil((s_max + 1) eta^s / (s + 1)),
    n_i = floor(n eta^-i), r_i = R eta^(i - s) rounded with halves to even.
    """
    if eta < 2:
        raise ValueError(f"eta must be at least 2, found {eta}")
    if max_epochs < eta:
        raise ValueError(f"max_epochs must be at least eta ({eta}), found {max_epochs}")
    top = s_max(max_epochs, eta)
    chosen = range(top + 1) if brackets is None else brackets
    if unknown := [s for s in chosen if not 0 <= s <= top]:
        raise ValueError(f"brackets must lie between 0 and {top} for these max_epochs and eta, found {unknown[0]}")
    rounds: list[Round] = []
    for s in sorted(set(chosen), reverse=not in_turn):
        n = -(-(top + 1) * eta**s // (s + 1))
        start = 0
        for i in range(s + 1):
            trials = n // eta**i
            end = round(Fraction(max_epochs, eta ** (s - i)))
            promoted = max(trials // eta, 1) if i < s else 1
            rounds.append(Round(s, i, trials, start, end, promoted, reference=trials))
            start = end
    return Schedule(max_epochs, eta, tuple(rounds), in_turn=in_turn)


def supply(once: Schedule, epochs: int) -> Schedule:
    """Return a schedule so often that its configurations suffice for so many epochs, whatever brackets they pay for.

    Every trial trains an epoch at least, so there are no more trials than epochs.
    """
    times, brackets = -(-epochs // once.configurations), max(once.brackets) + 1
    rounds = [
        replace(round_, bracket=round_.bracket + brackets * number) for number in range(times) for round_ in once.rounds
    ]
    return replace(once, rounds=tuple(rounds))


def random_search(max_epochs: int, eta: int, trials: int) -> Schedule:
    """Return the schedule of a random search: one round, in which every trial trains to the last epoch."""
    return Schedule(max_epochs, eta, (Round(0, 0, trials, 0, max_epochs, 1, reference=trials),))


def predicted_random_search(max_epochs: int, eta: int, trials: int, full: int, decision_fraction: float) -> Schedule:
    """Return the schedule of a random search with a predictor: one round, divided at its decision point.

    `full` of the trials train to the last epoch, set the threshold and train the predictor. The others train to
    `decision_fraction` of it, and go on if their prediction beats the threshold.

    Notes
    -----
    The straightforward approach of García Amboage et al. (2024), section 2: M configurations in full, N in part.
    """
    round_ = Round(0, 0, trials, 0, max_epochs, 1, reference=min(full, trials))
    point = decision_point(0, max_epochs, decision_fraction)
    if point < max_epochs and full < trials:
        round_ = replace(round_, decision_epoch=point, predictor=round_.key, training_rounds=(round_.key,))
    return Schedule(max_epochs, eta, (round_,))


def one_epoch_search(max_epochs: int, eta: int, trials: int, full: int) -> Schedule:
    """Return the schedule in which all trials train one epoch, and then the best, `full` of them, to the last epoch.

    Notes
    -----
    The baseline of Egele, Guyon, Sun and Balaprakash, Is one epoch all you need for multi-fidelity hyperparameter
    optimization?, ESANN 2023, arXiv 2307.15422.
    """
    best = min(full, trials)
    first = Round(0, 0, trials, 0, 1, best, reference=trials)
    return Schedule(max_epochs, eta, (first, Round(0, 1, best, 1, max_epochs, 1, reference=best)))


def random_trials(max_epochs: int, eta: int) -> int:
    """Return how many trials a random search trains with the epochs of Hyperband."""
    return hyperband(max_epochs, eta).epochs_hyperband // max_epochs


def predicted_random_trials(max_epochs: int, eta: int, full: int, settings: SwiftSettings) -> int:
    """Return how many trials a random search with a predictor draws for the epochs of Hyperband.

    `full` of them train to the last epoch, and `expected_share` of the others are expected to go on to it.
    """
    point = decision_point(0, max_epochs, settings.decision_fraction)
    left = hyperband(max_epochs, eta).epochs_hyperband - full * max_epochs
    return full + max(1, int(left / (point + (max_epochs - point) * settings.expected_share)))


def decision_point(start: int, end: int, fraction: float) -> int:
    """Return the epoch at a fraction, in (0, 1], of the way from one epoch to another; rounded up."""
    return start + ceil_share(fraction, end - start)


# asynchronous searches ask for the same few decision points again and again
@lru_cache(maxsize=4096)
def ceil_share(share: float, whole: int) -> int:
    """Return ceil(share * whole) for a share as it was written: 0.1 of 30 is 3, not ceil(3.0000000000000004)."""
    return math.ceil(Fraction(str(share)) * whole)

"""Which bracket of Hyperband to run next, by the agreement of each rung's ranks with those at the end.

Pure functions. A rung is an epoch at which a round ends. Early rungs with ranks like those at the end make brackets
promising that start many trials and promote few; where curves cross late, brackets with long first rounds win.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from swift_hyperband.predictors.features import Floats
from swift_hyperband.search.schedule import Round, Schedule

PRIOR, MOST = 8.0, 0.98
"""The prior of a correlation counts as much as so many curves; no correlation counts as larger than `MOST`."""

SIMULATED = 400
"""Simulated runs of each bracket."""

SHARE, SAVING = 0.4, 0.75
"""Brackets are compared by the best winner that this share of Hyperband's epochs pays for, where a bracket costs, with
trials stopped, so much of what it costs in Hyperband."""

SAMPLES, FEWEST = 100, 6
"""Bootstrap samples of the choice of Hyper-Tune, and the curves at the last epoch that it needs."""

Brackets = Mapping[int, Sequence[Round]]


def start_order(brackets: Sequence[int]) -> list[int]:
    """Return the order in which brackets run until enough is known: 3, 2, 4, 1, 5, 6, ... and 0 at last."""
    return [s for s in (3, 2, 4, 1, *range(5, max(brackets, default=0) + 1), 0) if s in brackets]


def prior(rung: int, max_epochs: int) -> float:
    """Return the rank correlation of a rung with the end that is expected before any curve is known."""
    return MOST * (math.log(rung) / math.log(max_epochs)) ** 2


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the rank correlation of values; 0 where one of them is always the same."""
    a, b = (_ranks(np.asarray(values, dtype=float)) for values in (first, second))
    a, b = a - a.mean(), b - b.mean()
    spread = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / spread if spread else 0.0


def _ranks(values: Floats) -> Floats:
    """Return ranks from 0; equal values share their mean rank."""
    ordered = np.sort(values)
    below, up_to = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((below + up_to - 1) / 2)


def shrunk(correlation: float, curves: int, expected: float) -> float:
    """Return a correlation measured on some curves, drawn towards the expected one in Fisher's transformation."""
    weight = max(curves - 3, 0)
    measured = math.atanh(min(max(correlation, -MOST), MOST))
    return math.tanh((weight * measured + PRIOR * math.atanh(expected)) / (weight + PRIOR))


def correlations(rungs: Sequence[int], ended: Sequence[Sequence[float]]) -> dict[int, float]:
    """Return the shrunk rank correlation of the losses at each rung with those at the last one.

    Parameters
    ----------
    rungs : sequence of int
        The ends of all rounds in ascending order; the last one is the last epoch.
    ended : sequence of sequence of float
        Curves that reached the last epoch.
    """
    end = rungs[-1]
    last = [curve[end - 1] for curve in ended]
    found = {end: 1.0}
    for rung in rungs[:-1]:
        measured = spearman([curve[rung - 1] for curve in ended], last) if ended else 0.0
        found[rung] = shrunk(measured, len(ended), prior(rung, end))
    return {rung: found[rung] for rung in rungs}


@cache
def _numbers(rungs: int, trials: int) -> Floats:
    """Return standard normal numbers for each rung of simulated trials, always the same."""
    return np.random.default_rng(0).standard_normal((rungs, SIMULATED, trials))


def winners(rounds: Sequence[Round], rank_correlations: Mapping[int, float], most: int) -> Floats:
    """Return the ends of the winners of simulated runs of a bracket, in standard deviations of all ends.

    Parameters
    ----------
    rounds : sequence of Round
    rank_correlations : mapping of int to float
        Of each rung with the end.
    most : int
        Most trials of any bracket; brackets share the random numbers of their first trials.

    Notes
    -----
    The losses at rungs are normal, and those at one rung follow from the next one's alone: then two rungs correlate as
    the ratio of their correlations with the end.
    """
    numbers = _numbers(len(rank_correlations), most)[:, :, : rounds[0].trials]
    losses = numbers[-1]
    by_rung, later = {rounds[-1].end: losses}, 1.0
    for number, rung in reversed(list(enumerate(list(rank_correlations)[:-1]))):
        rho = rank_correlations[rung]
        ratio = min(max(rho / later, -1.0), 1.0) if later else 0.0
        losses = ratio * losses + math.sqrt(1 - ratio * ratio) * numbers[number]
        by_rung[rung], later = losses, rho
    left = np.tile(np.arange(rounds[0].trials), (SIMULATED, 1))
    for round_ in rounds:
        order = np.argsort(np.take_along_axis(by_rung[round_.end], left, axis=1), axis=1, kind="stable")
        left = np.take_along_axis(left, order[:, : round_.promoted], axis=1)
    return np.asarray(np.take_along_axis(numbers[-1], left, axis=1)[:, 0])


def expected_best(values: Floats, draws: float) -> float:
    """Return the expected smallest of so many draws, not necessarily a whole number, from the given values."""
    beyond = 1 - np.arange(len(values) + 1) / len(values)
    return float(np.sort(values) @ -np.diff(beyond**draws))


def promises(schedule: Schedule, rank_correlations: Mapping[int, float]) -> dict[int, float]:
    """Return by bracket the expected end of the best winner that a share of Hyperband's epochs pays for."""
    paid = SHARE * schedule.epochs_hyperband / SAVING
    most = max(rounds[0].trials for rounds in schedule.brackets.values())
    return {
        s: expected_best(winners(rounds, rank_correlations, most), paid / cost(rounds))
        for s, rounds in schedule.brackets.items()
    }


def cost(rounds: Sequence[Round]) -> int:
    """Return the epochs of a bracket in Hyperband."""
    return sum(round_.epochs_hyperband for round_ in rounds)


def thetas(rungs: Sequence[int], ended: Sequence[Sequence[float]]) -> dict[int, float]:
    """Return for each rung how often it orders trials most like the end: Hyper-Tune's measure of a rung.

    Notes
    -----
    Li et al., Hyper-Tune: towards efficient hyper-parameter tuning at scale, VLDB 2022, section 4.1: theta is the share
    of samples in which a rung has the fewest misranked pairs. Their samples come from a model of the losses over
    hyperparameters. Here trials are drawn without a model, so they are bootstrap samples of the trials, and rungs with
    equally few pairs share a sample. The last rung has none.
    """
    losses = np.array([[curve[rung - 1] for rung in rungs] for curve in ended])
    samples = np.random.default_rng(0).integers(len(ended), size=(SAMPLES, len(ended)))
    # (trials, trials, rungs): whether a rung orders a pair unlike the end
    before = losses[:, None, :] < losses[None, :, :]
    misranked = before != before[:, :, -1:]
    counts = np.array([misranked[np.ix_(sample, sample)].sum(axis=(0, 1)) for sample in samples])
    least = counts == counts.min(axis=1, keepdims=True)
    share = (least / least.sum(axis=1, keepdims=True)).mean(axis=0)
    return {rung: float(found) for rung, found in zip(rungs, share, strict=True)}


def hyper_tune_weights(brackets: Brackets, theta: Mapping[int, float]) -> dict[int, float]:
    """Return the probability with which Hyper-Tune chooses each bracket: theta of its first rung, by its epochs."""
    weights = {s: theta[rounds[0].end] / rounds[0].end for s, rounds in brackets.items()}
    whole = sum(weights.values())
    return {s: weight / whole if whole else 1 / len(weights) for s, weight in weights.items()}

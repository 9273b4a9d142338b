"""Forecasts of the last loss of trials that stand at different epochs, from the curves of all trials.

The chain of regressions goes from rung to rung. Each regression learns from every curve that reached its end, also from
those that were promoted because they were good. That is no bias: a promotion depends on the losses at the rung, and
these are what the regression is given. Curves end early, never late, so the chain of regressions on all curves that
reached each rung is the estimate that a model of whole curves with missing ends gives (Rubin, Biometrika 63, 1976:
missing at random; Little and Rubin, Statistical Analysis with Missing Data, section 7.2: monotone missingness).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from swift_hyperband.predictors.features import Floats
from swift_hyperband.predictors.linear import Regression, before

LEAST_VARIANCE = 1e-300
"""So that a forecast has a distance from a loss in standard errors."""


@dataclass(frozen=True)
class Forecast:
    """The loss that a trial would have at the last epoch: normally distributed, or its logarithm is.

    Attributes
    ----------
    mean, sigma : float
        Of the loss, or of its logarithm.
    log : bool
    """

    mean: float
    sigma: float
    log: bool

    @property
    def loss(self) -> float:
        """The median."""
        return math.exp(min(self.mean, 700.0)) if self.log else self.mean

    def chance(self, loss: float) -> float:
        """Return the probability of ending below a loss."""
        return 0.5 * math.erfc(-self._distance(loss) / math.sqrt(2))

    def improvement(self, loss: float) -> float:
        """Return the expected improvement over a loss, in the units of `mean` (Jones, Schonlau, Welch 1998)."""
        x = self._distance(loss)
        return self.sigma * (x * self.chance(loss) + math.exp(-x * x / 2) / math.sqrt(2 * math.pi))

    def _distance(self, loss: float) -> float:
        return ((math.log(loss) if self.log else loss) - self.mean) / self.sigma


def forecasts(curves: Mapping[str, Sequence[float]], rungs: Sequence[int], fewest: int) -> dict[str, Forecast]:
    """Forecast the last loss of each trial that has not reached it.

    Parameters
    ----------
    curves : mapping of str to sequence of float
        Finite losses of trials by epoch.
    rungs : sequence of int
        The ends of all rounds, in ascending order; the last is the last epoch.
    fewest : int
        Fewest curves from which a regression learns.

    Returns
    -------
    dict of str to Forecast
        Without trials of which nothing can be said, as too few curves reached a rung ahead of them.
    """
    length = rungs[-1]
    table = np.full((len(curves), length), np.nan)
    for row, curve in zip(table, curves.values(), strict=True):
        row[: len(curve)] = curve[:length]
    log = bool((table[np.isfinite(table)] > 0).all())
    chain = _Chain(np.log(table) if log else table, rungs, fewest)
    lengths = [len(curve) for curve in curves.values()]
    found: dict[int, Forecast] = {}
    for seen in set(lengths):
        rows = [row for row, length in enumerate(lengths) if length == seen]
        found |= {row: Forecast(*end, log) for row, end in zip(rows, chain.ends(rows, seen), strict=False)}
    return {trial: found[row] for row, trial in enumerate(curves) if row in found}


@dataclass
class _Chain:
    """Regressions from rung to rung, each fitted when it is first needed."""

    table: Floats
    rungs: Sequence[int]
    fewest: int

    def __post_init__(self) -> None:
        self._fits: dict[tuple[int, int, int], Regression | None] = {}

    def ends(self, rows: Sequence[int], seen: int) -> list[tuple[float, float]]:
        """Return mean and standard error of the last value of rows that were all seen for some epochs.

        Nothing is returned where nothing can be said.
        """
        if not 0 < seen < self.rungs[-1]:
            return []
        first = before(seen)
        state = _State.of(self.table[rows, first - 1], self.table[rows, seen - 1])
        for rung in [rung for rung in self.rungs if rung > seen]:
            regression = self._fit(first, seen, rung)
            if regression is None:
                return []
            state = state.after(regression)
            first, seen = seen, rung
        # no error at all where all curves are alike
        return list(zip(state.last.tolist(), np.sqrt(np.maximum(state.variance, LEAST_VARIANCE)).tolist(), strict=True))

    def _fit(self, first: int, seen: int, end: int) -> Regression | None:
        key = first, seen, end
        if key not in self._fits:
            curves = self.table[np.isfinite(self.table[:, end - 1])][:, [first - 1, seen - 1, end - 1]]
            self._fits[key] = Regression.of(*curves.T) if len(curves) >= self.fewest else None
        return self._fits[key]


@dataclass(frozen=True)
class _State:
    """The values of trials at two epochs, with their variances and covariance, shape (n,) each."""

    first: Floats
    last: Floats
    first_variance: Floats
    covariance: Floats
    variance: Floats

    @classmethod
    def of(cls, first: Floats, last: Floats) -> _State:
        """Return the state of trials whose values are known."""
        return cls(first, last, *[np.zeros(len(first))] * 3)

    def after(self, regression: Regression) -> _State:
        """Return the state one rung later: at the last epoch of this one and at the new one."""
        by_last, by_change = regression.slopes(self.first, self.last)
        # the new value is a linear function of both, with an error of its own
        by_first, by_last = -by_change, 1.0 + by_last + by_change
        error = regression.variance * (1 + regression.design.leverage(self.first, self.last))
        new = self.last + regression.change(self.first, self.last)
        covariance = by_first * self.covariance + by_last * self.variance
        variance = (
            by_first * (by_first * self.first_variance + by_last * self.covariance) + by_last * covariance + error
        )
        return _State(self.last, new, self.variance, covariance, variance)

"""The chances of trials: to be among the best of their round, and to end better than the best trial so far.

Pure functions. Values are losses, or their logarithms where all losses are positive.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from swift_hyperband.predictors.features import Floats
from swift_hyperband.predictors.linear import Regression, before
from swift_hyperband.search import Curve

DRAWS = 400
"""Draws of the losses of a round, always the same ones."""


@dataclass(frozen=True)
class Prediction:
    """The losses of trials at a later epoch: normally distributed, or their logarithms are.

    Attributes
    ----------
    means, sigmas : arrays of shape (n,)
    log : bool
    """

    means: Floats
    sigmas: Floats
    log: bool

    def value(self, loss: float) -> float:
        """Return a loss in the units of the means."""
        return math.log(max(loss, 1e-300)) if self.log else loss

    def below(self, loss: float) -> list[float]:
        """Return the chance of each trial to have less than a loss."""
        value = self.value(loss)
        return [
            _below(value - mean, sigma) for mean, sigma in zip(self.means.tolist(), self.sigmas.tolist(), strict=True)
        ]

    def among_best(self, reached: Sequence[float], places: int) -> list[float]:
        """Return the chance of each trial to be one of the `places` best beside trials with known losses."""
        if len(self.means) + len(reached) <= places:
            return [1.0] * len(self.means)
        errors = np.random.default_rng(0).standard_normal((DRAWS, len(self.means)))
        drawn = self.means + self.sigmas * errors
        known = np.broadcast_to([self.value(loss) for loss in reached], (DRAWS, len(reached)))
        last = np.partition(np.hstack((drawn, known)), places - 1, axis=1)[:, places - 1 : places]
        found: list[float] = (drawn <= last).mean(axis=0).tolist()
        return found


def predict(curves: Sequence[Curve], seen: int, end: int, ended: Sequence[Curve], fewest: int) -> Prediction | None:
    """Predict the losses at epoch `end` of curves seen to an earlier epoch.

    Parameters
    ----------
    curves : sequence of sequence of float
        Finite at epoch `seen`.
    seen, end : int
    ended : sequence of sequence of float
        Curves that reached epoch `end`, from which the regression learns.
    fewest : int
        With fewer of them nothing is predicted.
    """
    epochs = [before(seen) - 1, seen - 1, end - 1]
    known = np.array([[curve[epoch] for epoch in epochs] for curve in ended])
    known = known[np.isfinite(known).all(axis=1)] if len(known) else known
    if len(known) < fewest or not curves:
        return None
    new = np.array([[curve[epoch] for epoch in epochs[:2]] for curve in curves])
    log = bool((known > 0).all() and (new > 0).all())
    if log:
        known, new = np.log(known), np.log(new)
    regression = Regression.of(*known.T)
    means = new[:, 1] + regression.change(*new.T)
    return Prediction(means, np.full(len(means), math.sqrt(regression.variance)), log)


def _below(distance: float, sigma: float) -> float:
    """Return the chance of a normal number with mean 0 to be below a distance."""
    return 0.5 * math.erfc(-distance / sigma / math.sqrt(2)) if sigma else float(distance > 0)

"""Ridge regression of the change of a curve on its last value and on its latest change: few curves, honest errors.

A curve is seen at two epochs, `before` and `seen`. The regression predicts the change from `seen` to a later epoch. All
of it is in closed form, the errors of leaving out each curve as well, so a fit takes microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from swift_hyperband.predictors.features import Floats, quartiles

RIDGE = 1.0
"""Weight of the squared coefficients, of features with quartiles one unit apart."""

MEAN_CLIP, LEVERAGE_CLIP = 3.0, 30.0
"""Features count for a prediction, and for its error, up to so many units: nothing is known farther out."""

MANY = 20
"""From so many curves on, the largest twentieth of the errors counts as the next smaller one."""


def before(seen: int) -> int:
    """Return the epoch from which a curve's latest change counts: half of the epochs seen."""
    return max(seen // 2, 1)


def first_and_last(curves: Floats) -> tuple[Floats, Floats]:
    """Return the values of curves, shape (n, epochs seen), between which their latest change lies."""
    return curves[:, before(curves.shape[1]) - 1], curves[:, -1]


@dataclass(frozen=True)
class Design:
    """The features of curves: 1, the last value, and the change before it, both shifted and scaled.

    Attributes
    ----------
    shift, scale : arrays of shape (2,)
        Medians and distances of the quartiles of the training curves.
    inverse : array of shape (3, 3)
        (X'X + ridge)^-1 of their features X.
    """

    shift: Floats
    scale: Floats
    inverse: Floats

    @classmethod
    def of(cls, first: Floats, last: Floats) -> Design:
        """Return the design for training curves with the values `first` and `last`, both of shape (n,)."""
        columns = np.column_stack((last, last - first))
        low, shift, high = quartiles(columns)
        spread = columns.std(axis=0)
        scale = np.where(high - low > 1e-3 * spread, high - low, spread)
        found = cls(shift, np.where(scale > 0, scale, 1.0), np.eye(3))
        x = found(first, last)
        return cls(found.shift, found.scale, np.asarray(np.linalg.inv(x.T @ x + np.diag([1e-9, RIDGE, RIDGE]))))

    def __call__(self, first: Floats, last: Floats, clip: float = MEAN_CLIP) -> Floats:
        """Return the features of curves, shape (n, 3)."""
        columns = (np.column_stack((last, last - first)) - self.shift) / self.scale
        return np.column_stack((np.ones(len(columns)), np.clip(columns, -clip, clip)))

    def leverage(self, first: Floats, last: Floats) -> Floats:
        """Return how little the training curves tell of curves, shape (n,): x' (X'X + ridge)^-1 x.

        A curve in the middle of n training curves has 1/n; one that is unlike all of them has much more.
        """
        x = self(first, last, LEVERAGE_CLIP)
        return np.asarray(np.einsum("ij,jk,ik->i", x, self.inverse, x))

    def to_dict(self) -> dict[str, Any]:
        return {"shift": self.shift.tolist(), "scale": self.scale.tolist(), "inverse": self.inverse.tolist()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Design:
        return cls(*(np.asarray(stored[name], dtype=float) for name in ("shift", "scale", "inverse")))


@dataclass(frozen=True)
class Regression:
    """The change of curves from one epoch to a later one.

    Attributes
    ----------
    design : Design
    coefficients : array of shape (3,)
    variance : float
        Mean squared error of leaving out each training curve, and a little more where these are few.
    """

    design: Design
    coefficients: Floats
    variance: float

    @classmethod
    def of(cls, first: Floats, last: Floats, ends: Floats) -> Regression:
        """Fit training curves with the values `first` and `last`, and `ends` at the later epoch, of shape (n,) each.

        Notes
        -----
        The error of leaving out curve i is its residual divided by 1 - h_i, with its leverage h_i among the clipped
        features. The factor 1 + 2/n stands for the two coefficients that the errors do not see change.
        """
        design = Design.of(first, last)
        x, change, n = design(first, last), ends - last, len(ends)
        coefficients = design.inverse @ (x.T @ change)
        hat = np.einsum("ij,jk,ik->i", x, design.inverse, x)
        errors = np.abs(change - x @ coefficients) / np.maximum(1 - hat, 0.05)
        if n >= MANY:
            errors = np.minimum(errors, np.quantile(errors, 0.95))
        return cls(design, coefficients, float(np.mean(errors**2) * (1 + 2 / n)))

    def change(self, first: Floats, last: Floats) -> Floats:
        """Return the predicted change of curves, shape (n,)."""
        return np.asarray(self.design(first, last) @ self.coefficients)

    def slopes(self, first: Floats, last: Floats) -> tuple[Floats, Floats]:
        """Return the derivatives of the change by the last value and by the change before it, shape (n,) each."""
        columns = (np.column_stack((last, last - first)) - self.design.shift) / self.design.scale
        slopes = np.where(np.abs(columns) < MEAN_CLIP, self.coefficients[1:] / self.design.scale, 0.0)
        return slopes[:, 0], slopes[:, 1]


@dataclass(frozen=True)
class Linear:
    """A fitted predictor of the value at a round's end.

    Attributes
    ----------
    regression : Regression
    """

    regression: Regression

    @property
    def sigma(self) -> float:
        """Standard error of leaving out each training curve."""
        return float(np.sqrt(self.regression.variance))

    def sigmas(self) -> Iterator[float]:
        """Yield `sigma`, which is known."""
        yield self.sigma

    def predict(self, curves: Floats) -> Floats:
        first, last = first_and_last(curves)
        return last + self.regression.change(first, last)

    def to_dict(self) -> dict[str, Any]:
        stored = {"coefficients": self.regression.coefficients.tolist(), "variance": self.regression.variance}
        return {"name": "linear", **stored, "design": self.regression.design.to_dict()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Linear:
        design, coefficients = Design.from_dict(stored["design"]), np.asarray(stored["coefficients"], dtype=float)
        return cls(Regression(design, coefficients, float(stored["variance"])))


def fit(curves: Floats, ends: Floats) -> Linear:
    """Fit finite curves of shape (n, epochs seen) and their ends of shape (n,)."""
    return Linear(Regression.of(*first_and_last(curves), ends))

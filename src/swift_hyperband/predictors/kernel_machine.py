"""A fitted support vector machine as plain arrays: predicts with numpy alone, stored as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from swift_hyperband.predictors.features import Floats, Scaling, features
from swift_hyperband.predictors.settings import PredictorSettings

_STORED = ("name", "target", "features", "scaling", "C", "nu")
"""Settings that predictor.json holds."""

ROUNDING = 1e-9
"""Share by which the sum of some squared errors may exceed that of all, as they are added in another order."""


@dataclass(frozen=True)
class KernelMachine:
    """f(x) = sum_i coefficients_i K(support_i, x) + intercept, with the RBF kernel K(a, b) = exp(-gamma |a - b|^2).

    Attributes
    ----------
    support : array of shape (n support vectors, features), scaled
    coefficients : array of shape (n support vectors,)
    intercept, gamma : float
    inputs, output : Scaling
        Of the features, and of the target (one column).
    standard_errors : callable
        Returns an iterator over lower bounds of the leave-one-out standard error, as a loss, and at last itself.
    """

    settings: PredictorSettings
    support: Floats
    coefficients: Floats
    intercept: float
    gamma: float
    inputs: Scaling
    output: Scaling
    standard_errors: Callable[[], Iterator[float]]

    @cached_property
    def sigma(self) -> float:
        """The leave-one-out standard error, as a loss."""
        *_, last = self.sigmas()
        return last

    def sigmas(self) -> Iterator[float]:
        """Yield lower bounds of `sigma`, and at last itself: the first, 0, costs nothing, each other one a fit."""
        yield from self._known
        for bound in self._further:
            self._known.append(bound)
            yield bound

    @cached_property
    def _known(self) -> list[float]:
        return [0.0]

    @cached_property
    def _further(self) -> Iterator[float]:
        return self.standard_errors()

    def predict(self, curves: Floats) -> Floats:
        x = self.inputs.apply(features(self.settings, curves))
        squares = ((x[:, None, :] - self.support[None, :, :]) ** 2).sum(axis=2)
        scaled = np.exp(-self.gamma * squares) @ self.coefficients + self.intercept
        target = self.output.undo(scaled[:, None])[:, 0]
        return target + curves[:, -1] if self.settings.target == "change" else target

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.settings.name,
            # the study holds how a QUBO was put and sampled
            "settings": {name: getattr(self.settings, name) for name in _STORED} | {"qsvr": None, "sampler": None},
            "support": self.support.tolist(),
            "coefficients": self.coefficients.tolist(),
            "intercept": self.intercept,
            "gamma": self.gamma,
            "inputs": self.inputs.to_dict(),
            "output": self.output.to_dict(),
            "sigma": self.sigma,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> KernelMachine:
        settings = PredictorSettings(**{name: stored["settings"][name] for name in _STORED})
        inputs = Scaling.from_dict(stored["inputs"])
        return cls(
            settings=settings,
            support=np.asarray(stored["support"], dtype=float).reshape(-1, inputs.shift.size),
            coefficients=np.asarray(stored["coefficients"], dtype=float),
            intercept=stored["intercept"],
            gamma=stored["gamma"],
            inputs=inputs,
            output=Scaling.from_dict(stored["output"]),
            standard_errors=lambda: iter([float(stored["sigma"])]),
        )


class Solution(NamedTuple):
    """What fitting finds on scaled data; the attributes of the same names of `KernelMachine`."""

    support: Floats
    coefficients: Floats
    intercept: float
    gamma: float


Solve = Callable[[Floats, Floats], Solution]
"""Fits scaled features of shape (n, features) to a scaled target of shape (n,)."""


def train(
    settings: PredictorSettings,
    curves: Floats,
    ends: Floats,
    solve: Solve,
    standard_errors: Callable[[], Iterator[float]],
) -> KernelMachine:
    """Fit a machine to finite curves of shape (n, epochs seen) and their ends of shape (n,), in losses."""
    columns, target = features(settings, curves), _target(settings, curves, ends)
    inputs, output = Scaling.of(settings, columns), Scaling.of(settings, target)
    solution = solve(inputs.apply(columns), output.apply(target)[:, 0])
    return KernelMachine(
        settings=settings, inputs=inputs, output=output, standard_errors=standard_errors, **solution._asdict()
    )


def leave_one_out(settings: PredictorSettings, curves: Floats, ends: Floats, solve: Solve) -> Iterator[float]:
    """Yield lower bounds of the standard error of predicting each curve's end by all others, and at last itself.

    The errors known so far bound it from below, with room for rounding. The curves whose ends are farthest from the
    middle are left out first: their errors tend to be the largest. All n sets of others are scaled at once, as scaling
    is part of each fit.
    """
    n = len(ends)
    columns, target = features(settings, curves), _target(settings, curves, ends)
    # row i holds all indices but i
    others = np.arange(n - 1) + (np.arange(n - 1) >= np.arange(n)[:, None])
    all_columns, all_targets = columns[others], target[others]
    inputs, output = Scaling.of(settings, all_columns), Scaling.of(settings, all_targets)
    x, y = inputs.apply(all_columns), output.apply(all_targets)[..., 0]
    # beside others that all but agree, a curve may be farther than a number can tell: the kernel is 0 there
    with np.errstate(over="ignore"):
        left_out = inputs.apply(columns[:, None, :])
    scaled = np.empty((n, 1, 1))
    squared = 0.0
    for i in np.argsort(-np.abs(target[:, 0] - np.add.reduce(target[:, 0]) / n), kind="stable").tolist():
        if squared:
            yield math.sqrt(squared / n) * (1 - ROUNDING)
        solution = solve(x[i], y[i])
        with np.errstate(over="ignore"):
            squares = np.square(solution.support - left_out[i]).sum(axis=1)
        scaled[i] = np.exp(-solution.gamma * squares) @ solution.coefficients + solution.intercept
        error = float(scaled[i, 0, 0] * output.scale[i, 0] + output.shift[i, 0] - target[i, 0])
        squared += error * error
    # the last seen loss, where the change is predicted, stands on both sides
    errors = output.undo(scaled)[:, 0, 0] - target[:, 0]
    yield float(np.sqrt(np.mean(np.square(errors))))


def _target(settings: PredictorSettings, curves: Floats, ends: Floats) -> Floats:
    """Return what is predicted, shape (n, 1): the change to the round's end, or the loss there."""
    return (ends - curves[:, -1] if settings.target == "change" else ends)[:, None]

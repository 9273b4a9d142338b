"""A fitted support vector machine as plain arrays: predicts with numpy alone, stored as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from swift_hyperband.predictors.features import Floats, Scaling, features
from swift_hyperband.predictors.settings import PredictorSettings


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
    sigma : float
        Leave-one-out standard error, as a loss.
    """

    settings: PredictorSettings
    support: Floats
    coefficients: Floats
    intercept: float
    gamma: float
    inputs: Scaling
    output: Scaling
    sigma: float

    def predict(self, curves: Floats) -> Floats:
        x = self.inputs.apply(features(self.settings, curves))
        squares = ((x[:, None, :] - self.support[None, :, :]) ** 2).sum(axis=2)
        scaled = np.exp(-self.gamma * squares) @ self.coefficients + self.intercept
        target = self.output.undo(scaled[:, None])[:, 0]
        return target + curves[:, -1] if self.settings.target == "change" else target

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.settings.name,
            # what predicting needs; how a QUBO was put and sampled stands in the study
            "settings": asdict(replace(self.settings, qsvr=None, sampler=None)),
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
        settings = PredictorSettings(**stored["settings"])
        inputs = Scaling.from_dict(stored["inputs"])
        return cls(
            settings=settings,
            support=np.asarray(stored["support"], dtype=float).reshape(-1, inputs.shift.size),
            coefficients=np.asarray(stored["coefficients"], dtype=float),
            intercept=stored["intercept"],
            gamma=stored["gamma"],
            inputs=inputs,
            output=Scaling.from_dict(stored["output"]),
            sigma=stored["sigma"],
        )


class Solution(NamedTuple):
    """What fitting finds on scaled data; the attributes of the same names of `KernelMachine`."""

    support: Floats
    coefficients: Floats
    intercept: float
    gamma: float


Solve = Callable[[Floats, Floats], Solution]
"""Fits scaled features of shape (n, features) to a scaled target of shape (n,)."""


def train(settings: PredictorSettings, curves: Floats, ends: Floats, solve: Solve, sigma: float) -> KernelMachine:
    """Fit a machine to finite curves of shape (n, epochs seen) and their ends of shape (n,), in losses."""
    target = (ends - curves[:, -1] if settings.target == "change" else ends)[:, None]
    columns = features(settings, curves)
    inputs, output = Scaling.of(settings, columns), Scaling.of(settings, target)
    solution = solve(inputs.apply(columns), output.apply(target)[:, 0])
    return KernelMachine(settings=settings, inputs=inputs, output=output, sigma=sigma, **solution._asdict())


def leave_one_out(settings: PredictorSettings, curves: Floats, ends: Floats, solve: Solve) -> float:
    """Return the standard error of predicting each curve's end by the machine of all others, scaling included."""
    errors = []
    for i in range(len(ends)):
        others = train(settings, np.delete(curves, i, axis=0), np.delete(ends, i), solve, sigma=0.0)
        errors.append(float(others.predict(curves[i : i + 1])[0] - ends[i]))
    return float(np.sqrt(np.mean(np.square(errors))))

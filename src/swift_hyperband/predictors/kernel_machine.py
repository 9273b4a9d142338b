"""A fitted support vector machine as plain arrays: predicts with numpy alone, stored as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

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
            "settings": asdict(self.settings),
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

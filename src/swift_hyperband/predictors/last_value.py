"""The baseline: the last value of a curve is the prediction of its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from swift_hyperband.predictors.features import Floats
from swift_hyperband.predictors.settings import PredictorSettings


@dataclass(frozen=True)
class LastValue:
    """Predict the last seen loss plus one shift for all curves.

    Attributes
    ----------
    shift : float
        Median change of the training curves, or 0 where the value itself is the target.
    sigma : float
        Standard error of the training curves' leave-one-out predictions.
    """

    shift: float
    sigma: float

    def sigmas(self) -> Iterator[float]:
        """Yield `sigma`, which is known."""
        yield self.sigma

    def predict(self, curves: Floats) -> Floats:
        return np.asarray(curves[:, -1] + self.shift)

    def to_dict(self) -> dict[str, Any]:
        return {"name": "last-value", "shift": self.shift, "sigma": self.sigma}


def fit(settings: PredictorSettings, curves: Floats, ends: Floats) -> LastValue:
    """Fit the baseline to finite curves of shape (n, epochs seen) and their ends of shape (n,)."""
    changes = ends - curves[:, -1]
    if settings.target == "value":
        return LastValue(shift=0.0, sigma=float(np.sqrt(np.mean(changes**2))))
    others = np.array([np.median(np.delete(changes, i)) for i in range(len(changes))])
    return LastValue(shift=float(np.median(changes)), sigma=float(np.sqrt(np.mean((changes - others) ** 2))))

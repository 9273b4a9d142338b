"""Features, target and scaling of curves for predictors. Arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.predictors.settings import PredictorSettings

Floats = NDArray[np.float64]

TINY = 1e-50
"""Share of a column's spread that its quartiles must be apart to be its scale."""


def features(settings: PredictorSettings, curves: Floats) -> Floats:
    """Return the features of curves, both of shape (n, epochs seen).

    With "values" they are the losses; with "differences" the last seen loss, then the changes from epoch to epoch.
    """
    if settings.features == "values":
        return curves
    found = np.empty_like(curves)
    found[:, 0] = curves[:, -1]
    np.subtract(curves[:, 1:], curves[:, :-1], out=found[:, 1:])
    return found


def quartiles(columns: Floats) -> list[Floats]:
    """Return the quartiles of finite columns, shape (..., n, features), over n.

    As those of `np.quantile`, bit for bit, without its checks, which take most of its time: replays fit thousands of
    times.
    """
    places, parted = _places(columns.shape[-2])
    ordered = np.moveaxis(columns.copy(), -2, 0)
    ordered.partition(parted, axis=0)
    found = []
    for before, after, share in places:
        low, high = ordered[before], ordered[after]
        apart = high - low
        # from the nearer of the two
        found.append(high - apart * (1 - share) if share >= 0.5 else low + apart * share)
    return found


@cache
def _places(n: int) -> tuple[list[tuple[int, int, float]], NDArray[np.int64]]:
    """Return, for each quartile of n values in order, those beside it and how far it is from one to the other.

    Also at which places an order of the values is needed.
    """
    virtual = [(n - 1) * share for share in (0.25, 0.5, 0.75)]
    places = [(int(place), min(int(place) + 1, n - 1), place - int(place)) for place in virtual]
    return places, np.unique([0, n - 1, *(beside for place in places for beside in place[:2])])


@dataclass(frozen=True)
class Scaling:
    """A shift and a scale per column, both of shape (..., features); a column without spread is only shifted."""

    shift: Floats
    scale: Floats

    @classmethod
    def of(cls, settings: PredictorSettings, columns: Floats) -> Scaling:
        """Return the scaling of `columns`, shape (..., n, features): robust, or to [0, 1] as published."""
        if settings.scaling == "minmax":
            shift, scale = columns.min(axis=-2), np.ptp(columns, axis=-2)
        else:
            low, shift, high = quartiles(columns)
            scale = high - low
            if not scale.min() > TINY:
                # quartiles that all but agree, beside others that do not, would put these beyond what squares can hold
                spread = np.ptp(columns, axis=-2)
                scale = np.where(scale > TINY * spread, scale, spread)
        return cls(shift, np.where(scale > 0, scale, 1.0))

    def apply(self, columns: Floats) -> Floats:
        """Scale columns of shape (..., n, features)."""
        return np.asarray((columns - self.shift[..., None, :]) / self.scale[..., None, :])

    def undo(self, columns: Floats) -> Floats:
        """Scale columns of shape (..., n, features) back."""
        return np.asarray(columns * self.scale[..., None, :] + self.shift[..., None, :])

    def to_dict(self) -> dict[str, Any]:
        return {"shift": self.shift.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Scaling:
        return cls(np.asarray(stored["shift"]), np.asarray(stored["scale"]))

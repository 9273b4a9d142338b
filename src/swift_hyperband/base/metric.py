"""A metric, and the loss that searches decide on.

A *value* is the metric as the target reports it; a *loss* is the value where the metric is minimised and its negative
where it is maximised, so that a smaller loss is always better. Training diverged where a value is not finite. Such a
value is null in files and nan in memory; a decision counts it as an infinite loss (`search.rounds.loss_at`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Mode = Literal["min", "max"]

Numbers = TypeVar("Numbers", float, "NDArray[np.float64]")

RESERVED = ("epoch", "seconds")
"""Keys of a row of a learning curve that are not metrics."""


@dataclass(frozen=True)
class Metric:
    """The metric of a search.

    Attributes
    ----------
    name : str
        As the target reports it.
    mode : {"min", "max"}
        Whether it is minimised or maximised.
    """

    name: str
    mode: Mode

    @property
    def minimised(self) -> bool:
        return self.mode == "min"

    @property
    def better(self) -> str:
        """Return which values are better, for people."""
        return f"{'smaller' if self.minimised else 'larger'} is better"

    def loss(self, value: Numbers) -> Numbers:
        """Return the loss of a value, or of an array of values."""
        return value * (1.0 if self.minimised else -1.0)

    def value(self, loss: Numbers) -> Numbers:
        """Return the value of a loss, or of an array of losses."""
        return loss * (1.0 if self.minimised else -1.0)


def to_json(number: float | None) -> float | None:
    """Return a number as files hold it: null where it is not finite."""
    return number if number is not None and math.isfinite(number) else None


def from_json(number: float | None) -> float:
    """Return a number that a file holds: nan for null."""
    return math.nan if number is None else number

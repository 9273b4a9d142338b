"""A metric, and the loss that searches decide on.

A *value* is the metric as the target reports it; a *loss* is the value where the metric is minimised and its negative
where it is maximised, so that a smaller loss is always better. Training diverged where a value is not finite. Such a
value is null in files and nan in memory; a decision counts it as an infinite loss (`search.rounds.loss_at`).

Files hold values. Searches get curves of losses from `Metric.losses`, the one place that knows whether the last epoch
of a trial counts or its best one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Mode = Literal["min", "max"]
At = Literal["last", "best"]

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
    at : {"last", "best"}
        Which epoch of a trial counts: the last one that it trained, or its best one up to there.
    """

    name: str
    mode: Mode
    at: At = "last"

    @classmethod
    def of_target(cls, target: Mapping[str, Any]) -> Self:
        """Return the metric that the section `target` of a frozen study names."""
        # studies that were frozen before the key existed count the last epoch
        return cls(target["metric"], target["mode"], target.get("metric_at", "last"))

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

    def losses(self, values: Iterable[float | None]) -> list[float]:
        """Return the curve of losses that searches get for a curve of values.

        At the best epoch, the loss of each epoch is the smallest one up to it. A value that is not finite has an
        infinite loss, and so has everything after it: such a trial diverged, however good it was before.
        """
        found = [self.loss(value) if value is not None and math.isfinite(value) else math.inf for value in values]
        return found if self.at == "last" else list(accumulate(found, _best_so_far))

    def epoch(self, values: Sequence[float | None]) -> int:
        """Return the epoch of a curve of values that counts, from 1; the first of equal ones; 0 if there is none."""
        if self.at == "last":
            return len(values)
        finite = {epoch: self.loss(value) for epoch, value in enumerate(map(from_json, values), 1)}
        return min((epoch for epoch in finite if math.isfinite(finite[epoch])), key=finite.__getitem__, default=0)


def _best_so_far(best: float, loss: float) -> float:
    return min(best, loss) if math.isfinite(max(best, loss)) else math.inf


def to_json(number: float | None) -> float | None:
    """Return a number as files hold it: null where it is not finite."""
    return number if number is not None and math.isfinite(number) else None


def from_json(number: float | None) -> float:
    """Return a number that a file holds: nan for null."""
    return math.nan if number is None else number

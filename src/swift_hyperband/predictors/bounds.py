"""Bounds for losses that exploded and are still finite, so that no predictor learns from them.

A support vector regression and its standard error follow the farthest curve: one loss of 1e30 makes all other curves
look alike, and the square of 1e155 is not finite. Such curves count as diverged in the fit and its standard error. A
trial outside the bounds at a decision point is expected to stay where it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from swift_hyperband.predictors.features import Floats
from swift_hyperband.predictors.linear import Design, first_and_last

LARGEST = 1e100
"""Every loss beyond it is outside: squares and sums of squares must be finite."""

TINY_LOSS = 1e-300
"""Stands for smaller losses where logarithms are learned."""


@dataclass(frozen=True)
class Bounds:
    """The range of losses, both ends included, that are not outside."""

    low: float = -np.inf
    high: float = np.inf

    def outside(self, losses: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which losses are outside."""
        return np.asarray((losses < self.low) | (losses > self.high))

    @classmethod
    def of(cls, losses: Floats, far: float) -> Bounds:
        """Return the bounds that losses of shape (n,), of one epoch, set for each other and for those of other trials.

        Notes
        -----
        With the better half x_1 <= ... <= x_h, h = ceil(n / 2), the upper bound is x_h + far max(x_h - x_1, |x_h|): at
        least half of the losses are never outside, however bad the others are, and neither units nor a shift of the
        order of the losses matter. If the better half is all 0 there is no scale. The lower bound is the same for
        negated losses, each without what is beyond the other.
        """
        finite = np.sort(losses[np.abs(losses) <= LARGEST])
        if not finite.size:
            return cls(-LARGEST, LARGEST)
        low = -_beyond(-finite[finite <= _beyond(finite, far)][::-1], far)
        return cls(low, _beyond(finite[finite >= low], far))

    @classmethod
    def of_ends(cls, ends: Floats, seen: Bounds, far: float) -> Bounds:
        """Return the bounds at the round's end, given those of the same curves at the decision point.

        Losses outside the bounds there are outside at the end as well. Else exploded losses would set the bounds if
        most curves explode in between.
        """
        own = cls.of(ends, far)
        return cls(own.low, min(own.high, seen.high))


def _beyond(ordered: Floats, far: float) -> float:
    """Return the upper bound for losses in order, at least one."""
    middle = float(ordered[(len(ordered) - 1) // 2])
    scale = max(middle - float(ordered[0]), abs(middle))
    return min(middle + far * scale, LARGEST) if scale > 0 else LARGEST


def outside(curves: Floats, ends: Floats, far: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which of finite curves, shape (n, epochs seen), with their ends, shape (n,), stand outside anywhere."""
    table = np.column_stack((curves, ends))
    found = np.zeros(len(ends), dtype=bool)
    size = np.abs(table)
    if not size.size or (size.max() <= LARGEST and size.max() / (far / 2) <= size.min()):
        # nothing can be so far apart: every scale is at least the smallest loss. Replays fit thousands of times
        return found
    bounds = [Bounds.of(losses, far) for losses in curves.T]
    for losses, within in zip(table.T, [*bounds, Bounds.of_ends(ends, bounds[-1], far)], strict=True):
        found |= within.outside(losses)
    return found


class Machine(Protocol):
    """A machine fitted to the curves that are not outside."""

    @property
    def sigma(self) -> float: ...

    def sigmas(self) -> Iterator[float]: ...

    def predict(self, curves: Floats) -> Floats: ...

    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Bounded:
    """A fitted machine, and where it can be asked.

    Attributes
    ----------
    machine : Machine
    seen, end : Bounds
        Of the last seen loss, and of that at the round's end.
    log : bool
        Whether the machine learned logarithms of losses.
    unit : float
        The loss of which its standard error is a share then; 1 otherwise.
    design : Design or None
        Of the training curves, where each prediction has its own standard error.
    """

    machine: Machine
    seen: Bounds
    end: Bounds
    log: bool = False
    unit: float = 1.0
    design: Design | None = None

    @property
    def sigma(self) -> float:
        """Standard error of the machine, as a loss."""
        return self.machine.sigma * self.unit

    def sigmas(self) -> Iterator[float]:
        """Yield lower bounds of the standard error, and at last itself."""
        return (bound * self.unit for bound in self.machine.sigmas())

    def diverged(self, losses: Sequence[float], at_end: bool) -> list[bool]:
        """Return which losses, at the round's end or at the decision point, stand outside."""
        bounds = self.end if at_end else self.seen
        found: list[bool] = bounds.outside(np.asarray(losses, dtype=float)).tolist()
        return found

    def predict(self, curves: Floats | Sequence[Sequence[float]]) -> Floats:
        """Return what the machine predicts; the last seen loss where that stands outside, or nothing can be said."""
        return self.optimistic(curves, 0.0)

    def optimistic(self, curves: Floats | Sequence[Sequence[float]], margin: float) -> Floats:
        """Return predicted losses less `margin` standard errors; the last seen loss where nothing can be said."""
        curves = np.asarray(curves, dtype=float)
        # a curve may have been anywhere before
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            values = self._values(curves)
            found = self.machine.predict(values)
            known = np.isfinite(np.exp(found) if self.log else found)
            # n fits of some machines, which only a margin needs
            if margin > 0:
                found = found - margin * self._errors(values)
            if self.log:
                found = np.exp(found)
        last = curves[:, -1]
        return np.where(self.seen.outside(last) | ~known, last, found)

    def below(self, curves: Floats | Sequence[Sequence[float]], losses: Sequence[float]) -> Floats:
        """Return the probability of each curve to end below each loss, shape (n, losses), with normal errors.

        Where nothing can be said the last seen loss is taken for the end: 0 or 1.
        """
        curves = np.asarray(curves, dtype=float)
        ends = np.asarray(losses, dtype=float)
        last = curves[:, -1:]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            values = self._values(curves)
            missing = self._values(ends) - self.machine.predict(values)[:, None]
            distances = missing / np.broadcast_to(self._errors(values), len(curves))[:, None]
        chances = [0.5 * math.erfc(-distance / math.sqrt(2)) for distance in distances.ravel().tolist()]
        unknown = self.seen.outside(last) | np.isnan(distances)
        return np.where(unknown, last < ends, np.reshape(chances, distances.shape))

    def _values(self, losses: Floats) -> Floats:
        """Return losses as the machine learned them."""
        return np.log(np.maximum(losses, TINY_LOSS)) if self.log else losses

    def _errors(self, values: Floats) -> Floats | float:
        """Return the standard error of each prediction, or one for all.

        Notes
        -----
        sigma sqrt(1 + h), with the leverage h of a curve: the standard error of predicting one more value by a linear
        regression (Weisberg, Applied Linear Regression, section 2.8.3). For other machines it is a measure of how
        unlike the training curves a curve is, too.
        """
        if self.design is None:
            return self.machine.sigma
        return self.machine.sigma * np.sqrt(1 + self.design.leverage(*first_and_last(values)))

    def to_dict(self) -> dict[str, Any]:
        bounds = {"seen": [self.seen.low, self.seen.high], "end": [self.end.low, self.end.high]}
        design = None if self.design is None else self.design.to_dict()
        return self.machine.to_dict() | {"bounds": bounds, "log": self.log, "unit": self.unit, "leverage": design}

    @classmethod
    def of(
        cls,
        machine: Machine,
        curves: Floats,
        ends: Floats,
        far: float,
        log: bool = False,
        unit: float = 1.0,
        design: Design | None = None,
    ) -> Bounded:
        """Return a machine within the bounds that all finite training curves set, those that stand outside as well."""
        seen = Bounds.of(curves[:, -1], far)
        return cls(machine, seen, Bounds.of_ends(ends, seen, far), log, unit, design)

    @classmethod
    def from_dict(cls, machine: Machine, stored: Mapping[str, Any]) -> Bounded:
        """Return a stored machine within its bounds; one that was stored before there were bounds has none."""
        bounds = stored.get("bounds")
        if bounds is None:
            return cls(machine, Bounds(), Bounds())
        design = stored.get("leverage")
        return cls(
            machine,
            Bounds(*bounds["seen"]),
            Bounds(*bounds["end"]),
            bool(stored.get("log", False)),
            float(stored.get("unit", 1.0)),
            None if design is None else Design.from_dict(design),
        )

"""Means over seeds, with their 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from swift_hyperband.replay.runs import interval


class Mean(NamedTuple):
    """A mean over seeds.

    Attributes
    ----------
    mean : float
    half : float
        Half the width of its 95 % interval by Student's t; nan with fewer than two values.
    low, high : float
        The smallest and the largest value.
    """

    mean: float
    half: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Mean | None:
        """Return the mean of the finite values; None if there are none."""
        # a difference of values near the largest number may overflow
        known = [value for value in values if value is not None and math.isfinite(value)]
        return cls(*interval(known), min(known), max(known)) if known else None

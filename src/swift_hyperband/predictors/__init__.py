"""Predictors of the loss at a round's end from the first epochs of the curve, behind one protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from swift_hyperband.predictors.features import Floats


class Predictor(Protocol):
    """A fitted predictor."""

    @property
    def sigma(self) -> float:
        """Standard error of the predictions, from leaving out each training curve in turn."""

    def sigmas(self) -> Iterator[float]:
        """Yield lower bounds of `sigma`, ever larger ones, and at last itself.

        Each costs a fit. A decision that would be the same for every larger standard error needs no more of them.
        """

    def optimistic(self, curves: Floats | Sequence[Sequence[float]], margin: float) -> Floats:
        """Return the predicted losses, each less `margin` times its standard error, shape (n,)."""

    def below(self, curves: Floats | Sequence[Sequence[float]], losses: Sequence[float]) -> Floats:
        """Return the probability of each curve to be below each loss at the round's end, shape (n, losses)."""

    def predict(self, curves: Floats | Sequence[Sequence[float]]) -> Floats:
        """Return the predicted losses at the round's end, shape (n,), for curves of shape (n, epochs seen)."""

    def diverged(self, losses: Sequence[float], at_end: bool) -> list[bool]:
        """Return which losses, at the round's end or at the decision point, count as diverged: see `bounds`."""

    def to_dict(self) -> dict[str, Any]:
        """Return the predictor in JSON's types; `load` reads it back."""

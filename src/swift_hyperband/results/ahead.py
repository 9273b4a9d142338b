"""Epochs trained ahead of a search: which of a trial's epochs the search has asked for, and how many others."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swift_hyperband.results.history import RoundHistory


@dataclass(frozen=True)
class Ahead:
    """How many epochs were trained before the search asked for them.

    Attributes
    ----------
    used : int
        It has asked for them since.
    in_vain : int
        It has not, so far.
    """

    used: int = 0
    in_vain: int = 0

    @property
    def told(self) -> str | None:
        """In words; None where nothing was trained ahead."""
        return f"trained ahead: {self.used} used, {self.in_vain} in vain" if self != Ahead() else None

    @classmethod
    def of(cls, asked: int, trained: int, begun_ahead: Collection[int], taken: int = 0) -> Ahead:
        """Return those of a trial: of its trained epochs some began ahead, and so many were asked for so far.

        Epochs that were taken over from an earlier search are none of them.
        """
        return cls(sum(epoch <= min(asked, trained) for epoch in begun_ahead), max(0, trained - max(asked, taken)))

    @classmethod
    def sum(cls, found: Iterable[Ahead]) -> Ahead:
        """Return those of several trials."""
        every = list(found)
        return cls(sum(one.used for one in every), sum(one.in_vain for one in every))


def asked(rounds: Iterable[RoundHistory]) -> dict[str, int]:
    """Return the epoch to which the search has asked for each trial, given its rounds in their order.

    Rows beyond belong to no result: they depend on how many workers there are.
    """
    return {trial: found.goal(trial) for found in rounds for trial in found.competitors}

"""Searches: what to train next, given the curves so far. No files, no Snakemake, no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple, Protocol

Curve = Sequence[float]
"""A trial's losses at epochs 1, 2, ...; shorter than asked for, or not finite at its end, where training diverged."""


class Training(NamedTuple):
    """A request to train one trial until it has `epochs` epochs behind it."""

    trial: str
    epochs: int


class Search(Protocol):
    """An ask/tell search. Whoever drives it trains what it asks for and tells the curves, in any order.

    `ask` and `tell` alternate as workers become free: an asynchronous search decides what a worker does when it is
    free, a synchronous one has whole rounds to train. With one worker, `ask(1)` and `tell` in turn.
    """

    def ask(self, at_most: int | None = None) -> list[Training]:
        """Return trainings that can start now and were not returned before, the most urgent first.

        Nothing is returned while others must end first, and when the search is finished.

        Parameters
        ----------
        at_most : int, optional
            How many workers are free; all that can start if left out.
        """

    def tell(self, trial: str, curve: Curve) -> None:
        """Take the losses, from epoch 1, of a trial that was asked for."""

    @property
    def curves(self) -> Mapping[str, Curve]:
        """The curves told so far, by trial."""

    @property
    def finished(self) -> bool:
        """Whether nothing will be asked for any more."""

    @property
    def best(self) -> tuple[str, float] | None:
        """The winner so far among trials that reached the last epoch, with its loss there; None while there is none."""

    @property
    def epochs(self) -> int:
        """Epochs trained so far."""

    @property
    def stopped(self) -> Set[str]:
        """Trials that a prediction stopped, and that did not go on since."""

    @property
    def kill_risk(self) -> float | None:
        """Predicted chance that a stopped trial was the one that Hyperband would have chosen; None if not known."""

    @property
    def fits(self) -> int:
        """Predictors fitted so far."""

"""Verdicts that a search without rounds is given back when it is told its events again after a kill.

A prediction differs in its last digits from one kind of processor to another, and from one version of a library to the
next. So a search that goes on takes who was stopped from its journal, and predicts only what was not decided.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Protocol

from swift_hyperband.search import Search


@dataclass(frozen=True)
class Recorded:
    """The verdicts that followed from one curve.

    Attributes
    ----------
    stopped : set of str
        Trials that were stopped.
    is_all : bool
        Whether no other trial was. If not, the search was killed before it had noted all.
    """

    stopped: Set[str] = frozenset()
    is_all: bool = False

    def goes_on(self, trial: str) -> bool | None:
        """Return whether a trial went on; None if a prediction has to decide."""
        return False if trial in self.stopped else self.is_all or None


NOTHING = Recorded()


class DecidedSearch(Search, Protocol):
    """A search that can be told what it decided before."""

    recorded: Recorded

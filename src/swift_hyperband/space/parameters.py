"""Hyperparameters and the space that they span."""

from __future__ import annotations

import functools
import graphlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from swift_hyperband.space.constraints import Scalar, parse

When = Mapping[str, tuple[Scalar, ...]]
"""Condition: each named hyperparameter must have one of the given values."""


@dataclass(frozen=True)
class Float:
    """A real number between `low` and `high`, uniform in the value or in its logarithm."""

    low: float
    high: float
    log: bool = False
    when: When | None = None

    def at(self, u: float) -> float:
        """Return the value at `u` in [0, 1)."""
        if self.log:
            found = math.exp(math.log(self.low) + u * (math.log(self.high) - math.log(self.low)))
        else:
            found = self.low + u * (self.high - self.low)
        return min(max(found, self.low), self.high)

    def place(self, value: float) -> float:
        """Return where a value lies in [0, 1], the inverse of `at`."""
        if self.high == self.low:
            return 0.5
        if self.log:
            return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Int:
    """A whole number from `low` to `high`, both included, uniform in the value or in its logarithm."""

    low: int
    high: int
    log: bool = False
    when: When | None = None

    def at(self, u: float) -> int:
        """Return the value at `u` in [0, 1)."""
        if self.log:
            found = round(Float(self.low - 0.5, self.high + 0.5, log=True).at(u))
        else:
            found = self.low + math.floor(u * (self.high - self.low + 1))
        return min(max(found, self.low), self.high)

    def place(self, value: float) -> float:
        """Return the middle of the part of [0, 1] in which `at` gives a value."""
        if self.log:
            return Float(self.low - 0.5, self.high + 0.5, log=True).place(value)
        return (value - self.low + 0.5) / (self.high - self.low + 1)


@dataclass(frozen=True)
class Categorical:
    """One of `choices`, each as likely as the others."""

    choices: tuple[Scalar, ...]
    when: When | None = None

    def at(self, u: float) -> Scalar:
        """Return the choice at `u` in [0, 1)."""
        return self.choices[math.floor(u * len(self.choices))]


Hyperparameter = Float | Int | Categorical


class ConditionCycleError(ValueError):
    """Conditions lead back to where they start.

    Parameters
    ----------
    names : sequence of str
        Of the hyperparameters in the cycle, each depending on the next and the last on the first.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.first = names[0]
        named = [*names[:5], "..."] if len(names) > 5 else names
        super().__init__(" -> ".join([*named, self.first]))


@dataclass(frozen=True)
class Space:
    """Hyperparameters by name, and constraints on their values such as "num_filters * num_layers <= 200"."""

    hyperparameters: Mapping[str, Hyperparameter]
    constraints: tuple[str, ...] = ()

    @functools.cached_property
    def order(self) -> tuple[str, ...]:
        """The names, each after the names in its condition.

        Raises
        ------
        ConditionCycleError
            If conditions lead back to where they start.
        """
        graph = {name: list(keys.when or {}) for name, keys in self.hyperparameters.items()}
        try:
            return tuple(graphlib.TopologicalSorter(graph).static_order())
        except graphlib.CycleError as error:
            cycle = error.args[1][-1:0:-1]
            first = min(range(len(cycle)), key=lambda place: list(self.hyperparameters).index(cycle[place]))
            raise ConditionCycleError([*cycle[first:], *cycle[:first]]) from None

    def is_active(self, name: str, configuration: Mapping[str, Scalar]) -> bool:
        """Whether the condition of a hyperparameter holds, given the values of those in it."""
        when = self.hyperparameters[name].when or {}
        return all(other in configuration and configuration[other] in values for other, values in when.items())

    def constrained(self) -> Space:
        """Return the part of the space on which the constraints depend."""
        wanted = {name for text in self.constraints for name in parse(text)[1]}
        for name in reversed(self.order):
            if name in wanted:
                wanted.update(self.hyperparameters[name].when or ())
        return Space({name: keys for name, keys in self.hyperparameters.items() if name in wanted}, self.constraints)

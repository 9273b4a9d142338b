"""Checks of the options of built-in targets: one line for a mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import one_of, shown, suggestion


def check_names(target: str, configuration: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse hyperparameters that a target does not know."""
    for name in configuration:
        if name not in known:
            raise UserError(
                f"space: hyperparameters of {target} must be among {', '.join(known)}, found {name}"
                f"{suggestion(name, known)}"
            )


class Options:
    """A target's `target.options`, read one by one; unknown ones are refused at the end.

    Parameters
    ----------
    target : str
        Its name, for errors.
    given : mapping
    """

    def __init__(self, target: str, given: Mapping[str, Any]) -> None:
        self._target, self._given = target, given
        self._asked = ["data"]

    def whole(self, name: str, default: int | None, low: int = 1, high: int | None = None) -> int:
        """Return a whole number between two bounds; one without a default must be given."""
        value = self._value(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < low or (high is not None and value > high):
            bounds = f"of at least {low}" if high is None else f"from {low} to {high}"
            raise UserError(f"target.options.{name} must be a whole number {bounds}, found {shown(value)}")
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """Return a number between two bounds."""
        value = self._value(name, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise UserError(f"target.options.{name} must be a number from {low} to {high}, found {shown(value)}")
        return float(value)

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false."""
        value = self._value(name, default)
        if not isinstance(value, bool):
            raise UserError(f"target.options.{name} must be true or false, found {shown(value)}")
        return value

    def choice(self, name: str, values: Sequence[str]) -> str:
        """Return one of some words, of which the first is the default."""
        value = self._value(name, values[0])
        if value not in values:
            raise UserError(f"target.options.{name} must be {one_of(values)}, found {shown(value)}")
        return str(value)

    def end(self) -> None:
        """Refuse unknown options."""
        for name in self._given:
            if name not in self._asked:
                raise UserError(
                    f"target.options: {self._target} must not be given {name}; it knows {', '.join(self._asked)}"
                    f"{suggestion(name, self._asked)}"
                )

    def _value(self, name: str, default: Any) -> Any:
        self._asked.append(name)
        return self._given.get(name, default)

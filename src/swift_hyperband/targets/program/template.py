"""The words of a command, and their placeholders in braces, as in Python's format strings."""

from __future__ import annotations

import re
import shlex
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDEST = 200
"""Characters to which a format may fill a value up."""


@dataclass(frozen=True)
class Placeholder:
    """What stands in braces: {name} or {name:format}."""

    name: str
    format: str = ""

    def __str__(self) -> str:
        return f"{{{self.name}:{self.format}}}" if self.format else f"{{{self.name}}}"

    def misfit(self, values: Iterable[Any]) -> str | None:
        """Return why the format suits not all of the values; None if it does."""
        if self.format.endswith("c"):
            # a character by its number, which may be none
            return "one that makes a character of a number"
        if any(int(number) > WIDEST for number in re.findall(r"\d+", self.format)):
            return f"one that asks for more than {WIDEST} characters"
        for value in values if self.format else ():
            try:
                f"{value:{self.format}}".encode()
            except (ValueError, TypeError, OverflowError):
                return f"one that does not fit the value {value}"
        return None


def words(command: str | Sequence[str]) -> list[str]:
    """Return a command's words; no shell reads them."""
    return shlex.split(command) if isinstance(command, str) else list(command)


def placeholders(text: str) -> list[Placeholder]:
    """Return what stands in braces; doubled braces stand for themselves.

    Raises
    ------
    ValueError
        If a brace is left open, or what stands in braces has another form than {name} and {name:format}: what it is.
    """
    found = []
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        raise ValueError("a brace without its other half") from None
    for _, name, format_, conversion in parts:
        if name is None:
            continue
        if conversion or not re.fullmatch(r"\w+", name) or "{" in (format_ or ""):
            raise ValueError(f"{{{name}{'!' + conversion if conversion else ''}{':' + format_ if format_ else ''}}}")
        found.append(Placeholder(name, format_ or ""))
    return found


def in_braces(text: str) -> list[str]:
    """Return what looks like placeholders in a text that is not filled in."""
    return re.findall(r"(?<!\{)(\{\w+(?::[^{}]*)?\})(?!\})", text)


def filled(text: str, values: Mapping[str, Any]) -> str:
    """Return a text with values in the place of names in braces, with nothing where a name has no value."""
    parts = []
    for literal, name, format_, _ in string.Formatter().parse(text):
        parts.append(literal)
        if name is not None and name in values:
            parts.append(f"{values[name]:{format_}}" if format_ else str(values[name]))
    return "".join(parts)

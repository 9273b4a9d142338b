"""What users give to the Python interface, checked where it comes in: a mistake of type is one line, too."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import shown


def path(given: Any, what: str) -> Path:
    """Return a path that a user gave; `what` says of what.

    Raises
    ------
    UserError
        If it is none.
    """
    if not isinstance(given, str | Path) and not isinstance(found := _fspath(given), str):
        raise UserError(f"the path of {what} must be a text or a Path, found {shown(found)}")
    return Path(given)


def _fspath(given: Any) -> Any:
    return os.fspath(given) if isinstance(given, os.PathLike) else given


def workers(given: Any) -> int | None:
    """Return a number of workers, which may be one of numpy's; None if there is none given.

    Raises
    ------
    UserError
        If it is no whole number above 0.
    """
    if given is None:
        return None
    try:
        number = 0 if isinstance(given, bool) else operator.index(given)
    except TypeError:
        number = 0
    if number < 1:
        kind = "at least 1" if isinstance(given, int) and given < 1 else "a whole number"
        raise UserError(f"workers must be {kind}, found {shown(given)}")
    return number


def seconds(given: Any) -> float | None:
    """Return the seconds of an epoch, which may be a number of numpy's; None if there are none given.

    Raises
    ------
    UserError
        If it is no number above 0.
    """
    if given is None:
        return None
    try:
        number = math.nan if isinstance(given, str | bytes | bool) else float(given)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 < number < math.inf:
        raise UserError(f"seconds_per_epoch must be above 0, found {shown(given)}")
    return number


def values(method: str, given: Any) -> list[Any]:
    """Return the values of epochs as a list: of a list, an array, or whatever else has them in their order.

    Raises
    ------
    UserError
        If it is no such thing.
    """
    try:
        if not isinstance(given, str | bytes | Mapping | Set):
            return list(given)
    except TypeError:
        pass
    raise UserError(
        f"{method}: values must be a list with one value for each new epoch, such as [0.5], found {shown(given)}"
    )


def keys(given: Any, where: str) -> dict[str, Any]:
    """Return the keys of a study as a study file could have them.

    Raises
    ------
    UserError
        If it is no mapping.
    """
    if not isinstance(given, Mapping):
        raise UserError(
            f"{where}: must be a mapping with the keys of a study file, found {shown(given)}; "
            "a study file is read by Study.load"
        )
    return {key: _plain(value) for key, value in given.items()}


def _plain(value: Any) -> Any:
    """Return a value of YAML: of tuples, ranges, mappings, paths, and scalars and arrays of numpy."""
    if isinstance(value, Mapping):
        return {key: _plain(below) for key, below in value.items()}
    if hasattr(value, "tolist") and hasattr(value, "shape"):
        return _plain(value.tolist())
    if isinstance(value, list | tuple | range):
        return [_plain(below) for below in value]
    return _fspath(value)

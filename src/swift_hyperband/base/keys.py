"""Keys of the files that users write, as fields of plain dataclasses.

A dataclass is the only home of its keys: type, default, meaning and bounds. `study.section` makes the strict pydantic
model of a section from it. Jobs read the keys of a frozen study into the dataclass itself and import no pydantic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, field, fields, is_dataclass
from typing import Any, TypedDict, TypeVar, Unpack

T = TypeVar("T")


class Bounds(TypedDict, total=False):
    """Bounds of a number: at least, above, at most, below."""

    ge: float
    gt: float
    le: float
    lt: float


def key(
    default: T,
    description: str,
    *,
    check: Callable[[object], object] | None = None,
    **bounds: Unpack[Bounds],
) -> T:
    """Return the field of a dataclass that is a key.

    Parameters
    ----------
    default
        Its value where the file leaves it out. A dataclass with keys makes it a section.
    description : str
        Its meaning, with the unit.
    check : callable, optional
        Called with the value before its type is checked; returns it or raises `InvalidKeysError`.
    **bounds : float
        Of a number, or of the number among several types.
    """
    return field(default=default, metadata={"description": description, "check": check, "bounds": bounds})


def of(keys: type[Any]) -> dict[str, Field[Any]]:
    """Return the fields of a dataclass that are keys, by name."""
    return {found.name: found for found in fields(keys) if found.metadata}


def section(keys: type[Any], name: str) -> type[Any] | None:
    """Return the dataclass of the keys below a key; None where it is no section."""
    default = of(keys)[name].default
    return type(default) if is_dataclass(default) else None


def build(keys: type[T], values: Mapping[str, Any]) -> T:
    """Return a dataclass with the values of keys that were checked before, sections within it included."""
    below = {name: section(keys, name) for name in values}
    return keys(**{name: build(inner, values[name]) if (inner := below[name]) else values[name] for name in values})


def values(settings: Any) -> dict[str, Any]:
    """Return the values of the keys of a dataclass in JSON's types, sections as mappings."""
    keys = type(settings)
    found = {name: getattr(settings, name) for name in of(keys)}
    return {name: values(value) if section(keys, name) else value for name, value in found.items()}

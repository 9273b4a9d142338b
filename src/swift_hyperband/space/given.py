"""Configurations that a user gives: whether they lie in a space, and their values as draws have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from swift_hyperband.base.errors import Problem
from swift_hyperband.base.wording import one_of, path_of, shown, suggestion
from swift_hyperband.space.constraints import Scalar, holds
from swift_hyperband.space.parameters import Categorical, Float, Hyperparameter, Int, Space


def problems(space: Space, configuration: Mapping[str, Scalar]) -> list[Problem]:
    """Return why a configuration does not lie in a space: by hyperparameter, or with an empty name of it as a whole."""
    found = list(_problems(space, configuration))
    if not found:
        broken = [text for text in space.constraints if not holds(text, configuration)]
        found = [("", f"must keep the constraint '{text}', found {_values(configuration)}") for text in broken[:1]]
    return found


def _problems(space: Space, configuration: Mapping[str, Scalar]) -> Iterator[Problem]:
    for name in configuration:
        if name not in space.hyperparameters:
            yield name, f"names no hyperparameter of the space{suggestion(name, space.hyperparameters)}"
    for name, hyperparameter in space.hyperparameters.items():
        is_active = space.is_active(name, configuration)
        if is_active and name not in configuration:
            yield name, f"must be given, found nothing ({_range(hyperparameter)})"
        elif name in configuration and not is_active:
            why = ", ".join(f"{other} is not {one_of(values)}" for other, values in (hyperparameter.when or {}).items())
            yield name, f"must be left out, as it is not active where {why}; found {shown(configuration[name])}"
        elif name in configuration and _value(hyperparameter, configuration[name]) is None:
            yield name, f"must be {_range(hyperparameter)}, found {shown(configuration[name])}"


def mistakes(space: Space, configurations: Sequence[Mapping[str, Scalar]]) -> list[Problem]:
    """Return what is wrong with the first wrong one of several configurations, by its place: "[1].width"."""
    known: list[Mapping[str, Scalar]] = []
    for number, configuration in enumerate(configurations):
        if found := problems(space, configuration):
            return [(f"[{number}]" + (f".{path_of([name])}" if name else ""), text) for name, text in found]
        if (drawn := as_drawn(space, configuration)) in known:
            return [
                (f"[{number}]", f"must be another configuration than that of [{known.index(drawn)}], found the same")
            ]
        known.append(drawn)
    return []


def as_drawn(space: Space, configuration: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return a configuration that lies in a space, with the values and in the order that draws have.

    Raises
    ------
    ValueError
        If it does not lie in the space.
    """
    found: dict[str, Scalar] = {}
    for name, hyperparameter in space.hyperparameters.items():
        if name in configuration:
            value = _value(hyperparameter, configuration[name])
            if value is None:
                raise ValueError(f"{name} {configuration[name]!r}")
            found[name] = value
    return found


def _value(hyperparameter: Hyperparameter, value: Scalar) -> Scalar | None:
    """Return a value as the hyperparameter has it; None if it is none of its values."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match hyperparameter:
        case Float(low=low, high=high):
            return float(value) if is_number and low <= float(value) <= high else None
        case Int(low=low, high=high):
            return int(value) if is_number and value == int(value) and low <= int(value) <= high else None
        case Categorical(choices=choices):
            # true is equal to 1
            alike = (one for one in choices if one == value and isinstance(one, bool) == isinstance(value, bool))
            return next(alike, None)


def _range(hyperparameter: Hyperparameter) -> str:
    match hyperparameter:
        case Float(low=low, high=high):
            return f"a number from {shown(low)} to {shown(high)}"
        case Int(low=low, high=high):
            return f"a whole number from {low} to {high}"
        case Categorical(choices=choices):
            return one_of(choices)


def _values(configuration: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{name} {shown(value)}" for name, value in configuration.items())

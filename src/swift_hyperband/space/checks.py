"""Checks of conditions and constraints."""

from __future__ import annotations

from collections.abc import Mapping

from swift_hyperband.base.errors import Problem
from swift_hyperband.base.wording import one_of, shown, suggestion
from swift_hyperband.space.constraints import SPELLED, WORDS, Scalar, parse
from swift_hyperband.space.parameters import Categorical, ConditionCycleError, Float, Int, Space


def problems(space: Space) -> list[Problem]:
    """Return the problems of a space's conditions and constraints, by key."""
    found: list[Problem] = []
    choices = {
        name: frozenset(keys.choices) for name, keys in space.hyperparameters.items() if isinstance(keys, Categorical)
    }
    for name, hyperparameter in space.hyperparameters.items():
        for other, values in (hyperparameter.when or {}).items():
            if text := _condition_problem(space, choices, name, other, values):
                found.append((f"space.{name}.when.{other}", text))
    if not found:
        try:
            _ = space.order
        except ConditionCycleError as cycle:
            found.append((f"space.{cycle.first}.when", f"must not lead back to {cycle.first}, found {cycle}"))
    for number, constraint in enumerate(space.constraints):
        if text := _constraint_problem(space, constraint):
            found.append((f"constraints[{number}]", text))
    if space.constraints:
        needed = "must have another name, as it is a word of constraints; rename it"
        found += [(f"space.{name}", needed) for name in space.hyperparameters if name in (*WORDS, *SPELLED)]
    return found


def _condition_problem(
    space: Space, choices_of: Mapping[str, frozenset[Scalar]], name: str, other: str, values: tuple[Scalar, ...]
) -> str | None:
    if other == name:
        return "must name another hyperparameter, found itself"
    if other not in space.hyperparameters:
        return f"names no hyperparameter of the space{suggestion(other, space.hyperparameters)}"
    if not values:
        return "must hold at least one value, found none"
    match space.hyperparameters[other]:
        case Float():
            return f"must name a categorical or int hyperparameter, found the float {other}"
        case Int(low=low, high=high):
            for value in values:
                if isinstance(value, bool | str) or value not in range(low, high + 1):
                    return f"must be a whole number from {low} to {high}, found {shown(value)}"
        case Categorical(choices=choices):
            for value in values:
                if value not in choices_of[other]:
                    return f"must be {one_of(choices)}, found {shown(value)}{suggestion(value, choices)}"
    return None


def _constraint_problem(space: Space, constraint: str) -> str | None:
    try:
        _, names = parse(constraint)
    except ValueError as error:
        return str(error)
    for name in sorted(names):
        if name not in space.hyperparameters:
            hint = suggestion(name, space.hyperparameters)
            return f"must name hyperparameters of the space, found '{name}' in '{constraint}'{hint}"
    return None

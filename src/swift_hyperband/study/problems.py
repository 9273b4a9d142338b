"""Errors of pydantic as problems: the path of a key, the requirement and the value found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError
from pydantic_core import core_schema

from swift_hyperband.base.errors import InvalidKeysError, Problem
from swift_hyperband.base.wording import LONGEST_SHOWN, one_of, path_of, short, shown, suggestion

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def with_options(schema: core_schema.CoreSchema, model: type) -> core_schema.CoreSchema:
    """Return a model's schema whose errors list the options of a key as values. Those of pydantic list them as text."""
    return cast("core_schema.CoreSchema", _with_options(schema, model))


def _with_options(part: Any, model: type) -> Any:
    match part:
        # a section within this one, which has them already
        case {"type": "model", "cls": other} if other is not model:
            return part
        case {"type": "custom-error"}:
            return part
        # not a single option: pydantic chooses the model of a hyperparameter by it
        case {"type": "literal", "expected": [_, _, *_] as options}:
            return core_schema.custom_error_schema(
                part, "no_option", custom_error_message="no option", custom_error_context={"options": options}
            )
        case {"type": "tagged-union", "choices": choices, "discriminator": key}:
            about = {"options": list(choices), "key": key}
            custom = {"custom_error_type": "no_kind", "custom_error_message": "no kind", "custom_error_context": about}
            return {**part, **custom}
        case dict():
            return {name: _with_options(below, model) for name, below in part.items()}
        case list():
            return [_with_options(below, model) for below in part]
    return part


def problems(error: ValidationError) -> list[Problem]:
    """Return the problems that pydantic found, by key."""
    return [problem for detail in error.errors() for problem in _located(detail)]


def _located(detail: ErrorDetails) -> Iterator[Problem]:
    """Yield the problems of one error, with the keys of the file."""
    location = detail["loc"]
    if location[-1:] == ("[key]",):
        yield path_of(_keys(location[:-2])), f"must have text as keys, found {shown(detail['input'])}; put it in quotes"
        return
    path = path_of(_keys(location))
    for key, text in _problems(detail):
        dot = "." if path and key and not key.startswith("[") else ""
        yield f"{path}{dot}{key if len(key) <= 2 * LONGEST_SHOWN else short(key)}", text


def _keys(location: tuple[str | int, ...]) -> Sequence[str | int]:
    """Return the keys of the file for a place in the model."""
    # the third part is the type of the hyperparameter, which is no key of the file
    return (*location[:2], *location[3:]) if location[:1] == ("space",) else location


def _problems(detail: ErrorDetails) -> Sequence[Problem]:
    context: Mapping[str, Any] = detail.get("ctx", {})
    broken = context.get("error")
    if isinstance(broken, InvalidKeysError):
        return broken.problems
    value = detail["input"]
    match detail["type"]:
        case "no_option":
            return [("", _no_option(value, context["options"]))]
        case "no_kind" if not isinstance(value, Mapping):
            return [("", f"{_NEEDED['dict_type']}, found {shown(value)}")]
        case "no_kind":
            key = context["key"]
            return [(key, _no_option(value.get(key), context["options"]))]
        case "literal_error":
            # of a single option; more are told as no_option
            return [("", f"must be {context['expected'].strip(chr(39))}, found {shown(value)}")]
        case "string_type" if isinstance(value, int | float):
            return [("", f"must be text, found {shown(value)}; put it in quotes")]
        case "too_long":
            return [("", f"must hold at most {context['max_length']} entries, found {len(value)}")]
        case "string_too_short":
            return [("", f"must not be empty, found {shown(value)}; leave the key out")]
        case "too_short":
            return [("", "must hold at least one entry, found none")]
        case "int_type" if isinstance(value, float):
            return [("", f"must be a whole number, found {value}")]
    bounds = {name: shown(bound) for name, bound in context.items()}
    needed = _NEEDED.get(detail["type"], "must hold another value").format(**bounds)
    return [("", f"{needed}, found {shown(value)}")]


def _no_option(value: object, options: Sequence[object]) -> str:
    hint = suggestion(value, options) if value is not None else ""
    return f"must be {one_of(options)}, found {shown(value)}{hint}"


_NEEDED = {
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of keys",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be a whole number",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "model_attributes_type": "must be a mapping of keys",
    "model_type": "must be a mapping of keys",
    "string_type": "must be text",
}

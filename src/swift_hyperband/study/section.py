"""Sections of the study file: strict pydantic models, whose mistakes are one line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.fields import FieldInfo

from swift_hyperband.base.errors import InvalidKeysError, Problem
from swift_hyperband.base.wording import LONGEST_SHOWN, _short, one_line, one_of, path_of, shown, suggestion

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


LONGEST_LINE = 1000
"""Characters of a message, in which a name may be repeated that is not short."""


MOST_LINES = 20
"""Mistakes of one file that are told."""


def lines(error: ValidationError, where: str) -> list[str]:
    """Return one line for each problem that pydantic found in the file `where`."""
    return told([problem for detail in error.errors() for problem in _located(detail)], where)


def told(problems: Sequence[Problem], where: str) -> list[str]:
    """Return one line for each problem of the file `where`; of very many the first ones."""
    found = [
        f"{where}: {one_line(f'{key} {text}' if key else text)[:LONGEST_LINE]}" for key, text in problems[:MOST_LINES]
    ]
    if len(problems) > MOST_LINES:
        found.append(f"{where}: and {len(problems) - MOST_LINES} mistakes more")
    return found


def _located(detail: ErrorDetails) -> Iterator[Problem]:
    """Yield what is wrong by the keys of the file."""
    location = detail["loc"]
    if location[-1:] == ("[key]",):
        yield path_of(_keys(location[:-2])), f"must have text as keys, found {shown(detail['input'])}; put it in quotes"
        return
    path = path_of(_keys(location))
    for key, text in _problems(detail):
        dot = "." if path and key and not key.startswith("[") else ""
        yield f"{path}{dot}{key if len(key) <= 2 * LONGEST_SHOWN else _short(key)}", text


def _keys(location: tuple[str | int, ...]) -> Sequence[str | int]:
    """Return a place in the model as keys of the file."""
    # the third part is the type of the hyperparameter, which chose the model; no key of the file
    return (*location[:2], *location[3:]) if location[:1] == ("space",) else location


def _problems(detail: ErrorDetails) -> Sequence[Problem]:
    context: Mapping[str, Any] = detail.get("ctx", {})
    broken = context.get("error")
    if isinstance(broken, InvalidKeysError):
        return broken.problems
    value = detail["input"]
    match detail["type"]:
        case "union_tag_not_found" if not isinstance(value, Mapping):
            return [("", f"{_NEEDED['dict_type']}, found {shown(value)}")]
        case "union_tag_not_found":
            return [("type", "must be float, int or categorical, found nothing")]
        case "union_tag_invalid":
            options = context["expected_tags"].replace("'", "").split(", ")
            needed, value = f"must be {one_of(options)}", value["type"]
            return [("type", f"{needed}, found {shown(value)}{suggestion(value, options)}")]
        case "literal_error":
            options = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            return [("", f"must be {one_of(options)}, found {shown(value)}{suggestion(value, options)}")]
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


_NEEDED = {
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of keys",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "model_attributes_type": "must be a mapping of keys",
    "model_type": "must be a mapping of keys",
    "string_type": "must be text",
}


def _text(key: object) -> str:
    return path_of([key]) if isinstance(key, str) else shown(key)


def _not_given(field: FieldInfo) -> str:
    return f"must be given, found nothing ({(field.description or '').rstrip('.')})"


class Section(BaseModel):
    """A part of the study file: strict about types, and about keys, of which it tells typos first."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _know_the_keys(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            raise InvalidKeysError(("", f"must be a mapping of keys, found {shown(raw)}"))
        if unknown := [key for key in raw if key not in cls.model_fields][:MOST_LINES]:
            free = [key for key in cls.model_fields if key not in raw]
            if secret := [key for key in unknown if "token" in _text(key).lower()]:
                needed = "must not stand in a file; set the environment variable DWAVE_API_TOKEN instead"
                raise InvalidKeysError(*((_text(key), needed) for key in secret))
            keys = f"; the keys here are {', '.join(cls.model_fields)}"
            # a preset has filled some of those that are not free
            near = {key: suggestion(key, free) or suggestion(key, cls.model_fields) for key in unknown}
            raise InvalidKeysError(*((_text(key), f"is not a key{near[key] or keys}") for key in unknown))
        missing = [key for key, field in cls.model_fields.items() if field.is_required() and key not in raw]
        if missing:
            raise InvalidKeysError(*((key, _not_given(cls.model_fields[key])) for key in missing))
        return raw

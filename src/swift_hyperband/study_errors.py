"""How mistakes in a study file are told: one line each, with the key's path, what must hold and what was found."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Problem = tuple[str, str]
"""A key's path, below the checked part, and what is wrong with it: ("low", "must be below high (1), found 2")."""


class InvalidKeysError(ValueError):
    """Raised by the checks of the study's models; pydantic collects it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{key} {text}" for key, text in problems))
        self.problems = problems


def shown(value: object) -> str:
    """Return a value as a message shows it, in the words of YAML."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case str():
            return f"'{value}'" if len(value) <= 80 else f"'{value[:77]}...'"
        case Mapping():
            return "a mapping"
        case Sequence():
            return f"[{', '.join(shown(item) for item in value)}]" if len(value) <= 4 else f"a list of {len(value)}"
    return str(value)


def one_of(options: Iterable[object]) -> str:
    """Return options as a sentence lists them: a, b or c."""
    words = [option if isinstance(option, str) else shown(option) for option in options]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def suggestion(found: object, options: Iterable[object]) -> str:
    """Return "; did you mean x?" where an option is near to what was found, else nothing."""
    by_lower_case = {str(option).lower(): option for option in options}
    near = difflib.get_close_matches(str(found).lower(), by_lower_case, n=1)
    return f"; did you mean {by_lower_case[near[0]]}?" if near else ""


def lines(error: ValidationError, where: str) -> list[str]:
    """Return one line for each problem that pydantic found in the file `where`."""
    found: list[str] = []
    for detail in error.errors():
        location = detail["loc"]
        if location[-1:] == ("[key]",):
            text = f"must have text as keys, found {shown(detail['input'])}; put it in quotes"
            found.append(f"{where}: {_path(location[:-2])} {text}")
            continue
        for key, text in _problems(detail):
            path = _path(location)
            if key:
                path = f"{path}.{key}" if path else key
            found.append(f"{where}: {path} {text}" if path else f"{where}: {text}")
    return found


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


def _path(location: Sequence[str | int]) -> str:
    """Return the path of a key as the file has it: search.brackets[0]."""
    if location[:1] == ("space",):
        # the third part is the type of the hyperparameter, which chose the model; no key of the file
        location = (*location[:2], *location[3:])
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text

"""How mistakes in a study file are told: one line each, with the key's path, what must hold and what was found."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

LONGEST_SHOWN = 80
"""Characters of a value, or of a key, in a message."""
LONGEST_LINE = 1000
"""Characters of a message, in which a name may be repeated that is not short."""
MOST_OPTIONS = 20
"""Options that a message lists."""
MOST_LINES = 20
"""Mistakes of one file that are told."""

Problem = tuple[str, str]
"""A key's path, below the checked part, and what is wrong with it: ("low", "must be below high (1), found 2")."""


class InvalidKeysError(ValueError):
    """Raised by the checks of the study's models; pydantic collects it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{key} {text}" for key, text in problems))
        self.problems = problems


def one_line(text: str) -> str:
    """Return a text with the characters that would break its line, or cannot be printed, as their escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def shown(value: object) -> str:
    """Return a value as a message shows it, in the words of YAML."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case int() if abs(value) >= 10**40:
            # Python refuses to write whole numbers of thousands of digits
            return f"a whole number of {value.bit_length()} bits"
        case str():
            return one_line(f"'{_short(value)}'")
        case Mapping():
            return "a mapping"
        case Sequence():
            return f"[{', '.join(shown(item) for item in value)}]" if len(value) <= 4 else f"a list of {len(value)}"
    return one_line(_short(str(value)))


def one_of(options: Iterable[object]) -> str:
    """Return options as a sentence lists them: a, b or c; the first of many."""
    every = list(options)
    words = [_short(option) if isinstance(option, str) else shown(option) for option in every[:MOST_OPTIONS]]
    if len(every) > MOST_OPTIONS:
        words.append(f"another of {len(every)}")
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def suggestion(found: object, options: Iterable[object]) -> str:
    """Return "; did you mean x?" where an option is near to what was found, else nothing."""
    # looking for what is alike among very many, or in very long text, takes seconds
    by_lower_case = {str(option).lower(): option for option in itertools.islice(options, 1000)}
    near = difflib.get_close_matches(str(found)[:LONGEST_SHOWN].lower(), by_lower_case, n=1)
    return f"; did you mean {by_lower_case[near[0]]}?" if near else ""


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


def path_of(location: Sequence[str | int]) -> str:
    """Return the path of a key as the file has it: search.brackets[0]."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        # an empty key would not be seen
        name = _short(part) if part.strip() else f"'{part}'"
        text += f".{name}" if text else name
    return one_line(text)

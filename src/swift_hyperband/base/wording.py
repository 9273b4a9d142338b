"""Wording of messages: values, options and paths of keys as one line shows them."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence

LONGEST_SHOWN = 80
"""Characters of a value, or of a key, in a message."""
STOPPED = "stopped; the same command goes on"
MOST_OPTIONS = 20
"""Options that a message lists."""


def one_line(text: str) -> str:
    """Return a text with escapes for line breaks and other characters that cannot be printed."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def short(text: str) -> str:
    """Return a text cut to the length that messages show."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def without_password(text: str) -> str:
    """Return a text that is shown, with *** in the place of passwords in its URLs."""
    text = re.sub(r"(://[^:/@\s]*):[^@\s]*@", r"\1:***@", text)
    return re.sub(r"([?&](?:password|passwd|pwd|token)=)[^&\s'\"]*", r"\1***", text, flags=re.IGNORECASE)


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
            return one_line(f"'{short(value)}'")
        case Mapping():
            return "a mapping"
        case Sequence():
            return f"[{', '.join(shown(item) for item in value)}]" if len(value) <= 4 else f"a list of {len(value)}"
    return one_line(short(str(value)))


def one_of(options: Iterable[object]) -> str:
    """Return options as a sentence lists them: a, b or c. Only the first of many are listed."""
    every = list(options)
    words = [short(option) if isinstance(option, str) else shown(option) for option in every[:MOST_OPTIONS]]
    if len(every) > MOST_OPTIONS:
        words.append(f"another of {len(every)}")
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def suggestion(found: object, options: Iterable[object]) -> str:
    """Return "; did you mean x?" if an option is similar to the value, else an empty text."""
    # comparing with very many options, or with a very long text, takes seconds
    by_lower_case = {str(option).lower(): option for option in itertools.islice(options, 1000)}
    near = difflib.get_close_matches(str(found)[:LONGEST_SHOWN].lower(), by_lower_case, n=1)
    return f"; did you mean {by_lower_case[near[0]]}?" if near else ""


def plain(value: object) -> str:
    """Return a value, such as a choice, as text with all its digits; true and false are as in YAML and JSON."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def number(value: object, digits: int = 4) -> str:
    """Return a value with so many significant digits, or as it is if it is no floating-point number."""
    return f"{value:.{digits}g}" if isinstance(value, float) else plain(value)


def duration(seconds: float) -> str:
    """Return a time, given in seconds, in the unit in which people read it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def path_of(location: Sequence[str | int]) -> str:
    """Return the path of a key as the file has it: search.brackets[0]."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        # an empty key would be invisible
        name = short(part) if part.strip() else f"'{part}'"
        text += f".{name}" if text else name
    return one_line(text)

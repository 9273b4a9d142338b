"""Checks of single values of the study file, beyond their type."""

from __future__ import annotations

import ast
import importlib.util
import json
import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from swift_hyperband.base.classes import parsed
from swift_hyperband.base.errors import InvalidKeysError, Problem
from swift_hyperband.base.metric import RESERVED
from swift_hyperband.base.wording import one_of, path_of, shown, suggestion
from swift_hyperband.search.batches import minutes
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.targets import BUILT_IN
from swift_hyperband.targets.program.template import placeholders, words

LONGEST_WORD = 100
"""Characters of the name of a hyperparameter or a metric."""
LONGEST_JOB = 525_600
"""Minutes: a year."""
WHOLE = range(-(2**63), 2**63)
"""The whole numbers that tables hold."""
DRAWN = 2**53
"""How many whole numbers can be drawn from the bits of one random number."""
LARGEST_LOG = 2**47
"""The largest end of a logarithmic range in which every whole number can be drawn."""
TELL_APART = 1000
"""The fewest floating-point numbers in a range."""


def unfit(value: object, path: tuple[str | int, ...] = ()) -> Iterator[Problem]:
    """Yield values that no key may have, as JSON, tables or programs cannot hold them."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from unfit(key, path) if isinstance(key, str) else ()
            yield from unfit(below, (*path, key if isinstance(key, str) else shown(key)))
    elif isinstance(value, list | tuple):
        for number, below in enumerate(value):
            yield from unfit(below, (*path, number))
    elif isinstance(value, int) and value not in WHOLE:
        needed = "must be a whole number of at most 64 bits, or a real one such as 1.0e+20"
        yield path_of(path), f"{needed}, found {shown(value)}"
    elif isinstance(value, str) and ("\0" in value or not _is_unicode(value)):
        yield path_of(path), f"must be text without the character 0 and without half characters, found {shown(value)}"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


LONGEST_NAME = 200
"""Characters of a study's name. Its folder and jobs add endings such as -curves; file systems allow 255."""


def slug(value: str) -> str:
    """Check the name of a study."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value):
        needed = "must be small letters, digits, _ and -, as it names the folder of the results"
        raise InvalidKeysError(("", f"{needed}, found {shown(value)}"))
    if len(value) > LONGEST_NAME:
        needed = f"must have at most {LONGEST_NAME} characters, as it names the folder of the results"
        raise InvalidKeysError(("", f"{needed}, found {len(value)}"))
    return value


def batch_size_value(value: object) -> object:
    """Check batch_size."""
    limit = minutes(value) if isinstance(value, str) else None
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if value != "auto" and not whole and not limit:
        needed = "must be auto, a whole number of at least 1 or a time such as 30min"
        raise InvalidKeysError(("", f"{needed}, found {shown(value)}"))
    if limit and limit > LONGEST_JOB:
        raise InvalidKeysError(("", f"must be at most {LONGEST_JOB}min, found {shown(value)}"))
    return value


def float_range(low: float, high: float, log: bool) -> None:
    """Check the ends of a range of real numbers, which are finite."""
    _ends(low, high, log)
    for key, end in (("low", low), ("high", high)):
        if 0 < abs(end) < sys.float_info.min:
            needed = f"must be 0 or at least {sys.float_info.min:.2g} in size, as smaller numbers are taken for 0"
            raise InvalidKeysError((key, f"{needed} where models train, found {shown(end)}"))
    if math.isinf(high - low):
        needed = (
            f"must be less than {sys.float_info.max:.2g} below high ({shown(high)}), or nothing can be drawn between"
        )
        raise InvalidKeysError(("low", f"{needed}, found {shown(low)}"))
    ends = (math.log(low), math.log(high)) if log else (low, high)
    if ends[1] - ends[0] < TELL_APART * math.ulp(max(map(abs, ends))):
        needed = f"must lie further below high ({high!r}), as a computer tells few numbers between them apart"
        raise InvalidKeysError(("low", f"{needed}, found {low!r}"))


def int_range(low: int, high: int, log: bool) -> None:
    """Check the ends of a range of whole numbers: that each of them can be drawn."""
    _ends(low, high, log)
    if log and high > LARGEST_LOG:
        needed = f"must be at most {LARGEST_LOG} where log is true, as not all of larger whole numbers could be drawn"
        raise InvalidKeysError(("high", f"{needed}, found {high}"))
    if high - low >= DRAWN:
        needed = (
            f"must be less than {DRAWN} (2^53) below high ({high}), as of more whole numbers not all could be drawn"
        )
        raise InvalidKeysError(("low", f"{needed}, found {low}"))


def _ends(low: float, high: float, log: bool) -> None:
    if low >= high:
        raise InvalidKeysError(("low", f"must be below high ({shown(high)}), found {shown(low)}"))
    if log and low <= 0:
        raise InvalidKeysError(("low", f"must be above 0 where log is true, found {shown(low)}"))


def different(choices: Sequence[Scalar]) -> None:
    """Check that choices can be told apart, also in a table: 1, 1.0 and true are one value there."""
    before: dict[Scalar, Scalar] = {}
    for choice in choices:
        if choice in before:
            one, other = (
                repr(found) if isinstance(found, float) else shown(found) for found in (before[choice], choice)
            )
            found = f"{one} and {other}"
            raise InvalidKeysError(("choices", f"must hold different values, found {found}"))
        before[choice] = choice
    if any(isinstance(choice, str) for choice in choices):
        # the column of a table holds texts then
        as_text: dict[str, Scalar] = {}
        for choice in choices:
            text = choice if isinstance(choice, str) else json.dumps(choice)
            if text in as_text:
                needed = "must hold values that differ as text, too, as they are one column of a table"
                raise InvalidKeysError(("choices", f"{needed}, found {shown(as_text[text])} and {shown(choice)}"))
            as_text[text] = choice
    numbers = all(isinstance(choice, int | float) and not isinstance(choice, bool) for choice in choices)
    if numbers and any(isinstance(choice, float) for choice in choices):
        for choice in choices:
            if isinstance(choice, int) and abs(choice) > DRAWN:
                needed = (
                    f"must hold whole numbers of at most {DRAWN} beside real ones, as a column of both loses digits"
                )
                raise InvalidKeysError(("choices", f"{needed}, found {choice}"))


def command_words(value: object) -> object:
    """Check a command: a text, or a list of words."""
    try:
        found = words(value) if isinstance(value, str) else value
    except ValueError:
        raise InvalidKeysError(("", f"must close each quote in it, found {shown(value)}")) from None
    if value is None:
        return None
    if not isinstance(found, list):
        raise InvalidKeysError(("", f"must be a text or a list of words, found {shown(value)}"))
    for number, word in enumerate(found):
        if not isinstance(word, str):
            raise InvalidKeysError((f"[{number}]", f"must be a word, found {shown(word)}; put it in quotes"))
    if not found or not found[0]:
        raise InvalidKeysError(("", f"must begin with the program's name, found {shown(value)}"))
    return value


def braces(text: str, known: Mapping[str, Iterable[object]]) -> None:
    """Check the placeholders of a text, given example values of each name."""
    double = "; braces that stand for themselves are doubled: {{ and }}"
    try:
        found = placeholders(text)
    except ValueError as error:
        raise InvalidKeysError(
            ("", f"must have {{name}} or {{name:format}} in braces, found {error}{double}")
        ) from None
    for placeholder in found:
        if placeholder.name not in known:
            hint = suggestion(placeholder.name, known) or double
            needed = f"must have names in braces that are {one_of(known)}"
            raise InvalidKeysError(("", f"{needed}, found {placeholder}{hint}"))
        if problem := placeholder.misfit(known[placeholder.name]):
            needed = f"must have a format that fits each value of {placeholder.name}"
            raise InvalidKeysError(("", f"{needed}, found {placeholder}, {problem}"))


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))


def scalar(value: object) -> object:
    """Check a value of a hyperparameter."""
    if not _is_scalar(value):
        raise InvalidKeysError(("", f"must be text, a number or true/false, found {shown(value)}"))
    return value


def as_list(value: object) -> object:
    """Take a single value as a list of one."""
    return value if isinstance(value, list) else [value]


def metric_name(value: str) -> str:
    """Check the name of a metric, a column of a curve beside the epoch and the seconds."""
    if value in ("", *RESERVED):
        raise InvalidKeysError(("", f"must be a metric that the target reports, found {shown(value)}"))
    if not value.isprintable() or len(value) > LONGEST_WORD:
        needed = f"must be at most {LONGEST_WORD} characters that can be printed"
        raise InvalidKeysError(("", f"{needed}, found {shown(value)}"))
    return value


def _is_there(path: Path) -> bool:
    try:
        return path.is_file() or (path.is_dir() and path.suffix != ".py")
    except OSError:
        # such as a name too long for a file
        return False


def _is_installed(package: str) -> bool:
    try:
        return package != "__main__" and importlib.util.find_spec(package) is not None
    except ValueError:
        # a module that was loaded from nowhere
        return False


def target_name(value: str) -> str:
    """Check what a target is called."""
    named = parsed(value)
    if value not in BUILT_IN and (named is None or not named.name.isidentifier()):
        needed = f"must be {one_of([*BUILT_IN, 'path/to/file.py:Class', 'package.module:Class'])}"
        raise InvalidKeysError(("", f"{needed}, found {shown(value)}{suggestion(value, BUILT_IN)}"))
    return value


def target_is_here(value: str) -> None:
    """Check that a target exists without importing it, as an import may start a deep-learning framework."""
    named = None if value in BUILT_IN else parsed(value)
    if named is None:
        return
    if not named.is_file:
        package = named.module.partition(".")[0]
        here = _is_there(Path(package)) or _is_there(Path(f"{package}.py"))
        if not here and (not package.isidentifier() or not _is_installed(package)):
            needed = "must lie in an installed package or in the working directory"
            raise InvalidKeysError(("", f"{needed}, found no package {shown(package)} for {shown(value)}"))
        return
    path = Path(named.module)
    if not _is_there(path):
        raise InvalidKeysError(("", f"must be in a file that exists, found no {str(path)[:200]} in {Path.cwd()}"))
    try:
        body = ast.parse(path.read_bytes()).body
    except SyntaxError as error:
        found = f"{error.msg} ({path}:{error.lineno})"
        raise InvalidKeysError(("", f"must be in a Python file, found that {path} is none: {found}")) from None
    except (ValueError, RecursionError, MemoryError, OSError) as error:
        raise InvalidKeysError(("", f"must be in a Python file, found that {path} is none: {error}")) from None
    classes = [node.name for node in body if isinstance(node, ast.ClassDef)]
    classes += [name.asname or name.name for node in body if isinstance(node, ast.ImportFrom) for name in node.names]
    if named.name not in classes:
        found = f"{shown(named.name)}{suggestion(named.name, classes)}"
        raise InvalidKeysError(("", f"must name a class of {path}, found {found}"))


def target_options(value: object) -> object:
    """Check that the target's own options can be written as JSON, so that they can be frozen."""

    def check(item: object, path: str) -> None:
        if isinstance(item, Mapping):
            for key, below in item.items():
                if not isinstance(key, str):
                    raise InvalidKeysError((path, f"must have text as keys, found {shown(key)}; put it in quotes"))
                check(below, f"{path}.{key}" if path else key)
        elif isinstance(item, list):
            for number, below in enumerate(item):
                check(below, f"{path}[{number}]")
        elif item is not None and not _is_scalar(item):
            raise InvalidKeysError(
                (path, f"must be text, a finite number, true/false, a list or a mapping, found {shown(item)}")
            )

    if isinstance(value, Mapping):
        check(value, "")
    return value

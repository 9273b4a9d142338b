"""What single values of the study file must hold, beyond their type."""

from __future__ import annotations

import ast
import importlib.util
import math
import re
from collections.abc import Mapping
from pathlib import Path

from swift_hyperband.annealing.settings import LOCAL, REMOTE
from swift_hyperband.batches import minutes
from swift_hyperband.study_errors import InvalidKeysError, one_of, shown, suggestion
from swift_hyperband.targets import BUILT_IN

LONGEST_NAME = 200
"""Of a study, whose folder and jobs are named by it, with endings such as -curves; file systems allow 255."""


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
    return value


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
    """Check the name of a metric: it stands beside the epoch and the seconds in a curve."""
    if value in ("", "epoch", "seconds"):
        raise InvalidKeysError(("", f"must be a metric that the target reports, found {shown(value)}"))
    return value


def sampler_name(value: str) -> str:
    """Check the name of a sampler, without importing one."""
    known = [*LOCAL, *sorted(REMOTE, reverse=True)]
    if value not in known and not re.fullmatch(r"[\w.]+:\w+", value):
        needed = f"must be {one_of([*known, 'module:Class'])}"
        raise InvalidKeysError(("", f"{needed}, found {shown(value)}{suggestion(value, known)}"))
    return value


def target_name(value: str) -> str:
    """Check that a target is there without importing it, as that may start a deep-learning framework."""
    place, colon, class_name = value.rpartition(":")
    if value in BUILT_IN:
        return value
    if not colon or not class_name.isidentifier() or not place:
        needed = f"must be {one_of([*BUILT_IN, 'path/to/file.py:Class', 'package.module:Class'])}"
        raise InvalidKeysError(("", f"{needed}, found {shown(value)}{suggestion(value, BUILT_IN)}"))
    if not place.endswith(".py"):
        package = place.partition(".")[0]
        here = Path(package).is_dir() or Path(f"{package}.py").is_file()
        if not here and (not package.isidentifier() or importlib.util.find_spec(package) is None):
            needed = "must lie in an installed package or in the working directory"
            raise InvalidKeysError(("", f"{needed}, found no package {shown(package)} for {shown(value)}"))
        return value
    path = Path(place)
    if not path.is_file():
        raise InvalidKeysError(("", f"must be in a file that exists, found no {path} in {Path.cwd()}"))
    try:
        body = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError) as error:
        raise InvalidKeysError(("", f"must be in a Python file, found that {path} is none: {error}")) from None
    classes = [node.name for node in body if isinstance(node, ast.ClassDef)]
    classes += [name.asname or name.name for node in body if isinstance(node, ast.ImportFrom) for name in node.names]
    if class_name not in classes:
        raise InvalidKeysError(
            ("", f"must name a class of {path}, found {shown(class_name)}{suggestion(class_name, classes)}")
        )
    return value


def target_options(value: object) -> object:
    """Let the target's own options hold whatever JSON can, so that they can be frozen."""

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

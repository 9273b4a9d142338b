"""JSON: an object a line, or a file of records as Keras, pandas, CatBoost, Transformers and others write it."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from swift_hyperband.base.wording import shown
from swift_hyperband.targets.program.files import ProgramError, Written, count_lines
from swift_hyperband.targets.program.patterns import compiled, patience
from swift_hyperband.targets.program.rows import Row, Rows, names_in

JSON = "json"
"""The named group of a pattern that finds a JSON object in a line with other text."""


def from_jsonl(file: Written, pattern: str | None = None) -> Rows:
    """Read a JSON object a line; what a program prints between does not count, nor does a torn last line."""
    text = file.text()
    old = count_lines(file.old_text())
    lines = re.split(r"\r\n?|\n", text)
    given = [(number, line.strip()) for number, line in enumerate(lines[old:], old + 1)]
    if pattern is not None:
        expression = compiled(pattern)
        with patience(file.path, len(text)):
            found = [(number, expression.search(line)) for number, line in given]
        given = [(number, (match[JSON] or "").strip()) for number, match in found if match is not None]
    rows = []
    for number, line in given:
        if not line.startswith(("{", "[")):
            continue
        try:
            record = json.loads(line, object_pairs_hook=_object)
        except (ValueError, RecursionError):
            if number == len(lines) or line.startswith("["):
                continue
            why = "a JSON file over several lines has the format json"
            if line.startswith("{'"):
                why = "a dict as Python prints it is none; json.dumps() writes one, format regex reads the other"
            raise ProgramError(
                f"{file.path}: line {number} must be a JSON object, found {shown(line)}; {why}"
            ) from None
        if not isinstance(record, Mapping):
            raise ProgramError(f"{file.path}: line {number} must be a JSON object, found {shown(line)}")
        rows.append(Row(f"line {number}", dict(_flat(record))))
    return Rows(file.path, rows, names_in(rows), appended=file.appended)


def from_json(file: Written, metric: str, epoch: str | None) -> Rows:
    """Read a JSON file: a list of records, an object that holds one, records by epoch, or values for each metric."""
    path = file.path
    try:
        content = json.loads(file.text(), object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise ProgramError(f"{path}: must be a JSON file, found {error}") from None
    rows = [
        Row(f"record {number}", _of_trainer(dict(_flat(record))))
        for number, record in enumerate(_records(path, content, metric, epoch), 1)
    ]
    return Rows(path, rows, names_in(rows), appended=False)


def _records(path: Path, content: Any, metric: str, epoch: str | None) -> list[Mapping[str, Any]]:
    forms = (
        "must hold a list of records, an object with such a list in it, one with a record for each epoch, or one "
        "with a list of values for each metric"
    )
    if isinstance(content, list) and all(isinstance(record, Mapping) for record in content):
        return content
    if not isinstance(content, Mapping):
        raise ProgramError(f"{path}: {forms}, found {shown(content)}")
    if "iterations" in content and "meta" in content:
        return _of_catboost(path, content)
    lists = {key: below for key, below in content.items() if isinstance(below, list)}
    inside = {key: below for key, below in lists.items() if below and all(isinstance(one, Mapping) for one in below)}
    if len(inside) > 1:
        inside = {key: below for key, below in inside.items() if any(metric in dict(_flat(one)) for one in below)}
    if len(inside) == 1:
        return next(iter(inside.values()))
    if len(inside) > 1:
        raise ProgramError(f"{path}: must hold {metric} in one list of records, found it in {', '.join(inside)}")
    if content and all(isinstance(below, Mapping) and str(key).isdecimal() for key, below in content.items()):
        return [{(epoch or "epoch"): key, **below} for key, below in content.items()]
    if metric in lists:
        return _of_columns(path, lists, metric, epoch)
    if isinstance(content.get(metric), Mapping):
        # as DataFrame.to_json() of pandas writes: a column's values by row
        columns = {name: below for name, below in content.items() if isinstance(below, Mapping)}
        return [{name: below.get(row) for name, below in columns.items()} for row in content[metric]]
    if any(below == [] for below in lists.values()):
        # such as a log_history before the first record
        return []
    if any(content) and not any(isinstance(below, list | Mapping) for below in content.values()):
        return [content]
    raise ProgramError(f"{path}: {forms}, found an object of {', '.join(map(str, [*content][:8])) or 'nothing'}")


def _of_columns(path: Path, lists: Mapping[str, list[Any]], metric: str, epoch: str | None) -> list[Mapping[str, Any]]:
    length = len(lists[metric])
    if epoch is not None and epoch in lists and len(lists[epoch]) != length:
        found = f"found {length} and {len(lists[epoch])}"
        raise ProgramError(f"{path}: must have as many values of {metric} as of {epoch}, {found}")
    kept = {name: values for name, values in lists.items() if len(values) == length}
    return [dict(zip(kept, row, strict=True)) for row in zip(*kept.values(), strict=True)]


def _of_catboost(path: Path, content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return records of catboost_training.json, whose values stand in the order of the names in its head."""
    try:
        meta = content["meta"]
        sets = [(name, meta[f"{kind}_metrics"]) for kind in ("learn", "test") for name in meta[f"{kind}_sets"]]
        return [
            {
                "iteration": record["iteration"],
                **{
                    f"{name}/{metric['name']}": value
                    for name, metrics in sets
                    for metric, value in zip(metrics, record.get(name, ()), strict=False)
                },
            }
            for record in content["iterations"]
        ]
    except (KeyError, TypeError, AttributeError):
        raise ProgramError(f"{path}: must hold meta and iterations as CatBoost writes them, found others") from None


def _of_trainer(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record of Transformers' Trainer with the loss that it had.

    It leaves what is not finite out of the mean that it logs, and logs 0.0 where nothing is left.
    """
    norm = record.get("grad_norm")
    if record.get("loss") == 0.0 and isinstance(norm, float) and not math.isfinite(norm):
        return record | {"loss": math.nan}
    return record


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; of a key that is there twice all values, which is no number, for it would hide one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        count = Counter(key for key, _ in pairs)
        found |= {key: [value for name, value in pairs if name == key] for key in count if count[key] > 1}
    return found


def _flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, Mapping):
            # what Ray Tune repeats in every record
            if key != "config":
                yield from _flat(value, f"{prefix}{key}/")
        else:
            # a NaN of numpy.float32, as Ray Tune writes it; where nothing was measured stands the word without quotes
            yield f"{prefix}{key}".strip(), math.nan if value == "null" else value

"""Metrics as programs leave them, by epoch: a JSON object a line, a table, or a regular expression on a text."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


class ProgramError(Exception):
    """The program failed, or did not leave what it must; the message says what, in one line."""


Measured = dict[int, dict[str, float]]


def from_jsonl(path: Path, epoch: str | None, begin: int, counts_from_zero: bool) -> Measured:
    """Return metrics by epoch from a JSON object a line; a torn last line does not count."""
    rows = []
    for number, line in enumerate(_lines(path), 1):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if not isinstance(row, Mapping):
            raise ProgramError(f"{path}: line {number} must be a JSON object, found {line[:80]}")
        rows.append(row)
    return _by_epoch(path, rows, epoch, begin, counts_from_zero)


def from_csv(path: Path, epoch: str | None, begin: int, counts_from_zero: bool) -> Measured:
    """Return metrics by epoch from a table with a header."""
    return _by_epoch(path, list(csv.DictReader(_lines(path))), epoch, begin, counts_from_zero)


def from_text(path: Path, pattern: str, begin: int, counts_from_zero: bool) -> Measured:
    """Return metrics by epoch from what an expression finds: named groups are metrics, and the epoch, else in turn."""
    rows = [found.groupdict() for found in re.finditer(pattern, "\n".join(_lines(path)), re.MULTILINE)]
    named = "epoch" if "epoch" in re.compile(pattern).groupindex else None
    return _by_epoch(path, rows, named, begin, counts_from_zero)


READERS = {
    "jsonl": lambda path, keys, begin: from_jsonl(path, keys["epoch"], begin, keys["counts_from_zero"]),
    "csv": lambda path, keys, begin: from_csv(path, keys["epoch"], begin, keys["counts_from_zero"]),
    "regex": lambda path, keys, begin: from_text(path, keys["pattern"], begin, keys["counts_from_zero"]),
}


def _by_epoch(
    path: Path, rows: Sequence[Mapping[str, Any]], epoch: str | None, begin: int, counts_from_zero: bool
) -> Measured:
    found: Measured = {}
    for number, row in enumerate(rows):
        if epoch is None:
            key = begin + number + 1
        elif epoch not in row:
            raise ProgramError(f"{path} must have the column {epoch} of epochs, found {', '.join(map(str, row))}")
        else:
            key = int(float(row[epoch])) + counts_from_zero
        # of an epoch that is there twice the later one counts
        found[key] = dict(_numbers(row, epoch))
    return found


def _numbers(row: Mapping[str, Any], epoch: str | None) -> Iterator[tuple[str, float]]:
    for name, value in row.items():
        if name in (epoch, "epoch", "seconds"):
            continue
        if value is None or value == "":
            yield name, math.nan
            continue
        try:
            yield name, float(value)
        except (TypeError, ValueError):
            continue


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    except FileNotFoundError:
        raise ProgramError(f"{path} must hold the program's metrics, found no such file") from None

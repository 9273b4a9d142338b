"""A glance at a trial's folder, for `status` on thousands of them: what `trial` reads there, from less.

The last row of a curve tells how far it goes; the rows before are counted, and looked at for what no row has. So a
number that is damaged in the middle of a curve is not seen here, as nothing that is shown rests on it. It is when the
search starts. Whatever looks odd is read by `trial`, which says what is wrong with it.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from swift_hyperband.base.files import read_again
from swift_hyperband.base.metric import Metric
from swift_hyperband.training.trial import CURVE, FAILURES, STARTED, Trained, started, state_of

Stamp = tuple[int, int] | None
"""When a file changed, in ns, and its size; None where there is no file."""

_BEGIN = b'{"epoch": '
"""Each line of a curve, and of the epochs that began, begins so."""
_NEVER = (b"NaN", b"Infinity", b"\0")
"""What no row holds."""


@dataclass(frozen=True, slots=True)
class Glance:
    """How far a trial has come.

    Attributes
    ----------
    status : {"ok", "diverged", "failed"}
        As of `Trained`.
    epochs : int
        Epochs trained.
    epoch : int
        The epoch that counts: the last one, or the best one; 0 without any.
    value : float
        The metric at that epoch; nan without any, and where it is not finite.
    """

    status: Literal["ok", "diverged", "failed"]
    epochs: int
    epoch: int
    value: float

    @classmethod
    def of(cls, trained: Trained, metric: Metric) -> Glance:
        """Return what is seen of a trial that was read."""
        epoch = metric.epoch(trained.values)
        return cls(trained.status, len(trained.values), epoch, trained.values[epoch - 1] if epoch else math.nan)


NOTHING = Glance("ok", 0, 0, math.nan)
"""What is seen of a trial that did not train."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The epochs of a trial that began: how many began again, and which the search had not asked for then."""

    repeated: int = 0
    ahead: frozenset[int] = frozenset()


def stamps(folder: str) -> tuple[Stamp, Stamp, Stamp]:
    """Return the stamps of a trial's curve, of its failures, and of the epochs that began."""
    return stamp(f"{folder}/{CURVE}"), stamp(f"{folder}/{FAILURES}"), stamp(f"{folder}/{STARTED}")


def stamp(path: str) -> Stamp:
    """Return the stamp of a file."""
    try:
        # a path by pathlib takes as long as the look
        found = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


def look(folder: str, metric: Metric, has_failures: bool) -> Glance:
    """Return how far a trial has come.

    Parameters
    ----------
    folder : str
        The trial's.
    metric : Metric
    has_failures : bool
        Whether there is a file of its failures.

    Raises
    ------
    UserError
        If its files look damaged, and are.
    """
    # only the last epoch is seen from the end
    if not has_failures and metric.at == "last":
        content = _content(f"{folder}/{CURVE}")
        if content is None:
            return NOTHING
        if (row := _last_row(content, metric.name)) is not None:
            value, epochs = row[metric.name], row["epoch"]
            if value is None:
                return Glance("diverged", epochs, epochs, math.nan)
            return Glance("ok", epochs, epochs, value)
    return Glance.of(state_of(Path(folder), metric.name), metric)


def begun(folder: str) -> Begun:
    """Return what `trial.started` does, without the times.

    A training begins one epoch after the other, and goes back after a kill. So where the last line is as far from the
    first as there are lines between them, it never went back.
    """
    content = _content(f"{folder}/{STARTED}")
    if content is None:
        return Begun()
    lines = content.count(b"\n")
    if content.endswith(b"}\n") and b'"ahead"' not in content and content.count(_BEGIN) == lines:
        first, last = _epoch(content, 0), _epoch(content, content.rfind(b"\n", 0, -1) + 1)
        if last - first + 1 == lines:
            return Begun()
    found = started(Path(folder))
    return Begun(found.repeated, found.ahead)


def _content(path: str) -> bytes | None:
    """Return the bytes of a file that others may replace meanwhile; None where there is none."""

    def read() -> bytes:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(descriptor).st_size
            content = os.read(descriptor, size + 1)
            while len(content) > size and (more := os.read(descriptor, 1 << 20)):
                content += more
            return content
        finally:
            os.close(descriptor)

    try:
        return read_again(read)
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        # told by who reads the file as a whole
        return b""


def _last_row(content: bytes, metric: str) -> dict[str, Any] | None:
    """Return the last row of a curve whose rows look like rows; None if they do not."""
    rows, start = content.count(b"\n"), content.rfind(b"\n", 0, -1) + 1
    before = content[:start]
    looks_sound = (
        content.startswith(_BEGIN + b"1,")
        and content.endswith(b"}\n")
        and content.isascii()
        and before.count(b"}\n") == rows - 1 == content.count(b"\n" + _BEGIN)
        and content.count(json.dumps(metric).encode() + b": ") == rows
        # a row that is not finite is the last one; other metrics may be null in any
        and b"null" not in before
        and not any(never in content for never in _NEVER)
    )
    if not looks_sound:
        return None
    try:
        row = json.loads(content[start:].decode())
    except (ValueError, RecursionError):
        return None
    is_row = (
        type(row) is dict
        and row.get("epoch") == rows
        and type(row["epoch"]) is int
        and metric in row
        and all(value is None or (type(value) in (int, float) and math.isfinite(value)) for value in row.values())
    )
    return row if is_row else None


def _epoch(content: bytes, start: int) -> int:
    """Return the epoch with which a line begins; -1 if it does not."""
    number = content[start + len(_BEGIN) : content.find(b",", start)]
    return int(number) if content.startswith(_BEGIN, start) and number.isdigit() else -1

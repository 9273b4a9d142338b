"""journal.jsonl: the order of events of a search without rounds, whose result depends on that order.

::

    {"begin": "asha", "workers": 4}                                the algorithm, and the trainings side by side
    {"ask": "<trial>", "epochs": 9}                                the search asks for a training, up to an epoch
    {"tell": "<trial>", "epochs": 9, "trained": 9, "value": 0.1}   it is told of: epochs that count, and the last value
    {"stop": "<trial>"}                                            a prediction stopped a trial
    {"end": "asha"}                                                nothing will be asked for any more

One process writes, and only at the end of the file. An event is written before anything follows from it, so a search
that is told the events of the journal again is the same search.
"""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import AGAIN, AWAY, mismatch, read_again
from swift_hyperband.base.wording import one_line, one_of
from swift_hyperband.processes import lease

Kind = Literal["begin", "ask", "tell", "stop", "end"]
_SHAPES: dict[Kind, dict[str, Any]] = {
    "begin": {"begin": str, "workers": int},
    "ask": {"ask": str, "epochs": int},
    "tell": {"tell": str, "epochs": int, "trained": int, "value": (float, None)},
    "stop": {"stop": str},
    "end": {"end": str},
}


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the journal.

    Attributes
    ----------
    kind : {"begin", "ask", "tell", "stop", "end"}
    name : str
        The trial; of "begin" and "end" the algorithm.
    epochs : int
        The epoch that was asked for.
    trained : int
        Epochs of the curve that was told; fewer than asked for where the trial failed or diverged.
    value : float or None
        The metric at the last of them, as the search counts it; None where it is not finite or there is none.
    workers : int
    """

    kind: Kind
    name: str
    epochs: int = 0
    trained: int = 0
    value: float | None = None
    workers: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the line as JSON."""
        keys = [key for key in _SHAPES[self.kind] if key != self.kind]
        return {self.kind: self.name, **{key: getattr(self, key) for key in keys}}


def read(path: Path) -> list[Event]:
    """Return the events of a journal; none where there is no file. A line without an end was torn and is left out.

    Raises
    ------
    UserError
        If a line is damaged.
    """
    return [_event(path, number, line) for number, line in enumerate(_lines(path), 1)]


def damaged(path: Path, number: int, needed: str, found: str) -> UserError:
    """Return the error about a line, counted from 1."""
    return UserError(f"{path}: line {number}: {needed}, found {found}; {AGAIN}")


class Journal:
    """A journal that is written.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    events : list of Event
        Those that were there at first.

    Raises
    ------
    UserError
        If a line is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events = read(path)
        self._size = sum(len(line) + 1 for line in _lines(path))
        if path.exists() and path.stat().st_size > self._size:
            # the end of a line that was torn
            os.truncate(path, self._size)

    def append(self, *events: Event) -> None:
        """Write events; they are on the disk when this returns.

        Raises
        ------
        LeaseLostError
            If another process has written meanwhile, as this one was suspended for too long.
        """
        if not events:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(event.to_json(), allow_nan=False) + "\n" for event in events).encode()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            if os.fstat(descriptor).st_size != self._size:
                raise lease.LeaseLostError(str(self.path))
            written = os.write(descriptor, text)
            if written < len(text):
                # the next start takes the torn line away
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            os.fsync(descriptor)
            self._size += written
        finally:
            os.close(descriptor)
        self.events += events


def _lines(path: Path) -> list[bytes]:
    try:
        return read_again(path.read_bytes).split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except IsADirectoryError:
        raise UserError(f"{path}: must be a file, found a folder; {AWAY}") from None


def _event(path: Path, number: int, line: bytes) -> Event:
    shown = one_line(line[:60].decode(errors="replace"))
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        raise damaged(path, number, "must be JSON", shown or "nothing") from None
    kinds = [kind for kind in _SHAPES if isinstance(content, dict) and kind in content]
    if len(kinds) != 1:
        raise damaged(path, number, f"must hold {one_of(_SHAPES)}", shown)
    (kind,) = kinds
    if (wrong := mismatch(content, _SHAPES[kind])) is not None:
        raise UserError(f"{path}: line {number}: {wrong}; {AGAIN}")
    return Event(kind, content[kind], **{key: content[key] for key in _SHAPES[kind] if key != kind})

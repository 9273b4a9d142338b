"""The agenda of a search: what is to be trained now. The process that decides writes it, and workers read it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from swift_hyperband.base.errors import PASSING_ERRORS
from swift_hyperband.base.files import mismatch, read_text, write_text
from swift_hyperband.search import Training

_SHAPE = {
    "decider": str,
    "version": int,
    "needed": [list],
    "taken": [list],
    "hopes": [list],
    "workers": int,
    "spare": [str],
    "over": bool,
    "error": (str, None),
}


@dataclass(frozen=True)
class Agenda:
    """What workers must know.

    Attributes
    ----------
    decider : str
        Names the process that wrote it; another one has another name.
    version : int
        Grows with each agenda of a process.
    needed : tuple of Training
        Trainings that the search has asked for and that no living worker has begun, most urgent first; not all of them
        where they are many.
    taken : tuple of Training
        Trainings that the search has asked for and that living workers have begun.
    hopes : tuple of Training
        Trainings that the search has not asked for and may ask for, best first.
    workers : int
        How many workers live.
    spare : tuple of str
        Workers that may leave, as more live than trials are left in the search.
    over : bool
        Whether the search is over.
    error : str or None
        In one line, why it cannot go on.
    """

    decider: str
    version: int = 0
    needed: tuple[Training, ...] = ()
    taken: tuple[Training, ...] = ()
    hopes: tuple[Training, ...] = ()
    workers: int = 0
    spare: tuple[str, ...] = ()
    over: bool = False
    error: str | None = None

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return the agenda in a file; None where it is missing or damaged, so that it is written again.

        None also while the disk is away.
        """
        try:
            content: Any = json.loads(read_text(path))
        except (FileNotFoundError, ValueError, RecursionError):
            return None
        except OSError as error:
            if error.errno in PASSING_ERRORS:
                return None
            raise
        if mismatch(content, _SHAPE) is not None:
            return None
        lists = {name: _trainings(content[name]) for name in ("needed", "taken", "hopes")}
        if None in lists.values():
            return None
        return cls(**{name: content[name] for name in _SHAPE} | lists | {"spare": tuple(content["spare"])})

    def write(self, path: Path) -> None:
        """Write the agenda whole."""
        write_text(path, json.dumps(asdict(self)) + "\n")

    def asks(self, trial: str) -> int | None:
        """Return the epoch that the search has asked for of a trial; 0 if it is a hope, None if it is neither."""
        asked = next((one.epochs for one in (*self.needed, *self.taken) if one.trial == trial), None)
        return 0 if asked is None and any(one.trial == trial for one in self.hopes) else asked

    def differs(self, other: Agenda) -> bool:
        """Whether two agendas say different things."""
        return replace(self, version=other.version) != other


def asks(path: Path, trial: str) -> int | None:
    """Return what the agenda in a file asks of a trial that is trained ahead, as `Agenda.asks`; None where all ends."""
    found = Agenda.read(path)
    # one that is missing is written again
    return 0 if found is None else None if found.over or found.error is not None else found.asks(trial)


def remove(path: Path) -> None:
    """Remove the agenda of an earlier start, so that no worker takes it for that of this one."""
    with suppress(FileNotFoundError):
        path.unlink()


def _trainings(found: Sequence[Any]) -> tuple[Training, ...] | None:
    if not all(len(one) == 2 and isinstance(one[0], str) and isinstance(one[1], int) for one in found):
        return None
    return tuple(Training(trial, epochs) for trial, epochs in found)

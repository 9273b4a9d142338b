"""The workers of a search: each has a folder, with its lease as sign of life and the events of its trainings.

A worker alone writes in its folder. The process that decides reads there who lives, and what became of trainings.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal

from swift_hyperband.base.files import append_all, mismatch, read_again, write_json
from swift_hyperband.processes import lease
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Training

EVENTS = "events.jsonl"
WORKER = "worker.json"
LOG = "log"
ARRAYS = ("SLURM_ARRAY_TASK_ID", "PBS_ARRAY_INDEX", "PBS_ARRAYID", "LSB_JOBINDEX", "HQ_TASK_ID", "SGE_TASK_ID")
"""Where schedulers say a job's number in its array; LSF says 0 outside of one, and SGE "undefined"."""

What = Literal["arrived", "began", "trained", "crashed", "crashed ahead", "lease lost", "taken", "out of time"]
"""What happened: the worker arrived, a training began, or ended as `training.child.Outcome` says."""

_SHAPE = {"what": str, "trial": str, "epochs": int, "time": float, "error": (str, None)}


@dataclass(frozen=True)
class Event:
    """One event of a worker.

    Attributes
    ----------
    what : str
    trial : str
        Empty where the worker arrived: whatever it had begun under this name before has ended.
    epochs : int
        The epoch to which it trains.
    time : float
        By the worker's clock, in seconds since 1970.
    error : str or None
        Of a crash, in one line.
    """

    what: What
    trial: str
    epochs: int
    time: float
    error: str | None = None

    @property
    def training(self) -> Training:
        return Training(self.trial, self.epochs)


class Seat:
    """The place of this worker among the workers of a search; given back when it ends.

    Parameters
    ----------
    folder : StudyFolder
    name : str, optional
        Waits while a worker of this name lives; the smallest free number if left out.
    first : int
        The smallest number that is taken without a name.
    """

    def __init__(self, folder: StudyFolder, name: str | None, first: int = 0) -> None:
        self.name, self._lease = _free_number(folder, first) if name is None else (name, _named(folder, name))
        self.folder = folder.worker(self.name)
        self.note("arrived", Training("", 0))

    @property
    def number(self) -> int:
        """A number that differs from worker to worker, at best; a name that is no number has one, too."""
        return int(self.name) if self.name.isdecimal() else sum(self.name.encode())

    def hold(self) -> bool:
        """Take the place again if this worker was suspended for so long that it counted as dead.

        Returns
        -------
        bool
            False if another worker has the place now.
        """
        try:
            self._lease.check()
        except lease.LeaseLostError:
            if (again := _try(self.folder)) is None:
                return False
            self._lease.release()
            self._lease = again
        return True

    def describe(self, **more: Any) -> None:
        """Write who the worker is."""
        who = {
            "host": os.environ.get("SLURMD_NODENAME") or os.uname().nodename,
            "pid": os.getpid(),
            "slurm": os.environ.get("SLURM_JOB_ID"),
            "gpu": os.environ.get("CUDA_VISIBLE_DEVICES"),
            "since": round(time.time(), 3),
        }
        write_json(self.folder / WORKER, who | more)

    def note(self, what: What, training: Training, error: str | None = None) -> None:
        """Add an event."""
        event = Event(what, training.trial, training.epochs, round(time.time(), 3), error)
        descriptor = os.open(self.folder / EVENTS, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            size = os.fstat(descriptor).st_size
            # a crash of the machine may have torn the last one
            begin = "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""
            append_all(descriptor, f"{begin}{json.dumps(asdict(event))}\n".encode())
        finally:
            os.close(descriptor)

    def leave(self) -> None:
        """Give the place back."""
        self._lease.release()


def _named(folder: StudyFolder, name: str) -> lease.Lease:
    place = folder.worker(name)
    place.mkdir(parents=True, exist_ok=True)
    # one that a killed head has left behind does the same work
    taken = lease.acquire(place, unless=lambda: False)
    assert taken is not None
    return taken


def _free_number(folder: StudyFolder, first: int) -> tuple[str, lease.Lease]:
    # the jobs of an array begin together: each at a number of its own
    for number in count(first + _in_array()):
        place = folder.worker(str(number))
        place.mkdir(parents=True, exist_ok=True)
        if (taken := _try(place)) is not None:
            return place.name, taken
    raise AssertionError


def _in_array() -> int:
    """Return the number of this job in its array; 0 outside of one."""
    found = (os.environ.get(name, "") for name in ARRAYS)
    return next((int(number) for number in found if number.isdecimal()), 0)


def _try(place: Path) -> lease.Lease | None:
    """Return the lease on a worker's place, None if another worker has it."""
    if lease.holder(place) is not None:
        # that costs one look, and an attempt to take it six calls of the file system
        lease.clear(place)
    if lease.holder(place) is not None:
        return None
    try:
        return lease.try_acquire(place, unless=lambda: False)
    except lease.TakenError:
        return None


@dataclass
class Roster:
    """Who works on a search, as the process that decides sees it.

    Parameters
    ----------
    folder : StudyFolder

    Attributes
    ----------
    living : dict of str to int
        The living workers, with how many trials each trains at a time.
    """

    folder: StudyFolder
    living: dict[str, int] = field(default_factory=dict)
    _watch: lease.Watch = field(default_factory=lease.Watch)
    _read: dict[str, int] = field(default_factory=dict)
    """How many bytes of each worker's events were read."""
    _looked: bool = False
    """Whether it was found out who lives since events were read."""
    _sizes: dict[str, int] = field(default_factory=dict)

    def look(self) -> None:
        """Find out who lives; the places of the dead are free for others then."""
        names = sorted(self._names(), key=lambda name: (len(name), name))
        found = [name for name in names if not self._watch.is_free(self.folder.worker(name))]
        self.living = {name: self._at_a_time(name) for name in found}
        self._read = {name: self._read.get(name, 0) for name in names}
        self._looked = True

    def events(self) -> Iterator[tuple[str, Event]]:
        """Yield the events that were added since the last time, with their workers; those of each in its order.

        Those of workers that do not live any more come after a look.
        """
        names, self._looked = list(self._read if self._looked else self.living), False
        for name in names:
            begin = self._read[name]
            data = self._data(name, begin)
            whole = data.rfind(b"\n") + 1
            self._read[name] = begin + whole
            for line in data[:whole].splitlines():
                if (event := _event(line)) is not None:
                    yield name, event

    def _names(self) -> list[str]:
        try:
            return [path.name for path in self.folder.workers.iterdir()]
        except FileNotFoundError:
            return []

    def _at_a_time(self, name: str) -> int:
        if name not in self._sizes:
            try:
                found: Mapping[str, Any] = json.loads((self.folder.worker(name) / WORKER).read_bytes())
                self._sizes[name] = max(1, int(found["at_a_time"]))
            except (OSError, ValueError, KeyError, TypeError):
                # it has taken its place and not said yet who it is
                return 1
        return self._sizes[name]

    def _data(self, name: str, begin: int) -> bytes:
        path = self.folder.worker(name) / EVENTS

        def read() -> bytes:
            # open the file: NFS answers a stat alone from a cache
            with path.open("rb", buffering=0) as file:
                if os.fstat(file.fileno()).st_size <= begin:
                    return b""
                file.seek(begin)
                return file.read()

        try:
            return read_again(read)
        except FileNotFoundError:
            return b""


def _event(line: bytes) -> Event | None:
    """Return the event in a line; None if the line is torn."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return Event(**{name: content[name] for name in _SHAPE}) if mismatch(content, _SHAPE) is None else None

"""The workers of a search as their files tell of them, for `status` and the report. Nothing is decided by these files.

A worker writes who it is in worker.json, and a line in events.jsonl whenever a training begins or ends.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swift_hyperband.base.files import mismatch, read_text
from swift_hyperband.results.jobs import WORKER as WORKER_JOB
from swift_hyperband.results.jobs import Job, JobOutcome
from swift_hyperband.results.layout import StudyFolder

WORKER, EVENTS = "worker.json", "events.jsonl"
BEGAN = "began"
_WHO = {"host": str, "gpu": (str, None)}
_EVENT = {"what": str, "trial": str, "epochs": int, "time": float}

Stamp = tuple[int, int]
"""When a worker's file changed, and the size of its events; -1 if they were not read."""


@dataclass(frozen=True)
class Spell:
    """One training of a worker. Times are in seconds since 1970, by the worker's clock.

    Attributes
    ----------
    trial : str
    epochs : int
        The epoch to which it trains.
    began : float
    ended : float or None
        None where no end is known: it is at work, or was killed.
    """

    trial: str
    epochs: int
    began: float
    ended: float | None


@dataclass(frozen=True)
class Worker:
    """A worker.

    Attributes
    ----------
    name : str
        The same in all starts of its job.
    host : str
        Where it is, or was last.
    gpu : str or None
        The GPUs that it was given, as CUDA counts them; None where nobody dealt them out.
    spells : tuple of Spell
        By the time of their begin, as far as they were read.
    """

    name: str
    host: str
    gpu: str | None
    spells: tuple[Spell, ...]

    def at_work(self, since: float) -> list[Spell]:
        """Return the trainings that have no end, of those that began after a time."""
        return [spell for spell in self.spells if spell.ended is None and spell.began >= since]


def read(
    folder: StudyFolder, known: dict[Path, tuple[Stamp, Worker]] | None = None, among: Collection[str] | None = None
) -> list[Worker]:
    """Return the workers of a study, by number.

    Parameters
    ----------
    folder : StudyFolder
    known : dict, optional
        Those read before by file, which are read again only if that changed; added to.
    among : collection of str, optional
        Names of workers whose trainings are of interest: the others are returned without; those of all if left out.
    """
    known = {} if known is None else known
    found = []
    for path in folder.workers.glob(f"*/{WORKER}"):
        with suppress(OSError):
            has_spells = among is None or path.parent.name in among
            stamp = _stamp(path, has_spells)
            if path not in known or known[path][0] != stamp:
                known[path] = stamp, _read(path, has_spells)
            found.append(known[path][1])
    return sorted(found, key=lambda worker: (len(worker.name), worker.name))


def at_work(started: Iterable[Job]) -> dict[str, Job]:
    """Return the current start of each worker that is alive, by name."""
    return {job.batch: job for job in started if job.part == WORKER_JOB and job.outcome == JobOutcome.AT_WORK}


def living(found: Sequence[Worker], started: Sequence[Job]) -> dict[str, Job]:
    """Return the current start of each worker that is alive, by name and in the order of `found`."""
    alive = at_work(started)
    return {worker.name: alive[worker.name] for worker in found if worker.name in alive}


def to_json(found: Sequence[Worker], alive: Mapping[str, Job]) -> dict[str, Any]:
    """Return the workers that are alive by name: where, since when, and the trials that they train to which epoch."""
    told = {}
    for worker in found:
        if (job := alive.get(worker.name)) is not None:
            trials = {spell.trial: spell.epochs for spell in worker.at_work(job.started)}
            told[worker.name] = {"host": job.host, "since": job.started, "trials": trials}
    return told


def _stamp(path: Path, has_spells: bool) -> Stamp:
    events = -1
    if has_spells:
        try:
            events = (path.parent / EVENTS).stat().st_size
        except FileNotFoundError:
            events = 0
    return path.stat().st_mtime_ns, events


def _read(path: Path, has_spells: bool) -> Worker:
    who = _content(read_text(path), _WHO) or {"host": "", "gpu": None}
    spells = tuple(_spells(path.parent / EVENTS)) if has_spells else ()
    return Worker(path.parent.name, who["host"], who["gpu"], spells)


def _spells(path: Path) -> list[Spell]:
    begun: dict[str, Spell] = {}
    ended = []
    for event in _events(path):
        if event["what"] == BEGAN:
            if (left := begun.get(event["trial"])) is not None:
                ended.append(left)
            begun[event["trial"]] = Spell(event["trial"], event["epochs"], event["time"], None)
        elif (spell := begun.pop(event["trial"], None)) is not None:
            ended.append(Spell(spell.trial, spell.epochs, spell.began, event["time"]))
    return sorted([*ended, *begun.values()], key=lambda spell: spell.began)


def _events(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = read_text(path).splitlines()
    except FileNotFoundError:
        return
    # all at once, in a third of the time
    found = _json(f"[{','.join(lines)}]")
    if isinstance(found, list) and len(found) == len(lines) and mismatch(found, [_EVENT]) is None:
        yield from found
        return
    for line in lines:
        # the last one may be half written
        if (event := _content(line, _EVENT)) is not None:
            yield event


def _content(text: str, shape: Any) -> dict[str, Any] | None:
    found = _json(text)
    return found if mismatch(found, shape) is None else None


def _json(text: str) -> Any:
    """Return what a text in JSON holds; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

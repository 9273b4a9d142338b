"""Records of the training jobs of a search: where each ran, how long it waited and ran, how it ended.

Each start of a job writes a file of its own in bracket=<s>/round=<i>/jobs/, a worker in workers/<name>/jobs/, and keeps
its modification time fresh. A killed job ended at that time, to a few seconds. A job in SLURM begins when SLURM gives
it its node; SLURM's own times replace those of the record (`accounting`). Nothing is decided by these files.

The records lie in the results, not with the processes: they are read and written as parts of a study's folder.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any

from swift_hyperband.base.files import disk_time, mismatch, read_text, write_json
from swift_hyperband.processes.heartbeat import SILENT_AFTER, Heartbeat
from swift_hyperband.slurm import queue

HOUR = 3600.0


WORKER = "worker"
"""The part of a job that belongs to no round: a worker."""
NO_ROUND = -1
"""Bracket and round of a worker, and of a job that left no record."""


class JobOutcome(StrEnum):
    """How a start of a job ended."""

    AT_WORK = "at work"
    """It has not ended."""
    THROUGH = "through"
    OUT_OF_TIME = "out of time"
    """Its time limit came; it is submitted again to go on."""
    FAILED = "failed"
    STOPPED = "stopped"
    """It was ended from outside."""
    LOST = "lost"
    """It ended without a word."""


RECORD = {
    "part": str,
    "batch": str,
    "host": str,
    "slurm": (str, None),
    "gpus": int,
    "cpus": int,
    "submitted": (float, None),
    "started": float,
    "ended": float,
    "outcome": str,
}
"""What a job's file holds when it has ended."""


@dataclass(frozen=True)
class Job:
    """One start of a training job. Times are in seconds since 1970.

    Attributes
    ----------
    bracket, round : int
        `NO_ROUND` of a worker.
    part : str
        full, partial or complete; `WORKER` of a worker.
    batch : str
        Of the round's part, or the worker's name; the same in all starts of a job.
    host : str
    slurm : str or None
        Its number in SLURM.
    gpus, cpus : int
        What it holds while it runs.
    submitted : float or None
        When it was submitted to SLURM; None where it is not known or there was no queue.
    started : float
    ended : float
        Of a job that is at work or was lost its last sign of life.
    outcome : JobOutcome
    estimated : bool
        Of a job of SLURM's: whether SLURM did not tell when it ended, so that what it took is a little more.
    """

    bracket: int
    round: int
    part: str
    batch: str
    host: str
    slurm: str | None
    gpus: int
    cpus: int
    submitted: float | None
    started: float
    ended: float
    outcome: JobOutcome
    estimated: bool = False

    @property
    def waited(self) -> float:
        """Seconds in the queue, as far as known."""
        return max(0.0, self.started - self.submitted) if self.submitted is not None else 0.0

    @property
    def ran(self) -> float:
        """Seconds that it ran."""
        return max(0.0, self.ended - self.started)

    @property
    def log(self) -> str:
        """Its log, relative to the study's folder."""
        if self.part == WORKER:
            return f"workers/{self.batch}/log"
        return f"bracket={self.bracket}/round={self.round}/logs/{self.part}-{self.batch}.log"


@dataclass(frozen=True)
class Totals:
    """What all jobs took.

    Attributes
    ----------
    jobs : int
        Starts of jobs.
    gpu_hours, core_hours, queue_hours : float
    outcomes : dict
        Starts by outcome.
    estimated : int
        Jobs whose end SLURM did not tell.
    """

    jobs: int
    gpu_hours: float
    core_hours: float
    queue_hours: float
    outcomes: dict[str, int]
    estimated: int = 0


class Record:
    """The record of the job that this process is."""

    def __init__(self) -> None:
        self.outcome = JobOutcome.FAILED


@contextmanager
def recorded(place: Path, part: str, batch: str, gpus: int, cpus: int, queued: bool) -> Iterator[Record]:
    """Record a job from here to the end of the context, whose user says at last how it ended.

    Parameters
    ----------
    place : Path
        Where records lie in `jobs`: the folder of the job's round, or of the worker.
    part, batch : str
        As `Job` has them.
    gpus, cpus : int
        What it holds.
    queued : bool
        Whether it is a scheduler's job, and not one that the head runs itself, perhaps within an allocation.
    """
    number = os.environ.get("SLURM_JOB_ID") if queued else None
    now = time.time()
    start = f"{now:.3f}-{os.uname().nodename}-{os.getpid()}"
    path = place / "jobs" / f"{part}-{batch}-{start}.json"
    submitted, allocated = queue.times(number) if number else (None, None)
    content: dict[str, Any] = {
        "part": part,
        "batch": batch,
        "host": os.environ.get("SLURMD_NODENAME") or os.uname().nodename,
        "slurm": number,
        "gpus": gpus,
        "cpus": cpus,
        "submitted": submitted,
        # with what it takes to start Snakemake and Python
        "started": now if allocated is None else min(allocated, now),
    }
    write_json(path, content)
    heartbeat = Heartbeat(path)
    record = Record()
    try:
        yield record
    except (SystemExit, KeyboardInterrupt):
        record.outcome = JobOutcome.STOPPED
        raise
    finally:
        heartbeat.stop()
        # a disk that is full is what the job itself says, if anything
        with suppress(OSError):
            write_json(path, content | {"ended": time.time(), "outcome": record.outcome})


def read(folder: Path, known: dict[Path, Job] | None = None) -> list[Job]:
    """Return the jobs of a study's folder, by the time of their start.

    Parameters
    ----------
    folder : Path
    known : dict, optional
        Those read before that have ended, by file, which are not read again; added to.
    """
    known = {} if known is None else known
    found = []
    for path in chain(folder.glob("bracket=*/round=*/jobs/*.json"), folder.glob("workers/*/jobs/*.json")):
        job = known.get(path) or _read(path)
        if job is not None:
            found.append(job)
            if job.outcome not in (JobOutcome.AT_WORK, JobOutcome.LOST):
                known[path] = job
    return sorted(found, key=lambda job: job.started)


def was_out_of_time(place: Path) -> bool:
    """Whether the last start of a job, whose records lie in `jobs` of a folder, ended because its time was over."""
    found = [job for path in place.glob("jobs/*.json") if (job := _read(path)) is not None]
    return bool(found) and max(found, key=lambda job: job.started).outcome == JobOutcome.OUT_OF_TIME


def totals(jobs: Sequence[Job]) -> Totals:
    """Return what jobs took in all."""
    outcomes = [job.outcome for job in jobs]
    return Totals(
        len(jobs),
        sum(job.ran * job.gpus for job in jobs) / HOUR,
        sum(job.ran * job.cpus for job in jobs) / HOUR,
        sum(job.waited for job in jobs) / HOUR,
        {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
        sum(job.estimated for job in jobs),
    )


def _read(path: Path) -> Job | None:
    place = re.search(r"bracket=(\d+)/round=(\d+)/jobs/[^/]+$", str(path))
    bracket, round_ = (NO_ROUND, NO_ROUND) if place is None else (int(place[1]), int(place[2]))
    try:
        content: Any = json.loads(read_text(path))
        alive = path.stat().st_mtime
    except (OSError, ValueError, RecursionError):
        # nothing rests on it
        return None
    if isinstance(content, dict) and "outcome" not in content:
        outcome = JobOutcome.LOST if _is_silent(path, alive) else JobOutcome.AT_WORK
        content |= {"ended": alive, "outcome": outcome.value}
    if mismatch(content, RECORD) is not None or content["outcome"] not in list(JobOutcome):
        return None
    estimated = content["slurm"] is not None and content["outcome"] != JobOutcome.AT_WORK
    fields: dict[str, Any] = {name: content[name] for name in RECORD}
    fields["outcome"] = JobOutcome(content["outcome"])
    return Job(bracket=bracket, round=round_, **fields, estimated=estimated)


def _is_silent(path: Path, alive: float) -> bool:
    """Whether a record's last sign of life is too long ago, by the clock that dated it.

    That is the file server's. It may differ from the clock of this host, and both from that of the job's host.
    """
    if 0 <= time.time() - alive <= SILENT_AFTER:
        return False
    try:
        now = disk_time(path.parent)
    except OSError:
        # who may only read has no better clock than the own one
        now = time.time()
    return now - alive > SILENT_AFTER

"""The time of a search's jobs, as SLURM accounts for it: from the allocation of a job's node to its end.

A job's own record begins and ends with its Python process, or ends up to ten seconds before a kill, and a job that is
cancelled during its start leaves none. SLURM knows better, but without sacct it forgets within minutes. So the head
writes SLURM's answers to the study's folder now and then, and readers combine both.
"""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json, write_json
from swift_hyperband.results import jobs
from swift_hyperband.results.jobs import Job, JobOutcome
from swift_hyperband.slurm import queue
from swift_hyperband.slurm.queue import Run

NAME = "slurm.json"
SHAPE = {
    **dict.fromkeys(("id", "state", "node", "name", "comment", "folder"), str),
    "submitted": float,
    "started": float,
    "ended": (float, None),
    "cpus": int,
    "gpus": (int, None),
}
"""What is noted of a run."""
BEFORE = 60.0
"""Seconds by which the file server's clock may be ahead of SLURM's."""
OUTCOMES = {
    **dict.fromkeys(("CANCELLED", "PREEMPTED", "REQUEUED", "REVOKED"), JobOutcome.STOPPED),
    **dict.fromkeys(("TIMEOUT", "DEADLINE"), JobOutcome.OUT_OF_TIME),
    **dict.fromkeys(("FAILED", "OUT_OF_MEMORY", "BOOT_FAIL", "LAUNCH_FAILED", "RECONFIG_FAIL"), JobOutcome.FAILED),
    "COMPLETED": JobOutcome.THROUGH,
}
"""How a job ended that could not say so itself; it was lost in all other states."""


def read(folder: Path, known: dict[Path, Job] | None = None, runs: Sequence[Run] | None = None) -> list[Job]:
    """Return the training jobs of a study's folder by the time of their start, with SLURM's own times.

    Parameters
    ----------
    folder : Path
    known : dict, optional
        As `jobs.read`.
    runs : sequence of Run, optional
        What is known of SLURM; what was noted, and what SLURM says now if not given.
    """
    recorded = jobs.read(folder, known)
    return put_together(recorded, ask(folder, recorded) if runs is None else runs)


def ask(folder: Path, recorded: Sequence[Job]) -> list[Run]:
    """Return what was noted of the runs of a study's jobs, and what SLURM says of them now."""
    found = {(run.id, run.submitted): run for run in noted(folder)}
    if (recorded_jobs := [job for job in recorded if job.slurm is not None]) or found:
        numbers = {job.slurm for job in recorded_jobs if job.slurm is not None}
        found |= _asked(folder, recorded, numbers)
    return list(found.values())


def note(folder: Path) -> None:
    """Note in a study's folder what SLURM says of its jobs; only the head does."""
    recorded = jobs.read(folder)
    numbers = {job.slurm for job in recorded if job.slurm is not None}
    before = {(run.id, run.submitted): run for run in noted(folder)}
    found = before | _asked(folder, recorded, numbers)
    if found != before:
        write_json(folder / NAME, {"runs": [asdict(run) for run in found.values()]})


def noted(folder: Path) -> list[Run]:
    """Return what was noted of the runs of a study's jobs; nothing is decided by it, so a damaged file is none."""
    with suppress(UserError, OSError, TypeError):
        return [found for run in read_json(folder / NAME, {"runs": [SHAPE]})["runs"] if _is_sound(found := Run(**run))]
    return []


def _is_sound(run: Run) -> bool:
    """Whether numbers are such as there are: times of this millennium and the next, in their order, and cores."""
    ended = run.started if run.ended is None else run.ended
    return 0 <= run.submitted <= run.started <= ended <= 1e11 and 0 <= run.cpus <= 1e6 and 0 <= (run.gpus or 0) <= 1e6


def put_together(recorded: Sequence[Job], runs: Sequence[Run]) -> list[Job]:
    """Return jobs with the times of their runs in SLURM, and those that left no record, by the time of their start.

    Where several jobs of the workflow ran in one of SLURM's, the first one has all that this took.
    """
    by_number = defaultdict(list)
    for run in runs:
        by_number[run.id].append(run)
    taken: set[tuple[str, float]] = set()
    found = []
    for job in sorted(recorded, key=lambda job: job.started):
        fitting = by_number.get(job.slurm or "")
        if not fitting:
            found.append(job)
            continue
        run = min(fitting, key=lambda run: _distance(job, run))
        if (run.id, run.submitted) in taken:
            found.append(replace(job, gpus=0, cpus=0, submitted=None, estimated=False))
        else:
            taken.add((run.id, run.submitted))
            found.append(_accounted(job, run))
    gpus = max((job.gpus for job in recorded), default=0)
    left = [run for run in runs if (run.id, run.submitted) not in taken]
    found += [_without_record(run, gpus) for run in left if _trains(run)]
    return sorted(found, key=lambda job: job.started)


def _asked(folder: Path, recorded: Sequence[Job], numbers: set[str]) -> dict[tuple[str, float], Run]:
    if shutil.which("squeue") is None:
        return {}
    begins = [job.submitted or job.started for job in recorded]
    with suppress(OSError):
        begins.append((folder / "study.json").stat().st_mtime - BEFORE)
    if not begins:
        return {}
    # records may be damaged
    since = min(max(0.0, min(begins)), time.time())
    return {(run.id, run.submitted): run for run in queue.runs(folder.name, numbers, since)}


def _distance(job: Job, run: Run) -> float:
    if job.submitted is not None:
        return abs(job.submitted - run.submitted)
    return abs(job.started - run.started)


def _accounted(job: Job, run: Run) -> Job:
    outcome = job.outcome
    if run.ended is not None and outcome in (JobOutcome.AT_WORK, JobOutcome.LOST):
        outcome = OUTCOMES.get(run.state, JobOutcome.LOST)
    return replace(
        job,
        submitted=run.submitted,
        started=run.started,
        ended=run.ended if run.ended is not None else max(job.ended, run.started),
        cpus=run.cpus or job.cpus,
        gpus=job.gpus if run.gpus is None else run.gpus,
        outcome=outcome,
        estimated=run.ended is None and outcome != JobOutcome.AT_WORK,
    )


def _trains(run: Run) -> bool:
    if queue.training(run.comment) or queue.worker(run.comment) is not None:
        return True
    # of sacct, which keeps no comments; a search's name is on its training jobs only
    return run.comment in ("", "(null)") and run.name.startswith(queue.PREFIX)


def _without_record(run: Run, gpus: int) -> Job:
    bracket, round_, part, batch = queue.training(run.comment) or (jobs.NO_ROUND, jobs.NO_ROUND, "", "")
    if (name := queue.worker(run.comment)) is not None:
        part, batch = jobs.WORKER, name
    return Job(
        bracket=bracket,
        round=round_,
        part=part,
        batch=batch,
        host=run.node,
        slurm=run.id,
        gpus=gpus if run.gpus is None else run.gpus,
        cpus=run.cpus,
        submitted=run.submitted,
        started=run.started,
        ended=run.started if run.ended is None else run.ended,
        outcome=JobOutcome.AT_WORK if run.ended is None else OUTCOMES.get(run.state, JobOutcome.LOST),
    )

"""The jobs that a search has in SLURM's queue, as squeue tells them.

A search's jobs are those that were submitted from this folder and either bear the search's own name, which `swift-
hyperband run` gives them, or say in their comment that they train for it, as those of plain `snakemake` do, whatever
its profile calls them. The folder is asked for because another one may hold a search of the same name, at work now.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from swift_hyperband.errors import UserError

PREFIX = "swift-hyperband-"
LONGEST_PREFIX = 50
"""What the SLURM plugin takes, which puts an underscore and the number of the start behind it."""
FIELDS = "%i|%j|%T|%M|%N|%k|%Z"
OVER = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"}
"""States of jobs without processes. NODE_FAIL is none: a node that cannot be reached may live."""
PATIENCE = 20.0
"""Seconds in which SLURM must answer."""
PAUSES = (2.0, 5.0)
"""Seconds before SLURM is asked again where it did not answer."""


class SlurmError(UserError):
    """SLURM does not answer."""


@dataclass(frozen=True)
class Job:
    """A job in SLURM's queue."""

    id: str
    name: str
    state: str
    time: str
    nodes: str
    comment: str
    folder: str


def job_prefix(study: str) -> str:
    """Return what the names of a study's jobs begin with."""
    prefix = PREFIX + study
    if len(prefix) <= LONGEST_PREFIX:
        return prefix
    ending = "-" + hashlib.sha256(study.encode()).hexdigest()[:8]
    return prefix[: LONGEST_PREFIX - len(ending)] + ending


def jobs(study: str, told: Callable[[str], None], pauses: Sequence[float] = PAUSES) -> list[Job]:
    """Return the jobs of a study that are in the queue, or still ending.

    Parameters
    ----------
    study : str
        The study's name; its folder is results/<study> in the working directory.
    told : callable
        Is given a line when SLURM does not answer and is asked again.
    pauses : sequence of float
        Seconds before it is asked again.

    Raises
    ------
    SlurmError
        If SLURM does not answer.
    """
    found = [_job(line) for line in _run(["squeue", "--me", "-a", "-h", "-o", FIELDS], told, pauses).splitlines()]
    return [job for job in found if job is not None and _is_of(job, study)]


def submitted(job: str) -> float | None:
    """Return when a job was submitted, in seconds since 1970; None where SLURM does not say."""
    try:
        printed = _run(["squeue", "-a", "-h", "-j", job, "-o", "%V"], lambda _: None, pauses=())
        return datetime.fromisoformat(printed.split()[0]).timestamp()
    except (SlurmError, ValueError, IndexError):
        return None


def is_over(job: str) -> bool:
    """Whether a job has ended and left no process behind; False where SLURM does not say."""
    try:
        printed = _run(["squeue", "-a", "-h", "--states=all", "-j", job, "-o", "%T"], lambda _: None, pauses=())
    except SlurmError:
        return False
    # nothing is printed of a job that SLURM has forgotten
    return set(printed.split()) <= OVER


def cancel(found: Collection[Job], told: Callable[[str], None], pauses: Sequence[float] = PAUSES) -> None:
    """Cancel jobs.

    Raises
    ------
    SlurmError
        If SLURM does not answer.
    """
    if found:
        _run(["scancel", *(job.id for job in found)], told, pauses)


def log(job: Job) -> str | None:
    """Return the log of a training job, relative to the study's folder; None of any other job."""
    found = re.fullmatch(r"rule_train_([a-z]+)_wildcards_.+_(\d+)_(\d+)_([^_]+)", job.comment)
    return f"bracket={found[2]}/round={found[3]}/logs/{found[1]}-{found[4]}.log" if found else None


def counted(found: Collection[Job]) -> str:
    """Return how many jobs there are by state, as "3 jobs (2 running, 1 pending)"."""
    states = [job.state.lower() for job in found]
    by_state = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states), key=states.index))
    return f"{len(states)} job{'s' if len(states) != 1 else ''} ({by_state})"


def _is_of(job: Job, study: str) -> bool:
    if Path(job.folder).resolve() != Path.cwd():
        return False
    # the number of the start behind the prefix has no underscore: study "a" is not study "a_b"
    is_named = re.fullmatch(rf"{re.escape(job_prefix(study))}_[0-9a-f-]+", job.name)
    # the rule, and its wildcards as rules/train.smk has them: study, bracket, round and batch
    trains = re.fullmatch(rf"rule_train_[a-z]+_wildcards_{re.escape(study)}_\d+_\d+_[^_]+", job.comment)
    return bool(is_named or trains)


def _job(line: str) -> Job | None:
    # the folder is the last one, for it alone may hold any character
    fields = line.strip().split("|", maxsplit=FIELDS.count("|"))
    return Job(*fields) if len(fields) == FIELDS.count("|") + 1 else None


def _run(command: list[str], told: Callable[[str], None], pauses: Sequence[float]) -> str:
    """Run a command of SLURM's; return what it printed."""
    name = command[0]
    for pause in (*pauses, None):
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, stdin=subprocess.DEVNULL
            )
        except FileNotFoundError:
            raise SlurmError(
                f"{name}: must be there to find this search's jobs in SLURM, found no such command; "
                "start the search where SLURM's commands are"
            ) from None
        except subprocess.TimeoutExpired:
            problem = f"no answer within {PATIENCE:.0f} seconds"
        else:
            # some versions of scancel fail where a job has ended meanwhile
            if done.returncode == 0 or "Invalid job id" in done.stderr:
                return done.stdout
            problem = " ".join((done.stderr or done.stdout).split()) or f"exit code {done.returncode}"
        if pause is not None:
            told(f"{name} does not answer ({problem}); it is asked again")
            time.sleep(pause)
    raise SlurmError(f"{name}: must answer, found: {problem}; try again when SLURM does")

"""The jobs of a search in SLURM's queue, from squeue.

A job belongs to a search if it was submitted from this folder and (a) its name starts with the search's prefix, which
`swift-hyperband run` gives it, or (b) its comment names the study, as plain `snakemake` writes it with any profile.
The folder counts because another one may have a search of the same name.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shlex
import subprocess
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from swift_hyperband.base.errors import UserError

logger = logging.getLogger(__name__)

PREFIX = "swift-hyperband-"
LONGEST_PREFIX = 50
"""What the SLURM plugin takes, which puts an underscore and the number of the start behind it."""
FIELDS = "%i|%j|%T|%M|%N|%k|%Z"
OVER = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "LAUNCH_FAILED", "OUT_OF_MEMORY", "PREEMPTED"),
    *("RECONFIG_FAIL", "REVOKED", "SPECIAL_EXIT", "TIMEOUT"),
}
"""States of jobs without processes. NODE_FAIL is none: a node that cannot be reached may live."""
HELD = {"LAUNCH_FAILED", "RECONFIG_FAIL", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
"""States of jobs that failed and stay in the queue until somebody releases them."""
WAITING = {"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
"""States of jobs that hold nothing; what squeue gives as their start is a guess."""
TIMES = ("jobid", "submittime", "starttime", "endtime", "state", "numcpus", "tres-alloc", "nodelist", "name", "comment")
"""What squeue tells of a job's times and of what it holds; the folder comes behind, as it may hold any character."""
ACCOUNTED = "JobIDRaw,Submit,Start,End,State,AllocCPUS,AllocTRES,NodeList,JobName,Comment,WorkDir"
"""The same of sacct."""
AT_WORK = {"RUNNING", "SUSPENDED", "STOPPED", "SIGNALING", "RESIZING", "CONFIGURING", "POWER_UP_NODE", "STAGE_OUT"}
"""States of jobs that hold a node and have not ended."""
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


@dataclass(frozen=True)
class Run:
    """One run of a job, as SLURM accounts for it; a job that is requeued has several. Times are in seconds since 1970.

    Attributes
    ----------
    id : str
    submitted : float
    started : float
    ended : float or None
        None while it runs.
    state : str
    cpus : int
    gpus : int or None
        None where SLURM does not count them.
    node, name, comment, folder : str
    """

    id: str
    submitted: float
    started: float
    ended: float | None
    state: str
    cpus: int
    gpus: int | None
    node: str
    name: str
    comment: str
    folder: str


def job_prefix(study: str) -> str:
    """Return what the names of a study's jobs begin with."""
    prefix = PREFIX + study
    if len(prefix) <= LONGEST_PREFIX:
        return prefix
    ending = "-" + hashlib.sha256(study.encode()).hexdigest()[:8]
    return prefix[: LONGEST_PREFIX - len(ending)] + ending


def jobs(study: str, pauses: Sequence[float] = PAUSES) -> list[Job]:
    """Return the jobs of a study that are in the queue, or still ending.

    Parameters
    ----------
    study : str
        The study's name; its folder is results/<study> in the working directory.
    pauses : sequence of float
        Seconds before it is asked again.

    Raises
    ------
    SlurmError
        If SLURM does not answer.
    """
    found = [_job(line) for line in _run(["squeue", "--me", "-a", "-h", "-o", FIELDS], pauses).splitlines()]
    return [job for job in found if job is not None and _is_of(job, study)]


def times(job: str) -> tuple[float | None, float | None]:
    """Return when a job that runs was submitted and when it was given its node; None where SLURM does not say."""
    try:
        printed = _run(["squeue", "-a", "-h", "-j", job, "-o", "%V|%S"], pauses=()).strip()
    except SlurmError:
        # newer versions tell it besides, where a node has no squeue
        own = job == os.environ.get("SLURM_JOB_ID")
        return None, _seconds(os.environ.get("SLURM_JOB_START_TIME", "")) if own else None
    submitted, _, started = printed.partition("|")
    return _seconds(submitted), _seconds(started)


def runs(study: str, known: Collection[str], since: float) -> list[Run]:
    """Return what SLURM still knows of the runs of a study's jobs: of squeue, and of sacct where there is one.

    Parameters
    ----------
    study : str
        As `jobs`.
    known : collection of str
        Numbers of jobs that are the study's for certain.
    since : float
        When its first job may have been submitted, in seconds since 1970.

    Returns
    -------
    list of Run
        Of those that started; empty where nobody answers.
    """
    queue = ["squeue", "--me", "-a", "-h", "--states=all", "-O", "".join(f"{name}:|," for name in TIMES) + "workdir:"]
    begin = datetime.fromtimestamp(since).strftime("%Y-%m-%dT%H:%M:%S")
    books = ["sacct", "-X", "-D", "-n", "-P", "-S", begin, f"--format={ACCOUNTED}"]
    found: dict[tuple[str, float], Run] = {}
    for command in (queue, books):
        try:
            lines = _run(command, pauses=()).splitlines()
        except SlurmError:
            # there need be no sacct, and nobody behind it
            continue
        for run in filter(None, map(_account, lines)):
            mine = run.id in known or _is_of(run, study)
            # sacct keeps no comments, where it is not told to
            if mine and run.submitted >= since and not (run.ended is None and (run.id, run.submitted) in found):
                before = found.get((run.id, run.submitted))
                found[run.id, run.submitted] = run if before is None else replace(run, comment=before.comment)
    return list(found.values())


def workers(found: Collection[Job]) -> dict[str, str]:
    """Return the numbers of the jobs that are workers and have not ended, by the names of the workers."""
    living = [job for job in found if job.state in (AT_WORK | WAITING) - HELD]
    # of two with one name, the one at work
    living.sort(key=lambda job: job.state in AT_WORK)
    return {name: job.id for job in living if (name := worker(job.comment)) is not None}


def states(found: Collection[str]) -> dict[str, str]:
    """Return the states of jobs by their numbers, also of those that ended, as far as SLURM knows them.

    Raises
    ------
    SlurmError
        If SLURM does not answer.
    """
    printed = _run(["squeue", "-a", "-h", "--states=all", "-j", ",".join(found), "-o", "%i|%T"], pauses=())
    return dict(line.strip().split("|", 1) for line in printed.splitlines() if "|" in line)


def is_over(job: str) -> bool:
    """Whether a job has ended and left no process behind; False where SLURM does not say."""
    try:
        printed = _run(["squeue", "-a", "-h", "--states=all", "-j", job, "-o", "%T"], pauses=())
    except SlurmError:
        return False
    # nothing is printed of a job that SLURM has forgotten
    return set(printed.split()) <= OVER


def cancel(found: Collection[Job], pauses: Sequence[float] = PAUSES) -> None:
    """Cancel jobs.

    Raises
    ------
    SlurmError
        If SLURM does not answer.
    """
    cancel_numbers([job.id for job in found], pauses)


def cancel_numbers(found: Collection[str], pauses: Sequence[float] = PAUSES) -> None:
    """Cancel jobs by their numbers, as `cancel`."""
    if found:
        _run(["scancel", *found], pauses)


def training(comment: str) -> tuple[int, int, str, str] | None:
    """Return bracket, round, part and batch of a training job; None of any other job."""
    found = re.fullmatch(r"rule_train_([a-z]+)_wildcards_.+_(\d+)_(\d+)_([^_]+)", comment)
    return (int(found[2]), int(found[3]), found[1], found[4]) if found else None


def worker(comment: str) -> str | None:
    """Return the name of a worker, from the comment of its job; None of any other job."""
    found = re.fullmatch(r"rule_worker_wildcards_.+_(\d+)", comment)
    return found[1] if found else None


def log(job: Job) -> str | None:
    """Return the log of a training job or a worker, relative to the study's folder; None of any other job."""
    if (name := worker(job.comment)) is not None:
        return f"workers/{name}/log"
    found = training(job.comment)
    return f"bracket={found[0]}/round={found[1]}/logs/{found[2]}-{found[3]}.log" if found else None


def counted(found: Collection[Job]) -> str:
    """Return how many jobs there are by state, as "3 jobs (2 running, 1 pending)"."""
    states = [job.state.lower() for job in found]
    by_state = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states), key=states.index))
    return f"{len(states)} job{'s' if len(states) != 1 else ''} ({by_state})"


def _account(line: str) -> Run | None:
    """Return the run that a line of squeue or sacct tells of; None of a job that never started."""
    fields = line.strip().split("|", maxsplit=len(TIMES))
    if len(fields) <= len(TIMES):
        return None
    id_, submit, start, end, states, cpus, holds, node, name, comment, folder = fields
    submitted, started, ended = map(_seconds, (submit, start, end))
    state = states.split()[0] if states else ""
    # REQUEUED of sacct is a run that is over, of squeue one that is to come, which has no end in the past
    waits = state in WAITING and not (state == "REQUEUED" and ended is not None and node)
    if submitted is None or started is None or waits or node in ("", "None assigned", "(null)"):
        return None
    if state in AT_WORK:
        # what squeue gives is when the time limit comes
        ended = None
    gpus = re.search(r"gres/gpu=(\d+)", holds)
    counted = None if gpus is None else int(gpus[1])
    return Run(id_, submitted, started, ended, state, int(cpus or 0), counted, node, name, comment, folder)


def _seconds(text: str) -> float | None:
    """Return a time that SLURM was asked for in seconds since 1970; None of Unknown, None and N/A."""
    try:
        return float(text)
    except ValueError:
        return None


def _is_of(job: Job | Run, study: str) -> bool:
    if Path(job.folder).resolve() != Path.cwd():
        return False
    # the number of the start behind the prefix has no underscore: study "a" is not study "a_b"
    is_named = re.fullmatch(rf"{re.escape(job_prefix(study))}_[0-9a-f-]+", job.name)
    # the rule and its wildcards: study, bracket, round and batch, or study and worker
    rules = rf"train_[a-z]+_wildcards_{re.escape(study)}_\d+_\d+_[^_]+|worker_wildcards_{re.escape(study)}_\d+"
    return bool(is_named or re.fullmatch(f"rule_({rules})", job.comment))


def _job(line: str) -> Job | None:
    # the folder is the last one, for it alone may hold any character
    fields = line.strip().split("|", maxsplit=FIELDS.count("|"))
    return Job(*fields) if len(fields) == FIELDS.count("|") + 1 else None


def _run(command: list[str], pauses: Sequence[float]) -> str:
    """Run a command of SLURM's; return what it printed."""
    name = command[0]
    logger.debug(f"asks SLURM: {shlex.join(command)}")
    # times as numbers: free of time zones, and of the user's own SLURM_TIME_FORMAT
    environment = {**os.environ, "SLURM_TIME_FORMAT": "%s"}
    for pause in (*pauses, None):
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE,
                stdin=subprocess.DEVNULL,
                env=environment,
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
            logger.warning(f"{name} does not answer ({problem}); it is asked again")
            time.sleep(pause)
    raise SlurmError(f"{name}: must answer, found: {problem}; try again when SLURM does")

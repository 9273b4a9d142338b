"""Corrections of Snakemake's SLURM plugin, which alone may wait without end and without a message.

With version 2.8.0, each of these ends in a silent wait:

- while `scontrol` does not answer, the plugin asks sacct even if the profile names squeue, and sacct may not exist;
- after enough failures of a status command it forgets all jobs in the queue;
- it waits for a job that was preempted without requeueing ("PREEMPTED"), as SLURM might start it again;
- it waits for a failed job that is held in the queue ("SPECIAL_EXIT", "LAUNCH_FAILED" ...);
- it does not recognise sacct's "CANCELLED by 1000" as "CANCELLED";
- it waits for a job that SLURM no longer knows.

The plugin has no setting for any of them, so its functions are wrapped in the process that runs the search.

Workers are jobs that end when their search is over. The plugin asks for them every three minutes, and waits for those
that are still in the queue, too. The search's folder tells at once that it is over, or that it cannot go on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from swift_hyperband.slurm import queue
from swift_hyperband.slurm.left_workers import is_worker

logger = logging.getLogger(__name__)

UNKNOWN_AFTER = 60.0
"""Seconds without a sign of a job, in answers of SLURM, after which it counts as lost."""
SAY_AFTER = 600.0
"""Seconds without an ended job after which the head says what it waits for, and then again."""
MIN_JOB_AGE = 300
"""SLURM's default, in seconds, for the time that ended jobs stay known."""
LOOK_EVERY = 1.0
"""Seconds between two looks at whether the search is over."""
OVER = {"PREEMPTED": "CANCELLED", "REVOKED": "CANCELLED", **dict.fromkeys(queue.HELD, "FAILED")}
"""States of jobs that SLURM will not start again, and what the plugin understands."""

States = dict[str, str]


class _Memory:
    """What was seen of SLURM so far."""

    def __init__(self) -> None:
        self.states: States | None = None
        """Of all jobs of this run by id, as last answered; None while there is no answer."""
        self.min_job_age = MIN_JOB_AGE
        self.missing_since: dict[str, float] = {}
        self.changed = time.monotonic()
        self.active = 0
        self.has_failed = False
        """Whether jobs were looked at since the search cannot go on."""


def mend(
    plugin: Any,
    is_over: Callable[[], bool] = lambda: False,
    taken: Collection[str] = (),
    error: Callable[[], str | None] = lambda: None,
) -> None:
    """Wrap the plugin's functions, once.

    Parameters
    ----------
    plugin : module
        snakemake_executor_plugin_slurm.
    is_over : callable, optional
        Returns whether the search is over, so that its workers end.
    taken : collection of str, optional
        Numbers of jobs of an earlier start that are followed, too (`left_workers`); it may grow.
    error : callable, optional
        Returns in one line why the search cannot go on, so that no worker is waited for in the queue; None if it can.
    """
    if getattr(plugin, "mended", False):
        return
    plugin.mended = True
    memory = _Memory()
    ask, min_job_age, check = plugin.query_job_status, plugin.get_min_job_age, plugin.Executor.check_active_jobs
    sleep = plugin.Executor.sleep

    async def query_job_status(command: str, logger: Any) -> tuple[States | None, float | None]:
        states, seconds = await ask(command, logger)
        if taken and states is not None:
            # the plugin asks for the jobs of its own start
            try:
                states = states | queue.states(taken)
            except queue.SlurmError:
                states = seconds = None
        if held := [job for job, state in (states or {}).items() if _first(state) in queue.HELD]:
            # another one takes its place: it must not come back when it is released
            with suppress(queue.SlurmError):
                queue.cancel_numbers(held, pauses=())
        memory.states = None if states is None else {job: understood(state) for job, state in states.items()}
        return memory.states, seconds

    def get_min_job_age() -> int:
        memory.min_job_age = min_job_age() or memory.min_job_age
        return memory.min_job_age

    async def check_active_jobs(executor: Any, active_jobs: Sequence[Any]) -> AsyncIterator[Any]:
        memory.states = None
        memory.has_failed = error() is not None
        kept = [job async for job in check(executor, active_jobs)]
        if memory.states is None:
            # nobody answered: the plugin keeps none
            kept = list(active_jobs)
        _say_what_it_waits_for(memory, kept)
        for job in kept:
            if _is_lost(memory, job.external_jobid):
                message = f"SLURM no longer knows job {job.external_jobid}; it is submitted again"
                executor.report_job_error(job, msg=message)
            else:
                yield job

    async def sleep_until_over(executor: Any) -> None:
        pause = asyncio.ensure_future(sleep(executor))
        while not pause.done() and not is_over() and (memory.has_failed or error() is None):
            await asyncio.wait([pause], timeout=LOOK_EVERY)
        if pause.done():
            await pause
        else:
            pause.cancel()
            await asyncio.sleep(LOOK_EVERY)

    plugin.query_job_status = query_job_status
    plugin.get_min_job_age = get_min_job_age
    plugin.Executor.check_active_jobs = check_active_jobs
    plugin.Executor.sleep = sleep_until_over
    let_workers_end(plugin, is_over, error)


def let_workers_end(plugin: Any, is_over: Callable[[], bool], error: Callable[[], str | None] = lambda: None) -> None:
    """Let an executor of jobs in SLURM not wait for workers in the queue once the search is over, or cannot go on.

    Parameters
    ----------
    plugin : module
        snakemake_executor_plugin_slurm, or snakemake_executor_plugin_cluster_generic.
    is_over, error : callable
        As in `mend`.
    """
    check = plugin.Executor.check_active_jobs
    cancelled: set[str] = set()

    async def check_active_jobs(executor: Any, active_jobs: Sequence[Any]) -> AsyncIterator[Any]:
        left: Sequence[Any] = active_jobs
        ending: Sequence[Any] = ()
        if is_over():
            left, ending = _end_workers(executor, active_jobs, cancelled)
        elif (line := error()) is not None:
            left = _fail_workers(executor, active_jobs, line)
        for job in ending:
            yield job
        if left:
            async for job in check(executor, left):
                yield job

    plugin.Executor.check_active_jobs = check_active_jobs


def _end_workers(executor: Any, jobs: Sequence[Any], cancelled: set[str]) -> tuple[list[Any], list[Any]]:
    """Report workers that have ended, and cancel those still in the queue, when the search is over.

    Returns
    -------
    list
        The jobs that are left, workers that run among them.
    list
        Workers that were cancelled and may not be gone: they may have begun just then, and would remove their output.
    """
    left: list[Any] = []
    ending: list[Any] = []
    states: States | None = None
    # there need be no SLURM behind a site's own commands
    with suppress(queue.SlurmError):
        states = queue.states([job.external_jobid for job in jobs]) if jobs else {}
    for job in jobs:
        number = job.external_jobid
        if not is_worker(job.job):
            left.append(job)
            continue
        done = Path(str(job.job.output[0]))
        if number in cancelled:
            # one that SLURM has forgotten is gone, too
            if states is None or states.get(number, "CANCELLED") not in queue.OVER:
                ending.append(job)
                continue
            done.parent.mkdir(parents=True, exist_ok=True)
            done.touch()
        elif not done.exists():
            waits = states is not None and states.get(number) in queue.WAITING
            (ending if waits else left).append(job)
            if waits:
                with suppress(queue.SlurmError):
                    queue.cancel_numbers([number], pauses=())
                    cancelled.add(number)
            continue
        executor.report_job_success(job)
    return left, ending


def _fail_workers(executor: Any, jobs: Sequence[Any], error: str) -> list[Any]:
    """Cancel the workers in the queue, and report them as failed; return the jobs that are left."""
    left: list[Any] = []
    for job, state in zip(jobs, _states(jobs), strict=True):
        if not is_worker(job.job) or state not in queue.WAITING:
            left.append(job)
            continue
        with suppress(queue.SlurmError):
            queue.cancel_numbers([job.external_jobid], pauses=())
        executor.report_job_error(job, msg=error)
    return left


def _states(jobs: Sequence[Any]) -> list[str | None]:
    """Return SLURM's states of jobs; None where it does not answer, as there need be none behind a site's commands."""
    found: States = {}
    if jobs:
        with suppress(queue.SlurmError):
            found = queue.states([job.external_jobid for job in jobs])
    return [found.get(job.external_jobid) for job in jobs]


def understood(state: str) -> str:
    """Return a job's state as the plugin understands it, from what squeue or sacct says."""
    return OVER.get(_first(state), _first(state))


def _first(state: str) -> str:
    return state.split()[0] if state else state


def _is_lost(memory: _Memory, job: str) -> bool:
    if memory.states is None or job in memory.states or job.partition("_")[0] in memory.states:
        memory.missing_since.pop(job, None)
        return False
    # one that was just submitted may not be known yet
    return time.monotonic() - memory.missing_since.setdefault(job, time.monotonic()) > UNKNOWN_AFTER


def _say_what_it_waits_for(memory: _Memory, jobs: Sequence[Any]) -> None:
    now = time.monotonic()
    if len(jobs) != memory.active:
        memory.active, memory.changed = len(jobs), now
    if not jobs or now - memory.changed < SAY_AFTER:
        return
    memory.changed = now
    if memory.states is None:
        logger.warning(f"waits for {len(jobs)} jobs, and SLURM does not answer how they are")
        return
    first = ", ".join(
        f"{job.external_jobid} {memory.states.get(job.external_jobid, 'unknown to SLURM')} ({' '.join(job.job.log)})"
        for job in jobs[:3]
    )
    more = f" and {len(jobs) - 3} more" if len(jobs) > 3 else ""
    logger.info(f"no job has ended for {SAY_AFTER / 60:.0f} minutes; it waits for {first}{more}")

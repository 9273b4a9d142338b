"""The head's change of Snakemake's retries: none if every trial crashes alike, whatever the profile says.

Profiles give retries to jobs that ran out of time or memory. If no trial completes its first epoch, or the code was
edited meanwhile, Snakemake would submit jobs again and again, because a job cannot tell it to stop. A worker whose time
is over is submitted again as often as the search takes: it has done its work, so that is no retry.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)


def give_up_with(reason: Callable[[], str | None], was_out_of_time: Callable[[str], bool] = lambda _: False) -> None:
    """Let Snakemake start no further job once there is a reason to give up, and end when those at work have ended.

    Parameters
    ----------
    reason : callable
        Asked whenever a job has failed; returns a line for the user, or None to go on.
    was_out_of_time : callable, optional
        Asked whenever a worker has failed, with its name; returns whether it ended because its time was over.
    """
    # Snakemake, which is imported already where this is called, and nowhere else
    from snakemake.scheduling.job_scheduler import JobScheduler

    handle = JobScheduler._handle_error
    told = False

    def handle_error(scheduler: Any, job: Any, *arguments: Any, **options: Any) -> None:
        nonlocal told
        if (line := reason()) is not None:
            scheduler.keepgoing = False
            for rule in scheduler.workflow.rules:
                rule.restart_times = 0
            if not told:
                logger.warning(line)
            told = True
        handle(scheduler, job, *arguments, **options)
        name = _worker(job)
        if name is not None and job.attempt > 1 and was_out_of_time(name):
            # the next start has the same time and memory
            job.attempt -= 1

    JobScheduler._handle_error = handle_error


def _worker(job: Any) -> Any:
    """Return the name of a worker; None of any other job, and of a group of jobs."""
    rule = getattr(job, "rule", None)
    return job.wildcards.worker if getattr(rule, "name", None) == "worker" else None

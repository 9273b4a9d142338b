"""The head's change of Snakemake's retries: none if every trial crashes alike, whatever the profile says.

Profiles give retries to jobs that ran out of time or memory. If no trial completes its first epoch, or the code was
edited meanwhile, Snakemake would submit jobs again and again, because a job cannot tell it to stop.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)


def give_up_with(reason: Callable[[], str | None]) -> None:
    """Let Snakemake start no further job once there is a reason to give up, and end when those at work have ended.

    Parameters
    ----------
    reason : callable
        Asked whenever a job has failed; returns a line for the user, or None to go on.
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

    JobScheduler._handle_error = handle_error

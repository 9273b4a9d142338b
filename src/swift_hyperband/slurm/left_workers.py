"""Workers that a killed head left in SLURM's queue: the next head goes on with them.

They stay until the search is over, so nobody can wait for their end. Instead of a new job for a worker, the executor is
given the number of the job that is there, and follows that one as its own. No two jobs have the same number of a worker
then, and if the job ends before the search is over, Snakemake submits the worker again, as ever.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from swift_hyperband.slurm import queue

logger = logging.getLogger(__name__)

PLUGIN, GENERIC = "snakemake_executor_plugin_slurm", "snakemake_executor_plugin_cluster_generic"
"""Snakemake's executors that submit jobs to SLURM: its own plugin, and that of a site's own commands."""


def take_over(plugins: Iterable[Any], study: str) -> set[str]:
    """Let Snakemake's executors go on with the workers that are in the queue.

    Parameters
    ----------
    plugins : iterable of module
    study : str
        The study's name.

    Returns
    -------
    set of str
        The numbers of the jobs, as the executors come to them.
    """
    taken: set[str] = set()
    try:
        left = queue.workers(queue.jobs(study, pauses=()))
    except queue.SlurmError as error:
        # `run` has asked before; plain Snakemake need have no squeue
        logger.debug(f"it is not known which workers are left: {error}")
        return taken
    if left:
        for plugin in plugins:
            _wrap(plugin, left, taken)
    return taken


def _wrap(plugin: Any, left: dict[str, str], taken: set[str]) -> None:
    submit = plugin.Executor.run_job

    def run_job(executor: Any, job: Any) -> None:
        # once: if that job ends too early, another one is submitted
        number = left.pop(job.wildcards.worker, None) if is_worker(job) else None
        if number is None:
            submit(executor, job)
            return
        logger.info(f"worker {job.wildcards.worker} goes on as job {number}, which an earlier start left in SLURM")
        taken.add(number)
        # the SLURM plugin submits in threads
        report = getattr(executor, "_report_job_submission_threadsafe", executor.report_job_submission)
        report(plugin.SubmittedJobInfo(job, external_jobid=number, aux=_aux(executor, number)))

    plugin.Executor.run_job = run_job


def _aux(executor: Any, number: str) -> dict[str, Path]:
    """Return what an executor remembers of a job: the SLURM plugin its log, which it removes or names at its end."""
    folder: Path | None = getattr(executor, "slurm_logdir", None)
    if folder is None:
        return {}
    name = f"{number}.log"
    return {"slurm_logfile": next(folder.rglob(name), folder / name)}


def is_worker(job: Any) -> bool:
    """Whether a job of Snakemake is a worker."""
    return getattr(getattr(job, "rule", None), "name", None) == "worker"

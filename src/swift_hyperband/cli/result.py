"""The result of a search for people, and the resources that its jobs took."""

from __future__ import annotations

from swift_hyperband.base.files import read_text
from swift_hyperband.results import accounting, jobs
from swift_hyperband.results.jobs import JobOutcome
from swift_hyperband.results.layout import StudyFolder


def spent(found: jobs.Totals) -> str:
    """Return the resources that jobs took as a line for people."""
    ends = (JobOutcome.OUT_OF_TIME, JobOutcome.FAILED, JobOutcome.STOPPED, JobOutcome.LOST)
    ended = "".join(f", {found.outcomes[end]} {end}" for end in ends if end in found.outcomes)
    gpus = f"{found.gpu_hours:.3g} GPU-hours, " if found.gpu_hours else ""
    waited = f", {found.queue_hours:.3g} hours in the queue" if found.queue_hours else ""
    # until SLURM accounts for the job
    least = f" (at least: SLURM did not tell how {found.estimated} of them ended)" if found.estimated else ""
    return f"{found.jobs} started{ended}; {gpus}{found.core_hours:.3g} core-hours{waited}{least}"


def print_result(folder: StudyFolder) -> None:
    """Print the best configuration of a finished search, where its files lie, and what its jobs took."""
    print(f"\n{read_text(folder.best)}\nbest configuration: {folder.best}\npictures and tables: {folder.report}")
    if records := accounting.read(folder.path):
        print(f"training jobs: {spent(jobs.totals(records))}")

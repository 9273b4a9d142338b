"""Packing trainings into jobs, and naming a job's file by its trials."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence

BatchSize = int | str
"""Trials a job, "auto", or how long a job is to train, such as "30min"."""

MINUTES = r"(\d+(?:\.\d+)?) ?min"


def minutes(size: BatchSize) -> float | None:
    """Return how many minutes a job is to train; None where the size says something else."""
    found = re.fullmatch(MINUTES, size) if isinstance(size, str) else None
    return float(found[1]) if found is not None else None


def pack(trials: Sequence[str], size: BatchSize, workers: int, trial_seconds: float | None = None) -> list[list[str]]:
    """Divide trials into the batches that one job each trains.

    Parameters
    ----------
    trials : sequence of str
        Trial ids by rank.
    size : int, "auto" or minutes
        Trials a batch; "auto" makes as many batches as there are workers, dealt out in turn; minutes as few batches
        as keep each within that time, of about equal size (as "auto" while nothing is known of the time).
    workers : int
        How many training jobs run side by side.
    trial_seconds : float, optional
        How long a job needs for one of the trials.
    """
    if isinstance(size, int):
        return [list(trials[i : i + size]) for i in range(0, len(trials), size)]
    count = batches(len(trials), size, workers, trial_seconds)
    return [list(trials[i::count]) for i in range(count)]


def batches(trials: int, size: BatchSize, workers: int, trial_seconds: float | None = None) -> int:
    """Return how many batches `pack` makes of so many trials."""
    if isinstance(size, int):
        return -(-trials // size)
    limit = minutes(size)
    if limit is None or trial_seconds is None:
        return min(workers, trials)
    most = 60 * limit / trial_seconds if trial_seconds > 0 else math.inf
    return -(-trials // max(1, int(min(trials, most))))


def sizes(trials: int, size: BatchSize, workers: int, trial_seconds: float | None = None) -> list[tuple[int, int]]:
    """Return how many trials the batches that `pack` makes hold, the smaller first, and how many batches do."""
    count = batches(trials, size, workers, trial_seconds)
    if isinstance(size, int):
        whole, rest = divmod(trials, size)
        found = [(rest, 1), (size, whole)]
    else:
        least, more = divmod(trials, count) if count else (0, 0)
        found = [(least, count - more), (least + 1, more)]
    return [(held, number) for held, number in found if held and number]


def batch_name(trials: Sequence[str]) -> str:
    """Name a batch by its trials, so that a file of results can never stand for other trials."""
    return hashlib.sha256(" ".join(sorted(trials)).encode()).hexdigest()[:10]

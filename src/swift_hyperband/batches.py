"""How trainings are packed into jobs, and how a job's file is named by its trials."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

BatchSize = int | Literal["auto"]


def pack(trials: Sequence[str], size: BatchSize, workers: int) -> list[list[str]]:
    """Divide trials into the batches that one job each trains.

    Parameters
    ----------
    trials : sequence of str
        Trial ids by rank.
    size : int or "auto"
        Trials a batch; "auto" makes as many batches as there are workers, dealt out in turn.
    workers : int
        How many training jobs run side by side.
    """
    if size == "auto":
        return [list(trials[i::workers]) for i in range(min(workers, len(trials)))]
    return [list(trials[i : i + size]) for i in range(0, len(trials), size)]


def batch_name(trials: Sequence[str]) -> str:
    """Name a batch by its trials, so that a file of results can never stand for other trials."""
    return hashlib.sha256(" ".join(sorted(trials)).encode()).hexdigest()[:10]

"""A search on a simulated cluster, as it went: its jobs, how long it took, and what workers did meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, get_args

from swift_hyperband.replay.cluster import ClusterSettings

Kind = Literal["queued", "starting", "training", "lost"]
"""What a worker's time goes to while it has a job."""


class Failure(NamedTuple):
    """A failure of the worker of a job, and how the job went on. Times in seconds since the search began.

    Attributes
    ----------
    lost_from, failed : float
        When the epoch in flight began, and when it was lost.
    share : float
        How much of that epoch was done, below 1.
    started, trained_from : float
        When the job started again, and when it trained again.
    """

    lost_from: float
    failed: float
    share: float
    started: float
    trained_from: float


class Stretch(NamedTuple):
    """What a worker did, and from when to when, in seconds since the search began."""

    kind: Kind
    begin: float
    end: float


class Job(NamedTuple):
    """One training of one trial. Times in seconds since the search began.

    Attributes
    ----------
    worker : int
        From 0.
    trial : str
    start_epoch, end_epoch : int
        Epochs behind the trial before and after.
    asked : int
        Epochs that the search wanted behind it; more than `end_epoch` where the recorded curve ends early.
    submitted, started, trained_from, ended : float
        `started` when it left the queue for the first time.
    failures : tuple of Failure
    """

    worker: int
    trial: str
    start_epoch: int
    end_epoch: int
    asked: int
    submitted: float
    started: float
    trained_from: float
    ended: float
    failures: tuple[Failure, ...] = ()

    def stretches(self) -> Iterator[Stretch]:
        """Return what the job did, in order of time and without gaps; what took no time is left out."""
        submitted, started, trained_from = self.submitted, self.started, self.trained_from
        parts: list[Stretch] = []
        for failure in (*self.failures, None):
            trained_to = self.ended if failure is None else failure.lost_from
            parts += [
                Stretch("queued", submitted, started),
                Stretch("starting", started, trained_from),
                Stretch("training", trained_from, trained_to),
            ]
            if failure is not None:
                parts.append(Stretch("lost", failure.lost_from, failure.failed))
                submitted, started, trained_from = failure.failed, failure.started, failure.trained_from
        return (part for part in parts if part.end > part.begin)


class Incumbent(NamedTuple):
    """A best trial: when the search knew it (seconds), which epochs had been told by then, and its loss."""

    seconds: float
    epochs: int
    loss: float


@dataclass(frozen=True)
class Simulation:
    """A search on a simulated cluster.

    The shares of the workers' time until the makespan add up to 1: those of all kinds ("training" is `utilisation`, the
    epochs that count; "lost" are epochs in flight when a worker failed) and `idle` (no job: others must end first).

    Attributes
    ----------
    cluster : ClusterSettings
    jobs : list of Job
        In the order in which they were submitted.
    incumbent : list of Incumbent
        One for each time the search's best became better.
    used_ahead, in_vain : int
        Epochs that were trained before they were asked for, and those that never were.
    """

    cluster: ClusterSettings
    jobs: list[Job]
    incumbent: list[Incumbent]
    used_ahead: int = 0
    in_vain: int = 0

    @cached_property
    def makespan(self) -> float:
        """Seconds until the last job ended."""
        return max((job.ended for job in self.jobs), default=0.0)

    @cached_property
    def epochs(self) -> int:
        """Epochs trained, those in vain as well, without the lost ones."""
        return sum(job.end_epoch - job.start_epoch for job in self.jobs)

    @property
    def utilisation(self) -> float:
        return self.share("training")

    @property
    def idle(self) -> float:
        taken = sum(job.ended - job.submitted for job in self.jobs)
        # rounding must not make it negative
        return max(0.0, 1 - taken / self._worker_seconds) if self.makespan else 0.0

    @property
    def _worker_seconds(self) -> float:
        return self.cluster.workers * self.makespan

    @cached_property
    def _seconds(self) -> dict[Kind, float]:
        found: dict[Kind, float] = dict.fromkeys(get_args(Kind), 0.0)
        for job in self.jobs:
            for kind, begin, end in job.stretches():
                found[kind] += end - begin
        return found

    def share(self, kind: Kind) -> float:
        """Return the share of the workers' time until the makespan that goes to one kind of work."""
        return self._seconds[kind] / self._worker_seconds if self.makespan else 0.0

"""A simulated cluster: the length of a search on a number of workers, and their utilisation.

Recorded curves take the place of training and a heap of events that of time.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, get_args

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import shown
from swift_hyperband.replay.cluster import (
    ClusterSettings,
    configuration_pace,
    job_pace,
    queue_seconds,
    seconds_to_failure,
)
from swift_hyperband.search import Curve, Search, Training

Kind = Literal["queued", "starting", "training", "lost"]
"""What a worker's time goes to while it has a job."""

ATTEMPTS = 1000
"""Failures in one epoch after which the simulation gives up."""


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
    """

    cluster: ClusterSettings
    jobs: list[Job]
    incumbent: list[Incumbent]

    @cached_property
    def makespan(self) -> float:
        """Seconds until the last job ended."""
        return max((job.ended for job in self.jobs), default=0.0)

    @cached_property
    def epochs(self) -> int:
        """Epochs trained, without the lost ones."""
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


def simulate(
    search: Search,
    curve_of: Callable[[str], Curve],
    cluster: ClusterSettings,
    seconds_of: Callable[[str], float] | None = None,
) -> Simulation:
    """Run a search on a simulated cluster until it is finished and nothing runs any more.

    Parameters
    ----------
    search : Search
        A new one; it is told everything and can be looked at afterwards.
    curve_of : callable
        Returns the recorded losses of a trial from epoch 1. A curve that is shorter than asked for belongs to a trial
        that diverged or failed: it is told as it is, and takes the time of the epochs there are.
    cluster : ClusterSettings
    seconds_of : callable, optional
        Returns how many seconds an epoch of a trial takes, in the place of `cluster.seconds_per_epoch`; the pace
        multiplies it.

    Returns
    -------
    Simulation

    Notes
    -----
    The search is asked whenever a worker is free, for as many trainings as there are free workers. Jobs that end at
    the same moment are told in the order in which they were submitted, and then the search is asked once: nobody
    could tell apart which of them came first. Decisions and fits take no time.
    """
    trials: dict[str, _Trial] = {}
    jobs: list[Job] = []
    incumbent: list[Incumbent] = []
    # a sorted list is a heap
    free = list(range(cluster.workers))
    running: list[tuple[float, int]] = []
    now, epochs = 0.0, 0
    while True:
        wanted = search.ask(len(free))
        if len(wanted) > len(free):
            raise AssertionError(f"{len(wanted)} trainings for {len(free)} free workers: a bug of the search")
        for training in wanted:
            if (known := trials.get(training.trial)) is None:
                known = trials[training.trial] = _meet(training.trial, curve_of, cluster, seconds_of)
            job = _run(training, known, cluster, heapq.heappop(free), now)
            heapq.heappush(running, (job.ended, len(jobs)))
            jobs.append(job)
        # only now: a search may decide when it is told or when it is asked
        best = search.best
        if best is not None and (not incumbent or best[1] < incumbent[-1].loss):
            incumbent.append(Incumbent(now, epochs, best[1]))
        if not running:
            if not search.finished:
                raise AssertionError("nothing runs, nothing is asked for, and it is not finished: a bug of the search")
            return Simulation(cluster, jobs, incumbent)
        now = running[0][0]
        while running and running[0][0] == now:
            job = jobs[heapq.heappop(running)[1]]
            heapq.heappush(free, job.worker)
            epochs += job.end_epoch - job.start_epoch
            search.tell(job.trial, trials[job.trial].curve[: job.asked])


@dataclass(slots=True)
class _Trial:
    """What the simulation knows of a trial.

    Attributes
    ----------
    curve : Curve
        As recorded.
    seconds : float
        An epoch of it takes, on a worker that is no straggler.
    failure : float
        Seconds of training until a worker fails that trains it.
    epochs : int
        Behind it.
    failures : int
        So far.
    """

    curve: Curve
    seconds: float
    failure: float
    epochs: int = 0
    failures: int = 0


def _meet(
    trial: str,
    curve_of: Callable[[str], Curve],
    cluster: ClusterSettings,
    seconds_of: Callable[[str], float] | None,
) -> _Trial:
    seconds = cluster.seconds_per_epoch if seconds_of is None else seconds_of(trial)
    if not 0 < seconds < math.inf:
        raise UserError(f"trial {trial}: an epoch must take more than 0 seconds, found {shown(seconds)}")
    return _Trial(curve_of(trial), seconds * configuration_pace(cluster, trial), seconds_to_failure(cluster, trial, 0))


def _run(training: Training, known: _Trial, cluster: ClusterSettings, worker: int, submitted: float) -> Job:
    """Return what becomes of a training that is submitted now; the trial is left as it is afterwards."""
    trial, asked = training
    start = known.epochs
    end = max(start, min(asked, len(known.curve)))
    started = submitted + queue_seconds(cluster, trial, start, 0)
    first = started, started + cluster.start_seconds
    failures: list[Failure] = []
    trained_from = first[1]
    in_vain = 0
    while True:
        seconds = known.seconds * job_pace(cluster, trial, start, len(failures))
        left = end - known.epochs
        if left * seconds <= known.failure:
            known.failure -= left * seconds
            known.epochs = end
            ended = trained_from + left * seconds
            return Job(worker, trial, start, end, asked, submitted, *first, ended, tuple(failures))
        # the last epoch was not finished, whatever the rounding says
        done = min(int(known.failure / seconds), left - 1)
        failed = trained_from + known.failure
        lost_from = min(trained_from + done * seconds, failed)
        share = min((failed - lost_from) / seconds, 1.0)
        in_vain = 0 if done else in_vain + 1
        if in_vain == ATTEMPTS:
            raise UserError(
                f"cluster.failures_per_hour must leave time for an epoch: at {shown(cluster.failures_per_hour)} a "
                f"worker failed {ATTEMPTS} times in one of {seconds:.4g} seconds; give a smaller rate"
            )
        known.epochs += done
        known.failures += 1
        known.failure = seconds_to_failure(cluster, trial, known.failures)
        started = failed + queue_seconds(cluster, trial, start, len(failures) + 1)
        trained_from = started + cluster.start_seconds
        failures.append(Failure(lost_from, failed, share, started, trained_from))

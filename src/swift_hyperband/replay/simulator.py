"""A simulated cluster: the length of a search on a number of workers, and their utilisation.

Recorded curves take the place of training and a heap of events that of time. What the cluster does to a trial (pace,
wait, failures) is drawn from the seed and the trial alone, not from who asked for it or when, so that two searches
that are compared meet the same slow configurations and the same failures.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from statistics import NormalDist
from typing import Literal, NamedTuple, get_args

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.keys import key
from swift_hyperband.base.wording import shown
from swift_hyperband.search import Curve, Search, Training

Pace = Literal["constant", "per-configuration", "heavy-tailed"]
Kind = Literal["queued", "starting", "training", "lost"]
"""What a worker's time goes to while it has a job."""

HOUR = 3600
"""In seconds."""

ATTEMPTS = 1000
"""Failures in one epoch after which the simulation gives up."""

_NORMAL = NormalDist()


@dataclass(frozen=True)
class ClusterSettings:
    """A cluster, as far as a search feels it.

    A worker is a place for one job at a time, as `--jobs` of Snakemake counts them. It belongs to a job from its
    submission: while the job waits in the queue nothing else is submitted in its place.
    """

    workers: int = key(1, "Jobs side by side: submitted or running.", ge=1)
    seconds_per_epoch: float = key(1.0, "Mean over configurations and jobs, where the table does not tell.", gt=0)
    # constant, some configurations are slower models, or some jobs are stragglers, whatever they train
    pace: Pace = key("constant", "Whether configurations or jobs differ in pace.")
    # see `_configuration` and `_straggler`; 0 is constant
    spread: float = key(0.5, "Of the pace.", ge=0)
    start_seconds: float = key(0.0, "From a job's start to its first epoch (imports, data).", ge=0)
    queue_seconds: float = key(0.0, "Mean wait from a job's submission to its start, exponential.", ge=0)
    # the job loses the epoch in flight, since states are saved every epoch, and is submitted again in the same place
    failures_per_hour: float = key(0.0, "Of a worker that trains, exponential.", ge=0)
    seed: int = key(0, "Of all that is random on the cluster.")


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

    The shares of the workers' time until the makespan add up to 1: `utilisation` (epochs that count), `lost` (epochs
    in flight when a worker failed), `starting`, `queued` and `idle` (no job: others must end first).

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

    @cached_property
    def lost_epochs(self) -> float:
        """Epochs lost, counted as far as they had come."""
        return sum(failure.share for job in self.jobs for failure in job.failures)

    @property
    def utilisation(self) -> float:
        return self._share("training")

    @property
    def lost(self) -> float:
        return self._share("lost")

    @property
    def starting(self) -> float:
        return self._share("starting")

    @property
    def queued(self) -> float:
        return self._share("queued")

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

    def _share(self, kind: Kind) -> float:
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
    return _Trial(curve_of(trial), seconds * _configuration(cluster, trial), _failure(cluster, trial, 0))


def _run(training: Training, known: _Trial, cluster: ClusterSettings, worker: int, submitted: float) -> Job:
    """Return what becomes of a training that is submitted now; the trial is left as it is afterwards."""
    trial, asked = training
    start = known.epochs
    end = max(start, min(asked, len(known.curve)))
    started = submitted + _wait(cluster, trial, start, 0)
    first = started, started + cluster.start_seconds
    failures: list[Failure] = []
    trained_from = first[1]
    in_vain = 0
    while True:
        seconds = known.seconds * _straggler(cluster, trial, start, len(failures))
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
        known.failure = _failure(cluster, trial, known.failures)
        started = failed + _wait(cluster, trial, start, len(failures) + 1)
        trained_from = started + cluster.start_seconds
        failures.append(Failure(lost_from, failed, share, started, trained_from))


def _configuration(cluster: ClusterSettings, trial: str) -> float:
    """Return how slow a configuration is: lognormal with mean 1, `spread` the deviation of its logarithm.

    Sizes of models are searched on logarithmic scales and multiply each other. At 0.5 the slowest of twenty takes some
    six times as long as the fastest.
    """
    if cluster.pace != "per-configuration":
        return 1.0
    normal = _NORMAL.inv_cdf(_uniform(cluster, "configuration", trial))
    return math.exp(cluster.spread * normal - cluster.spread**2 / 2)


def _straggler(cluster: ClusterSettings, trial: str, start: int, attempt: int) -> float:
    """Return how slow a job is: Pareto with mean 1, of which the fastest take 1 / (1 + spread).

    A job is rarely faster than usual but may be slower without bound (a hot or shared node, a slow file system), which
    is Pareto's shape. The exponent of the tail is 1 + 1 / spread, so that the mean is there for every spread; below 1
    the variance is too, and means over seeds settle. At 0.5, the exponent 3, one job in a hundred takes three times
    the mean, one in a thousand seven times. A job that failed is likely to come to another node: a new draw.
    """
    if cluster.pace != "heavy-tailed":
        return 1.0
    power = cluster.spread / (1 + cluster.spread)
    return float(_uniform(cluster, "straggler", trial, start, attempt) ** -power) / (1 + cluster.spread)


def _wait(cluster: ClusterSettings, trial: str, start: int, attempt: int) -> float:
    """Return how many seconds a job waits in the queue."""
    if not cluster.queue_seconds:
        return 0.0
    return -cluster.queue_seconds * math.log(_uniform(cluster, "queue", trial, start, attempt))


def _failure(cluster: ClusterSettings, trial: str, failures: int) -> float:
    """Return how many seconds a trial trains from one failure to the next.

    In the trial's own time of training, which the exponential law allows since it has no memory: however a search
    divides the epochs among jobs, the same ones fail (but for stragglers, whose epochs take another time).
    """
    if not cluster.failures_per_hour:
        return math.inf
    return -HOUR / cluster.failures_per_hour * math.log(_uniform(cluster, "failure", trial, failures))


def _uniform(cluster: ClusterSettings, *key: object) -> float:
    """Return a number between 0 and 1, never one of them, that follows from the seed and the key alone."""
    # a third of the time that seeding random.Random takes
    digest = blake2b("/".join(map(str, (cluster.seed, *key))).encode(), digest_size=8).digest()
    return ((int.from_bytes(digest, "big") >> 12) + 0.5) / 2**52

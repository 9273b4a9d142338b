"""The settings of a simulated cluster, and what it does to each job: pace, wait and failures.

All of it is drawn from the seed and the trial alone, not from who asked for a job or when, so that two searches that
are compared meet the same slow configurations and the same failures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b
from statistics import NormalDist
from typing import Literal

from swift_hyperband.base.keys import key
from swift_hyperband.search.hopes import switch_or_share

Pace = Literal["constant", "per-configuration", "heavy-tailed"]

HOUR = 3600
"""In seconds."""

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
    # see `configuration_pace` and `job_pace`; 0 is constant
    spread: float = key(0.5, "Of the pace.", ge=0)
    start_seconds: float = key(0.0, "From a job's start to its first epoch (imports, data).", ge=0)
    queue_seconds: float = key(0.0, "Mean wait from a job's submission to its start, exponential.", ge=0)
    # the job loses the epoch in flight, since states are saved every epoch, and is submitted again in the same place
    failures_per_hour: float = key(0.0, "Of a worker that trains, exponential.", ge=0)
    speculate: bool | float = key(
        False,
        "Whether workers without other work train ahead of a search in rounds; a number: most epochs ahead, as a share "
        "of those asked for so far.",
        check=switch_or_share,
    )
    seed: int = key(0, "Of all that is random on the cluster.")


def configuration_pace(cluster: ClusterSettings, trial: str) -> float:
    """Return how slow a configuration is: lognormal with mean 1, `spread` the deviation of its logarithm.

    Sizes of models are searched on logarithmic scales and multiply each other. At 0.5 the slowest of twenty takes some
    six times as long as the fastest.
    """
    if cluster.pace != "per-configuration":
        return 1.0
    normal = _NORMAL.inv_cdf(_uniform(cluster, "configuration", trial))
    return math.exp(cluster.spread * normal - cluster.spread**2 / 2)


def job_pace(cluster: ClusterSettings, trial: str, start: int, attempt: int) -> float:
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


def queue_seconds(cluster: ClusterSettings, trial: str, start: int, attempt: int) -> float:
    """Return how many seconds a job waits in the queue."""
    if not cluster.queue_seconds:
        return 0.0
    return -cluster.queue_seconds * math.log(_uniform(cluster, "queue", trial, start, attempt))


def seconds_to_failure(cluster: ClusterSettings, trial: str, failures: int) -> float:
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

"""A training on a simulated cluster: how long it takes, with the failures of its worker."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import shown
from swift_hyperband.replay.cluster import (
    ClusterSettings,
    configuration_pace,
    job_pace,
    queue_seconds,
    seconds_to_failure,
)
from swift_hyperband.replay.simulation import Failure, Job
from swift_hyperband.search import Curve, Training

ATTEMPTS = 1000
"""Failures in one epoch after which the simulation gives up."""


@dataclass(slots=True)
class SimulatedTrial:
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


def meet(
    trial: str,
    curve_of: Callable[[str], Curve],
    cluster: ClusterSettings,
    seconds_of: Callable[[str], float] | None,
) -> SimulatedTrial:
    """Return a trial that nothing was trained of yet."""
    seconds = cluster.seconds_per_epoch if seconds_of is None else seconds_of(trial)
    if not 0 < seconds < math.inf:
        raise UserError(f"trial {trial}: an epoch must take more than 0 seconds, found {shown(seconds)}")
    return SimulatedTrial(
        curve_of(trial), seconds * configuration_pace(cluster, trial), seconds_to_failure(cluster, trial, 0)
    )


def run(
    training: Training,
    known: SimulatedTrial,
    cluster: ClusterSettings,
    worker: int,
    submitted: float,
    goes_on: bool = False,
) -> Job:
    """Return what becomes of a training that is submitted now; the trial is left as it is afterwards.

    A worker that goes on with a trial neither waits in the queue nor starts.
    """
    trial, asked = training
    start = known.epochs
    end = max(start, min(asked, len(known.curve)))
    started = submitted if goes_on else submitted + queue_seconds(cluster, trial, start, 0)
    first = started, started if goes_on else started + cluster.start_seconds
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

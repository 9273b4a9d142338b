"""A simulated cluster: the length of a search on a number of workers, and their utilisation.

Recorded curves take the place of training and a heap of events that of time.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.simulated_training import SimulatedTrial, meet, run
from swift_hyperband.replay.simulation import Incumbent, Job, Simulation
from swift_hyperband.replay.speculation import Speculation
from swift_hyperband.search import Curve, Search
from swift_hyperband.search.scheduled import ScheduledSearch


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
    could tell apart which of them came first. Decisions and fits take no time. `cluster.speculate` says whether workers
    train ahead of a search in rounds; see `speculation`.
    """
    if cluster.speculate is not False and isinstance(search, ScheduledSearch):
        return Speculation(search, curve_of, cluster, seconds_of).run()
    trials: dict[str, SimulatedTrial] = {}
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
                known = trials[training.trial] = meet(training.trial, curve_of, cluster, seconds_of)
            job = run(training, known, cluster, heapq.heappop(free), now)
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

"""A search in rounds on a simulated cluster whose workers train ahead of what it asks for.

A worker without needed work trains the best hope that nobody trains. Work that is asked for takes workers from the
least hopeful trials, and a trial that is no hope any more ends, both at the end of the epoch in flight. The search is
told the epochs that it asked for and no others.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.simulated_training import SimulatedTrial, meet, run
from swift_hyperband.replay.simulation import Incumbent, Job, Simulation
from swift_hyperband.search import Curve, Training
from swift_hyperband.search.hopes import Hope
from swift_hyperband.search.scheduled import ScheduledSearch


@dataclass(slots=True)
class _Running:
    """A training that runs.

    Attributes
    ----------
    before : SimulatedTrial
        The trial as it was when the training began, from which any shorter or longer one follows.
    job : Job
    goes_on : bool
        Whether its worker trained the same trial just before.
    hope : Hope or None
        None if it is asked for.
    leaving : bool
        Whether it ends with the epoch in flight.
    """

    before: SimulatedTrial
    job: Job
    goes_on: bool
    hope: Hope | None
    leaving: bool = False


@dataclass
class Speculation:
    """The simulation; `run` runs it once. The parameters are those of `simulator.simulate`."""

    search: ScheduledSearch
    curve_of: Callable[[str], Curve]
    cluster: ClusterSettings
    seconds_of: Callable[[str], float] | None
    now: float = 0.0
    used: int = 0
    _trials: dict[str, SimulatedTrial] = field(default_factory=dict)
    _ended: dict[int, Job] = field(default_factory=dict)
    _running: dict[int, _Running] = field(default_factory=dict)
    _number: dict[str, int] = field(default_factory=dict)
    _events: list[tuple[float, int]] = field(default_factory=list)
    _waiting: list[tuple[int, int, Training]] = field(default_factory=list)
    _asked: dict[str, int] = field(default_factory=dict)
    _ahead: dict[str, Curve] = field(default_factory=dict)
    _failed_ahead: set[str] = field(default_factory=set)
    _last: dict[int, str] = field(default_factory=dict)
    _started: int = 0
    _arrived: int = 0

    def __post_init__(self) -> None:
        # a sorted list is a heap
        self._free = list(range(self.cluster.workers))

    def run(self) -> Simulation:
        """Return how the search went, which is told everything."""
        incumbent: list[Incumbent] = []
        while True:
            self._take_requests()
            best = self.search.best
            if best is not None and (not incumbent or best[1] < incumbent[-1].loss):
                incumbent.append(Incumbent(self.now, self.search.epochs, best[1]))
            if self.search.finished:
                return self._result(incumbent)
            self._place()
            self._end_trainings()

    def _take_requests(self) -> None:
        """Take what the search asks for: some of it may be trained already, or be trained just now."""
        while asked := self.search.ask():
            for training in asked:
                trial, epochs = training
                behind = self._behind(trial)
                self.used += max(0, min(behind, epochs) - self._asked.get(trial, 0))
                self._asked[trial] = epochs
                if behind >= epochs:
                    self._tell(trial)
                elif trial in self._number:
                    running = self._running[self._number[trial]]
                    running.hope, running.leaving = None, False
                    self._set_goal(self._number[trial], epochs)
                else:
                    self._arrived += 1
                    heapq.heappush(self._waiting, (self.search.urgency(trial), self._arrived, training))

    def _tell(self, trial: str) -> None:
        self.search.tell(trial, self._trials[trial].curve[: self._asked[trial]])

    def _place(self) -> None:
        """Give workers to needed work, and those that are left to hopes."""
        while self._waiting and self._free:
            self._start(heapq.heappop(self._waiting)[2], None)
        hoping = {n: running for n, running in self._running.items() if running.hope is not None}
        if not self._free and not hoping:
            return
        hopes = self.search.hopes(self._ahead)
        current = {hope.trial: hope for hope in hopes}
        for number, running in hoping.items():
            running.hope = current.get(running.job.trial, running.hope)
            if running.job.trial not in current:
                self._cut(number)
        lacking = len(self._waiting) - sum(running.leaving for running in hoping.values())
        if lacking > 0:
            staying = [number for number, running in hoping.items() if not running.leaving]
            for number in sorted(staying, key=lambda number: hoping[number].hope or (), reverse=True)[:lacking]:
                self._cut(number)
        left = self._most_ahead()
        for hope in hopes:
            if not self._free or left <= 0:
                break
            if hope.trial not in self._number and hope.trial not in self._failed_ahead:
                goal = min(hope.epochs, self._trials[hope.trial].epochs + left)
                left -= goal - self._trials[hope.trial].epochs
                self._start(Training(hope.trial, int(goal)), hope)

    def _most_ahead(self) -> float:
        """Return how many more epochs may be trained ahead now."""
        if self.cluster.speculate is True:
            return float("inf")
        ahead = sum(max(0, known.epochs - self._asked[trial]) for trial, known in self._trials.items())
        return int(self.cluster.speculate * self.search.epochs) - ahead

    def _start(self, training: Training, hope: Hope | None) -> None:
        trial = training.trial
        if trial not in self._trials:
            self._trials[trial] = meet(trial, self.curve_of, self.cluster, self.seconds_of)
        worker = next((worker for worker in self._free if self._last.get(worker) == trial), self._free[0])
        self._free.remove(worker)
        heapq.heapify(self._free)
        goes_on = self._last.get(worker) == trial
        before = replace(self._trials[trial])
        job = run(training, self._trials[trial], self.cluster, worker, self.now, goes_on)
        self._running[self._started] = _Running(before, job, goes_on, hope)
        self._number[trial] = self._started
        heapq.heappush(self._events, (job.ended, self._started))
        self._started += 1

    def _set_goal(self, number: int, epochs: int) -> None:
        """Let a training that runs end at another epoch."""
        running = self._running[number]
        known = replace(running.before)
        running.job = self._to(running, epochs, known)
        self._trials[running.job.trial] = known
        heapq.heappush(self._events, (running.job.ended, number))

    def _cut(self, number: int) -> None:
        """Let a training end with the epoch in flight."""
        running = self._running[number]
        if not running.leaving:
            running.leaving = True
            epochs = range(running.job.start_epoch, running.job.end_epoch + 1)
            self._set_goal(number, epochs[0] + bisect_left(epochs, self.now, key=lambda e: self._to(running, e).ended))

    def _behind(self, trial: str) -> int:
        """Return the epochs behind a trial now."""
        if trial not in self._number:
            return self._trials[trial].epochs if trial in self._trials else 0
        running = self._running[self._number[trial]]
        epochs = range(running.job.start_epoch + 1, running.job.end_epoch + 1)
        return epochs.start - 1 + bisect_right(epochs, self.now, key=lambda epochs: self._to(running, epochs).ended)

    def _to(self, running: _Running, epochs: int, known: SimulatedTrial | None = None) -> Job:
        """Return the job of a training that runs, if it ends at another epoch."""
        job, known = running.job, known or replace(running.before)
        return run(Training(job.trial, epochs), known, self.cluster, job.worker, job.submitted, running.goes_on)

    def _end_trainings(self) -> None:
        """Go on to the next moment at which a training ends."""
        while self._events and not self._is_current(*self._events[0]):
            heapq.heappop(self._events)
        if not self._events:
            raise AssertionError("nothing runs, nothing is asked for, and it is not finished: a bug of the search")
        self.now = self._events[0][0]
        while self._events and self._events[0][0] == self.now:
            _, number = heapq.heappop(self._events)
            if self._is_current(self.now, number):
                self._end(number)

    def _is_current(self, ended: float, number: int) -> bool:
        return number in self._running and self._running[number].job.ended == ended

    def _end(self, number: int) -> None:
        running = self._running.pop(number)
        job = self._ended[number] = running.job
        del self._number[job.trial]
        heapq.heappush(self._free, job.worker)
        self._last[job.worker] = job.trial
        curve = self._trials[job.trial].curve
        if running.hope is None:
            self._tell(job.trial)
        else:
            self._ahead[job.trial] = curve[: job.end_epoch]
            if job.end_epoch < job.asked:
                self._failed_ahead.add(job.trial)

    def _result(self, incumbent: list[Incumbent]) -> Simulation:
        """Return how it went; what runs is cut now, and the epochs in flight do not count."""
        for number, running in self._running.items():
            behind = self._behind(running.job.trial)
            if behind > running.job.start_epoch:
                self._ended[number] = self._to(running, behind)
        jobs = [self._ended[number] for number in sorted(self._ended)]
        trained = sum(job.end_epoch - job.start_epoch for job in jobs)
        return Simulation(self.cluster, jobs, incumbent, self.used, trained - self.search.epochs)

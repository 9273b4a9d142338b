"""The cost of a search before anything runs: epochs, jobs of the workflow, and its length with its workers.

Everything follows from the schedule, the batch size and the number of workers, but for one thing: how many partial
trials continue from their decision points. Three cases bound and estimate it: "worst" (all), "best" (as few as fill the
next rounds) and "half" (every second one, which is about what the published searches saw).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from swift_hyperband.annealing.settings import QsvrSettings
from swift_hyperband.search.batches import BatchSize, batches, sizes
from swift_hyperband.search.schedule import Round, RoundKey, Schedule

Case = Literal["worst", "half", "best"]

ONCE = ("best", "pictures", "all")
"""The rules of the workflow that run once, however large the search."""
OVER = ("over",)
"""The same of execution by workers only."""

LITTLE = 0.05
"""Share of Hyperband's epochs below which a search saves next to nothing, even at best."""


@dataclass(frozen=True)
class Plan:
    """The cost of a search.

    Attributes
    ----------
    schedule : Schedule
    batch_size : int, "auto" or minutes
        As `batches.pack` takes it.
    workers : int
        Training jobs that run side by side.
    seconds : float, optional
        How long a job takes for an epoch of a trial, where its trials train side by side a share of that.
    execution : {"rounds", "workers"}
        Whether the jobs train batches of trials, or stay and train one trial after another.
    """

    schedule: Schedule
    batch_size: BatchSize
    workers: int
    seconds: float | None = None
    execution: Literal["rounds", "workers"] = "rounds"

    @property
    def packing(self) -> BatchSize:
        """What is trained at a time: batches of trials, or a single trial by workers that stay."""
        return 1 if self.execution == "workers" else self.batch_size

    def jobs(self, case: Case) -> int:
        """Return how many jobs the workflow has. The worst case is what `snakemake -n` announces for a new study."""
        count = len(ONCE)
        if self.execution == "workers":
            return count + len(OVER) + self.workers
        for round_ in self.schedule.rounds:
            trainings = self._batches(_parts(round_, case))
            decides = round_.decision_epoch is not None
            threshold = round_.key in self.schedule.teaching
            promote = 1
            count += round_.index == 0 and bool(self.schedule.drawn_after(round_.bracket))
            count += trainings + threshold + bool(round_.training_rounds) + decides + promote
        if (thaw := self.schedule.thaw) is not None:
            choose = promote = 1
            count += self._batches(_parts(thaw, case)) + choose + promote
        return count

    def trainings(self, case: Case) -> tuple[int, int]:
        """Return how many training jobs there are, and how many there would be with one trial each."""
        parts = [part for round_ in self.schedule.all_rounds for part in _parts(round_, case)]
        if self.execution == "workers":
            return self.workers, sum(trials for trials, _ in parts)
        return self._batches(parts), sum(trials for trials, _ in parts)

    def _batches(self, parts: Iterable[tuple[int, int]]) -> int:
        return sum(
            batches(trials, self.batch_size, self.workers, _trial_seconds(length, self.seconds))
            for trials, length in parts
        )

    def to_json(self) -> dict[str, Any]:
        """Return the plan as `swift-hyperband plan --json` prints it."""
        schedule, thaw = self.schedule, self.schedule.thaw
        return {
            "configurations": schedule.configurations,
            "epochs": {
                "hyperband": schedule.epochs_hyperband,
                "worst": epochs(schedule, "worst"),
                "best": epochs(schedule, "best"),
            },
            "jobs": {"worst": self.jobs("worst"), "best": self.jobs("best")},
            "brackets": [
                [
                    {
                        "trials": round_.trials,
                        "epochs": round_.end,
                        "full": round_.full,
                        "partial": round_.partial,
                        "decision_epoch": round_.decision_epoch,
                    }
                    for round_ in rounds
                ]
                for rounds in schedule.brackets.values()
            ],
            **({} if thaw is None else {"thaw": {"trials": thaw.trials, "epochs": thaw.budget}}),
        }


def _parts(round_: Round, case: Case) -> list[tuple[int, int]]:
    """Return how many trials train in full, in part and on from the decision point, and for how many epochs."""
    if round_.is_thaw:
        # nobody knows before who goes on, and from where
        return [] if case == "best" else [(round_.trials, round_.end)]
    length = round_.end - round_.start
    point = length if round_.decision_epoch is None else round_.decision_epoch - round_.start
    return [(round_.full, length), (round_.partial, point), (continuing(round_, case), length - point)]


def continuing(round_: Round, case: Case) -> int:
    """Return how many partial trials of a round go on from its decision point."""
    if case == "worst":
        return round_.most_completed
    if case == "best":
        return round_.least_completed
    return min(round_.most_completed, max(round_.least_completed, -(-round_.partial // 2)))


def epochs(schedule: Schedule, case: Case) -> int:
    """Return how many epochs a search trains in all."""
    return thawed(schedule, case) + sum(
        (round_.trials - round_.partial + continuing(round_, case)) * (round_.end - round_.start)
        + (round_.partial - continuing(round_, case)) * ((round_.decision_epoch or 0) - round_.start)
        for round_ in schedule.rounds
    )


def thawed(schedule: Schedule, case: Case) -> int:
    """Return how many epochs trials that were left behind train when all brackets are over."""
    return 0 if schedule.thaw is None or case == "best" else schedule.thaw.budget or 0


def begun_anew(schedule: Schedule, case: Case) -> int:
    """Return how many epochs a program trains again that cannot go on: each of its starts begins with the first."""
    again = 0
    if schedule.thaw is not None and (spent := thawed(schedule, case)):
        again = schedule.thaw.trials * schedule.max_epochs - spent
    return again + sum(
        round_.trials * round_.start + continuing(round_, case) * (round_.decision_epoch or 0)
        for round_ in schedule.rounds
    )


def makespan(
    schedule: Schedule, case: Case, batch_size: BatchSize, workers: int | None, seconds: float | None = None
) -> int:
    """Return how long a search takes, in epochs of one trial after another.

    Parameters
    ----------
    schedule : Schedule
    case : {"worst", "half", "best"}
        How many partial trials continue.
    batch_size : int, "auto" or minutes
        As `batches.pack` takes it.
    workers : int or None
        Training jobs that run side by side; None for as many as there can be: then the longest chain of trainings
        that wait for each other is returned.
    seconds : float, optional
        As in `Plan`.

    Notes
    -----
    Simulates the jobs of the workflow: whenever a worker is free it takes the first job, in the order of the schedule,
    that waits for no other. Every epoch takes one unit of time; thresholds, fits and decisions take none.
    """
    stages = _stages(schedule, case, batch_size, workers, seconds)
    rank = {name: number for number, name in enumerate(stages)}
    left = {name: sum(count for _, count in stage.jobs) for name, stage in stages.items()}
    blocked = dict(stages)
    over: set[_Name] = set()
    # rank of their stage, how long they take and how many they are; when they end, rank and number
    ready: list[_Jobs] = []
    running: list[_Jobs] = []
    free = sum(left.values()) if workers is None else workers
    now = 0
    while True:
        while begun := [name for name, stage in blocked.items() if stage.after <= over]:
            for name in begun:
                for length, count in blocked.pop(name).jobs:
                    heapq.heappush(ready, (rank[name], length, count, name))
            over.update(name for name in begun if not left[name])
        while ready and free:
            order, length, count, name = heapq.heappop(ready)
            begins = min(free, count)
            heapq.heappush(running, (now + length, order, begins, name))
            free -= begins
            if count > begins:
                heapq.heappush(ready, (order, length, count - begins, name))
        if ready and not free and (cycles := _cycles(ready[0], running)):
            order, length, count, name = heapq.heappop(ready)
            same = sum(job[2] for job in running if job[1] == order)
            running = [(job[0] + cycles * length, *job[1:]) if job[1] == order else job for job in running]
            heapq.heapify(running)
            left[name] -= cycles * same
            if count > cycles * same:
                heapq.heappush(ready, (order, length, count - cycles * same, name))
        if not running:
            return now
        now, order, ended, name = heapq.heappop(running)
        if ended == left[name] > 1:
            # the last one lets other stages begin, for which the workers of those before it are not there
            heapq.heappush(running, (now, order, 1, name))
            ended -= 1
        free += ended
        left[name] -= ended
        if not left[name]:
            over.add(name)


_Jobs = tuple[int, int, int, "_Name"]
"""Jobs that are alike."""


def _cycles(waiting: _Jobs, running: Sequence[_Jobs]) -> int:
    """Return how often all workers of a stage take another of its waiting jobs before anything else can happen."""
    order, length, count, _ = waiting
    if len(running) > 64:
        # with so many workers there are few cycles, and looking takes longer
        return 0
    same = [job for job in running if job[1] == order]
    if not same:
        return 0
    most = count // sum(job[2] for job in same)
    until = min((job[0] for job in running if job[1] != order), default=None)
    return most if until is None else max(0, min(most, (until - 1 - max(job[0] for job in same)) // length))


def annealer_problems(schedule: Schedule, qsvr: QsvrSettings) -> list[int]:
    """Return the number of variables of each problem that a search puts to an annealer, in the order of its fits."""
    bits = qsvr.bits if qsvr.encoding == "signed" else 2 * qsvr.bits
    problems: list[int] = []
    for round_ in schedule.rounds:
        curves = schedule.most_curves(round_)
        if not curves:
            continue
        machines = -(-curves // qsvr.max_samples) if qsvr.too_many == "ensemble" else 1
        size = curves if machines == 1 else -(-curves // machines)
        problems += [min(size, qsvr.max_samples) * bits] * machines
    return problems


_Name = tuple[RoundKey, Literal["full", "partial", "complete"]]


@dataclass(frozen=True)
class _Stage:
    """The trainings of a round that start together: how many epochs jobs train, and how many do; what they wait for."""

    jobs: tuple[tuple[int, int], ...]
    after: frozenset[_Name]


def _stages(
    schedule: Schedule, case: Case, batch_size: BatchSize, workers: int | None, seconds: float | None
) -> dict[_Name, _Stage]:
    """Return all trainings of a search, in the order of the schedule, with what each waits for."""
    found: dict[_Name, _Stage] = {}

    def add(name: _Name, trials: int, length: int, after: Iterable[_Name], longest: int | None = None) -> None:
        held = sizes(
            trials, batch_size, trials if workers is None else workers, _trial_seconds(longest or length, seconds)
        )
        found[name] = _Stage(tuple((size * length, count) for size, count in held), frozenset(after))

    for round_ in schedule.rounds:
        key, point = round_.key, round_.decision_epoch
        # a completion without jobs stands for the end of its round
        earlier: list[_Name] = [((round_.bracket, round_.index - 1), "complete")] if round_.index > 0 else []
        if round_.index == 0 and (drawn_after := schedule.drawn_after(round_.bracket)):
            earlier = [(schedule.brackets[drawn_after[-1]][-1].key, "complete")]
        add((key, "full"), round_.full, round_.end - round_.start, earlier)
        ends: list[_Name] = [(key, "full")]
        if point is not None and round_.predictor is not None:
            add((key, "partial"), round_.partial, point - round_.start, earlier)
            ends.append((key, "partial"))
            ends += [
                (other, "complete" if other in schedule.taught and other != key else "full")
                for other in schedule.by_key[round_.predictor].training_rounds
            ]
            add((key, "complete"), continuing(round_, case), round_.end - point, ends)
        else:
            add((key, "complete"), 0, 0, ends)
    if schedule.thaw is not None and (budget := thawed(schedule, case)):
        trials, last = schedule.thaw.trials, [rounds[-1].key for rounds in schedule.brackets.values()]
        name: _Name = (schedule.thaw.key, "full")
        add(name, trials, budget // trials, [(key, "complete") for key in last], schedule.max_epochs)
        # one job trains what does not divide
        (length, count), *others = found[name].jobs
        jobs = [(length + budget % trials, 1), (length, count - 1), *others]
        found[name] = _Stage(tuple(job for job in jobs if job[1]), found[name].after)
    return found


def _trial_seconds(length: int, seconds: float | None) -> float | None:
    """Return how long a job needs for one of its trials."""
    return None if seconds is None else length * seconds

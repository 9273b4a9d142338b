"""Swift-Hyperband: the searches of its own package over random rows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from swift_hyperband.search.scheduled import ScheduledSearch, deal
from swift_hyperband.study import Study, parse

PACKAGE = "swift-hyperband"
SEARCHES = {"hyperband": "continues", "swift-hyperband": "continues"}


def study(max_epochs: int, algorithm: str) -> Study:
    return parse(
        {
            "name": "replayed",
            "target": {"name": "curve-table", "metric": "loss", "mode": "min"},
            "space": {"row": {"type": "int", "low": 0, "high": 1}},
            "search": {"algorithm": algorithm, "max_epochs": max_epochs, "eta": 3},
        },
        "benchmark",
    )


def replay(chosen: Study, losses: list[list[float]], seed: int) -> tuple[int, int, float]:
    schedule = chosen.schedule()
    drawn = np.random.default_rng(seed).integers(len(losses), size=schedule.configurations)
    rows = {f"{slot:06}": losses[row] for slot, row in enumerate(drawn)}
    search = ScheduledSearch(schedule, deal(schedule, rows), chosen.rules())
    while not search.finished:
        for training in search.ask():
            search.tell(training.trial, rows[training.trial][: training.epochs])
    assert search.best is not None
    return schedule.configurations, search.epochs, search.best[1]


def replays(losses: np.ndarray, seeds: Iterable[int], search: str) -> list[tuple[int, int, float]]:
    rows, chosen = losses.tolist(), study(losses.shape[1], search)
    return [replay(chosen, rows, seed) for seed in seeds]

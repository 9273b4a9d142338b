"""Swift-Hyperband: this project's searches, as `swift-hyperband replay` runs them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from swift_hyperband.base.metric import Metric
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay
from swift_hyperband.replay.tables.table import CurveTable

PACKAGE = "swift-hyperband"
SEARCHES = {
    "hyperband": "continues",
    "swift-hyperband": "continues",
    "swift-hyperband, published": "continues",
    "fast-hyperband": "continues",
    "asha": "continues",
    "swift-asha": "continues",
}


def replays(losses: np.ndarray, seeds: Iterable[int], search: str) -> list[tuple[int, int, float]]:
    rows, epochs = losses.shape
    ids = [str(row) for row in range(rows)]
    table = CurveTable("MLPF", Metric("loss", "min"), losses, np.full(rows, epochs), {}, None, ids)
    name, _, preset = search.partition(", ")
    chosen = recipe(name, epochs, 3, preset=preset or "default")
    runs = Replay(table, epochs).runs(chosen, seeds)
    return [(chosen.schedule.configurations, run.epochs, run.best) for run in runs]

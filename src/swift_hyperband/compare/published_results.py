"""Figures that the authors of Swift-Hyperband published, for comparison.

Source: the authors' public result files, which seem to belong to the follow-up paper, Wulff et al., Quantum Machine
Intelligence 6:59 (2024): MLPF simulated on the recorded curves (n = 10), CIFAR-10 really trained (n = 3). R = 100,
eta = 2. What ± stands for is not told there.
"""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """A published mean and what stands there behind ±; None where nothing does."""

    mean: float
    half: float | None = None


class Published(NamedTuple):
    """What was published of a search on a table.

    Attributes
    ----------
    best : Figure
        The metric of the winner.
    epochs : Figure
    how : str
        What the figures are means of.
    """

    best: Figure
    epochs: Figure
    how: str


MAX_EPOCHS, ETA = 100, 2

_SIMULATED, _TRAINED = "10 simulated runs", "3 real trainings"
_MLPF, _HYPERBAND = Figure(442.422, 0.239), Figure(3213)

RESULTS = {
    # the same ten losses with all three
    ("mlpf", "hyperband", None): Published(_MLPF, _HYPERBAND, _SIMULATED),
    ("mlpf", "swift-hyperband", "svr"): Published(_MLPF, Figure(2926, 40), _SIMULATED),
    ("mlpf", "swift-hyperband", "qsvr"): Published(_MLPF, Figure(2953, 61), _SIMULATED),
    ("cifar10", "hyperband", None): Published(Figure(0.8184), _HYPERBAND, _TRAINED),
    ("cifar10", "swift-hyperband", "svr"): Published(Figure(0.8128), Figure(3014, 65), _TRAINED),
    ("cifar10", "swift-hyperband", "qsvr"): Published(Figure(0.8143), Figure(2960, 39), _TRAINED),
}
"""By format of the table, algorithm, and predictor where there is one; with the published preset."""

"""Syne Tune's synchronous Hyperband in its simulator, from the last release with it.

It rounds the number of promoted trials up, hence 1767 epochs and not 1581.
"""

# /// script
# dependencies = [
#   "syne_tune==0.13.0", "cloudpickle==3.1.3", "dill==0.4.1", "joblib==1.6.0", "narwhals==2.29.0", "numpy==1.26.4",
#   "pandas==3.0.6", "python-dateutil==4.0.0", "scikit-learn==1.9.1", "scipy==1.17.1", "sortedcontainers==2.4.0",
#   "threadpoolctl==3.8.0", "typing_extensions==4.16.0", "tzdata==2026.6"
# ]
# ///

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from syne_tune.optimizer.baselines import SyncHyperband
from syne_tune_table import Rows, simulate

PACKAGE = "syne-tune"
SEARCHES = {"SyncHyperband, random": "continues"}


def replay(table: Rows, seed: int) -> tuple[int, int, float]:
    scheduler = SyncHyperband(
        table.configuration_space | {"epochs": table.epochs},
        metric="loss",
        mode="min",
        resource_attr="epoch",
        max_resource_attr="epochs",
        grace_period=1,
        reduction_factor=3,
        random_seed=seed,
    )
    return simulate(table, scheduler)


def replays(losses: np.ndarray, seeds: Iterable[int], search: str) -> list[tuple[int, int, float]]:
    table = Rows(losses)
    return [replay(table, seed) for seed in seeds]

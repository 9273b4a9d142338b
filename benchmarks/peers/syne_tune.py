"""Syne Tune: its asynchronous successive halving in its simulator.

One worker and five brackets are nearest to Hyperband. It stops trials and never resumes them.
"""

# /// script
# dependencies = [
#   "syne-tune==0.16.0", "anyio==4.16.0", "click==8.5.1", "cloudpickle==3.1.3", "dill==0.4.1", "filelock==4.3.1",
#   "fsspec==2026.9.0", "h11==0.16.0", "httpcore2==2.16.2", "httpx2==2.16.2", "huggingface_hub==2.4.0", "idna==3.20",
#   "joblib==1.6.0", "narwhals==2.29.0", "numpy==2.4.6", "packaging==26.4", "pandas==3.1.1", "psutil==7.2.2",
#   "python-dateutil==4.0.0", "PyYAML==6.0.4", "scikit-learn==1.9.1", "scipy==1.17.1", "sortedcontainers==2.4.0",
#   "threadpoolctl==3.8.0", "tqdm==4.70.1", "truststore==0.10.5", "typing_extensions==4.16.0", "tzdata==2026.6"
# ]
# ///

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from syne_tune.optimizer.baselines import ASHA
from syne_tune_table import Rows, simulate

PACKAGE = "syne-tune"
SEARCHES = {"ASHA, 1 bracket": "stops", "ASHA, 5 brackets": "stops"}


def replay(table: Rows, brackets: int, seed: int) -> tuple[int, int, float]:
    np.random.seed(seed)  # brackets are drawn from it
    scheduler = ASHA(
        table.configuration_space,
        metric="loss",
        time_attr="epoch",
        max_t=table.epochs,
        grace_period=1,
        reduction_factor=3,
        brackets=brackets,
        random_seed=seed,
    )
    return simulate(table, scheduler)


def replays(losses: np.ndarray, seeds: Iterable[int], search: str) -> list[tuple[int, int, float]]:
    table = Rows(losses)
    return [replay(table, 5 if search == "ASHA, 5 brackets" else 1, seed) for seed in seeds]

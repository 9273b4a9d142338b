"""SMAC: its Hyperband over random rows.

It calls the target with a configuration and a number of epochs, and training restarts: each counts all its epochs.
Rows are intervals of a real number, because SMAC skips a configuration that it draws twice.
"""

# /// script
# dependencies = [
#   "smac==2.4.1", "click==8.5.1", "cloudpickle==3.1.3", "ConfigSpace==1.2.2", "dask-jobqueue==0.9.0", "dask==2026.8.0",
#   "distributed==2026.8.0", "emcee==3.1.6", "fsspec==2026.9.0", "importlib_metadata==10.2.0", "Jinja2==3.1.6",
#   "joblib==1.6.0", "lazy-importer==0.1.0", "locket==1.0.0", "MarkupSafe==3.0.4", "more-itertools==11.2.1",
#   "msgpack==1.2.4", "narwhals==2.29.0", "numpy==2.4.6", "packaging==26.4", "partd==1.4.2", "psutil==7.2.2",
#   "pynisher==1.0.10", "pyparsing==3.3.3", "PyYAML==6.0.4", "regex==2026.11.19", "scikit-learn==1.9.1",
#   "scipy==1.17.1", "sortedcontainers==2.4.0", "tblib==3.2.2", "threadpoolctl==3.8.0", "toolz==1.2.0",
#   "tornado==6.6.1", "typing_extensions==4.16.0", "zict==3.0.0", "zipp==4.1.2"
# ]
# ///

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from smac import HyperbandFacade, Scenario

PACKAGE = "smac"
SEARCHES = {"Hyperband, random": "restarts"}


def replay(losses: list[list[float]], seed: int) -> tuple[int, int, float]:
    epochs, last = [], []

    def train(config: Configuration, seed: int, budget: float) -> float:
        curve = losses[int(config["part"] * len(losses))]
        epochs.append(round(budget))
        if epochs[-1] == len(curve):
            last.append(curve[-1])
        return curve[epochs[-1] - 1]

    space = ConfigurationSpace({"part": (0.0, np.nextafter(1.0, 0.0))}, seed=seed)
    trials = 206  # and rounds, of R = 81 and eta = 3
    scenario = Scenario(space, deterministic=True, n_trials=trials, min_budget=1, max_budget=len(losses[0]), seed=seed)
    facade = HyperbandFacade(scenario, train, overwrite=True, logging_level=False)
    facade.optimize()
    return len(facade.runhistory.get_configs()), sum(epochs), min(last)


def replays(losses: np.ndarray, seeds: Iterable[int], search: str) -> list[tuple[int, int, float]]:
    rows = losses.tolist()
    return [replay(rows, seed) for seed in seeds]

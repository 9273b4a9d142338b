"""DEHB: brackets of Hyperband, of which all but the first draw rows by differential evolution.

It calls the target with a configuration and a number of epochs, and training restarts: each counts all its epochs.
"""

# /// script
# dependencies = [
#   "DEHB==0.1.2", "click==8.5.1", "cloudpickle==3.1.3", "ConfigSpace==1.2.2", "dask==2026.8.0",
#   "distributed==2026.8.0", "fsspec==2026.9.0", "importlib_metadata==10.2.0", "Jinja2==3.1.6", "lazy-importer==0.1.0",
#   "locket==1.0.0", "loguru==0.7.3", "MarkupSafe==3.0.4", "more-itertools==11.2.1", "msgpack==1.2.4", "numpy==1.26.4",
#   "packaging==26.4", "pandas==3.0.6", "partd==1.4.2", "psutil==7.2.2", "pyarrow==26.0.1", "pyparsing==3.3.3",
#   "python-dateutil==4.0.0", "PyYAML==6.0.4", "scipy==1.17.1", "sortedcontainers==2.4.0", "tblib==3.2.2",
#   "toolz==1.2.0", "tornado==6.6.1", "typing_extensions==4.16.0", "tzdata==2026.6", "zict==3.0.0", "zipp==4.1.2"
# ]
# ///

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from ConfigSpace import ConfigurationSpace
from dehb import DEHB

PACKAGE = "dehb"
SEARCHES = {"DEHB": "restarts"}


def replay(losses: list[list[float]], seed: int) -> tuple[int, int, float]:
    searcher = DEHB(
        cs=ConfigurationSpace({"row": (0, len(losses) - 1)}, seed=seed),
        min_fidelity=1,
        max_fidelity=len(losses[0]),
        eta=3,
        seed=seed,
        n_workers=1,
        save_freq="end",
    )
    asked, epochs, last = set(), 0, []
    for _ in range(206):  # trials and rounds of R = 81 and eta = 3
        job = searcher.ask()
        curve, end = losses[job["config"]["row"]], round(job["fidelity"])
        asked.add(job["config_id"])
        epochs += end
        if end == len(curve):
            last.append(curve[-1])
        searcher.tell(job, {"fitness": curve[end - 1], "cost": end})
    return len(asked), epochs, min(last)


def replays(losses: np.ndarray, seeds: Iterable[int], search: str) -> list[tuple[int, int, float]]:
    rows = losses.tolist()
    return [replay(rows, seed) for seed in seeds]

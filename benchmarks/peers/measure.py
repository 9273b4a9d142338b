"""Measure one search of one driver, within the driver's own environment; called by benchmarks/peers.py.

    python -P measure.py DRIVER SEARCH TABLE SEEDS SECONDS

A driver defines PACKAGE, SEARCHES (name: how it treats a training that ended before the last epoch) and
`replays(losses, seeds, search)`, which returns configurations, epochs and the best loss at the last epoch of each
seed. One seed warms up, then seeds 0 to SEEDS - 1 are replayed, and more until SECONDS of CPU time have passed. The
last line of the output is JSON.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import resource
import sys
from pathlib import Path
from types import ModuleType

import numpy as np


def usage(what: str) -> list[float]:
    """Return a resource used by this process and by its children."""
    return [getattr(resource.getrusage(who), what) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def cpu_s() -> float:
    return sum(usage("ru_utime")) + sum(usage("ru_stime"))


def load(path: str) -> ModuleType:
    """Import a driver under a unique name; many have the name of the package that they drive."""
    spec = importlib.util.spec_from_file_location("driver", path)
    assert spec is not None
    assert spec.loader is not None
    driver = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(driver)
    return driver


def main() -> None:
    path, search, table, seeds, seconds = sys.argv[1:]
    losses, count = np.load(table), int(seeds)
    sys.path.append(str(Path(path).parent))  # after the packages, which have the same names
    driver = load(path)
    import_s = cpu_s()
    driver.replays(losses, range(1), search)
    while True:
        start = cpu_s()
        runs = driver.replays(losses, range(count), search)
        spent = cpu_s() - start
        if spent >= float(seconds):
            break
        count *= 2
    configurations, epochs, best = np.asarray(runs, dtype=float).mean(axis=0)
    result = {
        "peer": driver.PACKAGE,
        "version": importlib.metadata.version(driver.PACKAGE),
        "search": search,
        "seeds": count,
        "configurations": configurations,
        "epochs_mean": epochs,
        "best_mean": best,
        "cpu_s_per_run": spent / count,
        "runs_per_s": count / spent,
        "import_cpu_s": import_s,
        "max_rss_mb": max(usage("ru_maxrss")) / 1024,
        "counts": driver.SEARCHES[search],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

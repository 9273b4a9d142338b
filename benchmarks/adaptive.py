"""Adaptive Hyperband beside Hyperband: epochs with one worker, and time with several, at equal quality.

    python benchmarks/adaptive.py --curves DIR [--tables DIR] [--seeds 60] [--workers 4] [--choice correlation]

share = E / H as in equal_quality.py: the epochs after which the mean regret is no more than that of one whole
Hyperband, in units of Hyperband's. With several workers, T / T_H: the seconds until then on a simulated cluster, in
units of those in which Hyperband with as many workers reaches its last regret. The search may spend one and a half
Hyperbands; "regret" is its own after the epochs of one. DIR of --curves is that of saved_epochs.py (and mnist_4hp and
resnets_tinyimagenet, if they are there); that of --tables holds the six tables of examples/tables. A seed without a
winner has the regret of the table's worst row. "nan": not reached.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from equal_quality import Trace, crossing, interval
from saved_epochs import tables as published

from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay
from swift_hyperband.replay.searches import Recipe
from swift_hyperband.replay.tables.reader import read
from swift_hyperband.replay.tables.table import CurveTable
from swift_hyperband.search.adaptive_settings import AdaptiveSettings

BUDGET = 1.5

MORE = {"mnist_4hp": (12, "loss", "min"), "resnets_tinyimagenet": (140, "accuracy", "max")}
"""R, metric and mode of two more public tables."""

OWN = {"cnn": 81, "lstm": 60, "mlp": 81, "transformer": 60, "boosting": 81, "denoiser": 81}
"""R of our own tables."""

CHOICES = ["correlation", "hyper-tune"]

Case = tuple[str, CurveTable, int, int]
"""Name, table, R and eta."""


def cases(curves: Path, own: Path | None) -> Iterator[Case]:
    """Yield the tables that are there."""
    for table, max_epochs in published(curves):
        yield table.name, table, max_epochs, 2
    for name, (max_epochs, metric, mode) in MORE.items():
        if (path := curves / name / f"{name}.parquet").exists():
            yield name, read(path, None, metric, mode), max_epochs, 2
    for name, max_epochs in OWN.items():
        if own is not None and (path := own / f"{name}.parquet").exists():
            for eta in (3, 2):
                yield f"{name}, eta {eta}", read(path, None, "loss", "min"), max_epochs, eta


def traces(replay: Replay, chosen: Recipe, seeds: int, cluster: ClusterSettings) -> tuple[list[Trace], list[Trace]]:
    """Return for each seed the regret over epochs, and over milliseconds of an epoch's second."""
    at_first = replay.regret(max(losses[-1] for losses in replay.losses if np.isfinite(losses[-1])))
    assert at_first is not None
    by_epochs, by_time = [], []
    for seed in range(seeds):
        _, simulation = replay.run(chosen, seed, cluster)
        assert simulation is not None
        steps = [(found, replay.regret(found.loss) or 0.0) for found in simulation.incumbent]
        by_epochs.append([(0, at_first), *((found.epochs, regret) for found, regret in steps)])
        by_time.append([(0, at_first), *((round(found.seconds), regret) for found, regret in steps)])
    return by_epochs, by_time


def row(name: str, replay: Replay, eta: int, seeds: int, workers: int, choices: list[str]) -> None:
    """Print the shares of searches on a table."""
    cluster = ClusterSettings(workers=workers)
    plain = recipe("hyperband", replay.max_epochs, eta)
    regrets = [trace[-1][1] for trace in traces(replay, plain, seeds, cluster)[0]]
    target = float(np.mean(regrets))
    found = []
    for choice in choices:
        settings = AdaptiveSettings(budget=BUDGET, choice=choice)
        chosen = recipe("adaptive-hyperband", replay.max_epochs, eta, adaptive=settings)
        by_epochs, by_time = traces(replay, chosen, seeds, cluster)
        whole = plain.schedule.epochs_hyperband
        once = [bisect(trace, whole) for trace in by_epochs]
        if workers > 1:
            by_epochs = by_time
            whole = crossing(traces(replay, plain, seeds, cluster)[1], target)
        low, high = (epochs / whole for epochs in interval(by_epochs, regrets))
        found.append(f"{crossing(by_epochs, target) / whole:6.2f} ({low:.2f} - {high:.2f}) {np.mean(once):7.4f}")
    print(f"{name:22} {target:7.4f}  " + "   ".join(found), flush=True)


def bisect(trace: Trace, epochs: int) -> float:
    """Return the regret of a trace after so many epochs."""
    return [regret for at, regret in trace if at <= epochs][-1]


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--choice", action="append", choices=CHOICES)
    options = parser.parse_args()
    choices = options.choice or CHOICES
    print(f"{'table':22} {'regret':>7}  " + "   ".join(f"{choice}: share (95 %), regret" for choice in choices))
    for name, table, max_epochs, eta in cases(options.curves, options.tables):
        row(name, Replay(table, max_epochs), eta, options.seeds, options.workers, choices)


if __name__ == "__main__":
    main()

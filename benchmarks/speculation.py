"""Time to the end of a search whose simulated workers train ahead, as a multiple of Hyperband's, and what it costs.

    python benchmarks/speculation.py --curves DIR [--seeds 20] [--paces constant heavy-tailed]

DIR as in saved_epochs.py, eta = 2, epochs of a second, no start of jobs. Each cell: the time without and with training
ahead, mean (worst seed), and all epochs trained, in vain as well; each as a multiple of Hyperband's, which trains
nothing ahead. Every run is compared with the plain search: all decisions must be the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from saved_epochs import tables

from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay
from swift_hyperband.replay.searches import Recipe
from swift_hyperband.search.scheduled import ScheduledSearch

SEARCHES: list[tuple[str, str, dict[str, float]]] = [
    ("default", "default", {}),
    ("no thaw", "default", {"thaw": 0.0}),
    ("bold", "bold", {}),
]
WORKERS = [1, 4, 16, 64, 256, 1024]


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--paces", nargs="+", default=["constant", "heavy-tailed"])
    options = parser.parse_args()
    compared = 0
    for pace in options.paces:
        print(f"\n{pace}\n{'table':13} {'search':8} " + " ".join(f"{workers:>24}" for workers in WORKERS))
        for table, max_epochs in tables(options.curves):
            replay = Replay(table, max_epochs)
            plain = recipe("hyperband", max_epochs, 2)
            for name, preset, swift in SEARCHES:
                chosen = recipe("swift-hyperband", max_epochs, 2, preset=preset, swift=swift)
                cells = []
                for workers in WORKERS:
                    found = np.array(
                        [ratios(replay, plain, chosen, seed, workers, pace) for seed in range(options.seeds)]
                    )
                    compared += len(found)
                    waiting, ahead, epochs = found.mean(axis=0)
                    cells.append(f"{waiting:.2f} {ahead:.2f} ({found[:, 1].max():.2f}) {epochs:.2f}")
                print(f"{table.name:13} {name:8} " + " ".join(f"{cell:>24}" for cell in cells), flush=True)
    print(f"\n{compared} searches decided as without training ahead")


def ratios(
    replay: Replay, plain: Recipe, chosen: Recipe, seed: int, workers: int, pace: str
) -> tuple[float, float, float]:
    """Return time without and with training ahead, and epochs with it, as multiples of Hyperband's."""
    cluster = ClusterSettings(workers, pace=pace)  # type: ignore[arg-type]
    hyperband, first = replay.run(plain, seed, cluster)
    waiting, second = replay.run(chosen, seed, cluster)
    ahead, third = replay.run(chosen, seed, ClusterSettings(workers, pace=pace, speculate=True))  # type: ignore[arg-type]
    assert first is not None
    assert second is not None
    assert third is not None
    assert decided(waiting) == decided(ahead), "training ahead changed a decision"
    return second.makespan / first.makespan, third.makespan / first.makespan, third.epochs / hyperband.epochs


def decided(search: object) -> tuple[object, ...]:
    """Return everything that a search decided."""
    assert isinstance(search, ScheduledSearch)
    rounds = {key: (found.competitors, found.decision, found.promoted) for key, found in search.records.items()}
    return rounds, search.best, search.thawing, search.curves


if __name__ == "__main__":
    main()

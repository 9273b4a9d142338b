"""Epochs that the presets save, and the cost in quality, on published learning curves.

    python benchmarks/saved_epochs.py --curves DIR [--seeds 40]

DIR holds the tables that the papers' authors published (repositories erwulff/performance-pred and
MITAutoML/accelerating_nas), each in a folder of its own: mlpf_delphes/delphes_trainings_processed.csv,
cifar10_cnn/cifar_curves_mod.json, lstm_ptb/lstm_ptb.csv, metaqnn_svhn/metaqnn_svhn.csv. Missing tables are
skipped. Each seed draws rows without replacement; Hyperband and both presets have the same draws, eta = 2.

regret = (best - table optimum) / (median - optimum) at the last epoch; "same" is the share of seeds in which the
winner is Hyperband's. The MLPF row with the largest last loss is left out, as by its authors.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay
from swift_hyperband.replay.tables.reader import PUBLISHED, read
from swift_hyperband.replay.tables.table import CurveTable

FILES = {
    "mlpf": "mlpf_delphes/delphes_trainings_processed.csv",
    "cifar10": "cifar10_cnn/cifar_curves_mod.json",
    "ptb": "lstm_ptb/lstm_ptb.csv",
    "svhn": "metaqnn_svhn/metaqnn_svhn.csv",
}


def tables(folder: Path) -> Iterator[tuple[CurveTable, int]]:
    """Yield each existing table, and R."""
    for format_, file in FILES.items():
        path = folder / file
        if path.exists():
            yield read(path, format_), PUBLISHED[format_].max_epochs
        else:
            print(f"{PUBLISHED[format_].name}: skipped, {path} is not there")


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=40)
    options = parser.parse_args()
    print(f"{'table':14} {'search':26} {'epochs':>13} {'saved':>7} {'regret':>7} {'same':>5}")
    for table, max_epochs in tables(options.curves):
        replay = Replay(table, max_epochs)
        for label, algorithm, preset, swift in [
            ("Hyperband", "hyperband", "default", {}),
            ("Swift, published", "swift-hyperband", "published", {}),
            ("Swift, default", "swift-hyperband", "default", {}),
            ("Swift, default, quantile", "swift-hyperband", "default", {"threshold": "quantile"}),
        ]:
            chosen = recipe(algorithm, max_epochs, 2, preset=preset, swift=swift)
            runs = list(replay.runs(chosen, range(options.seeds)))
            epochs = np.array([run.epochs for run in runs])
            regret = np.mean([run.regret for run in runs])
            same = np.mean([run.best == run.hyperband_best for run in runs])
            saved = 1 - epochs.mean() / runs[0].hyperband_epochs
            spread = f"{epochs.mean():.0f} +- {epochs.std():.0f}"
            print(f"{table.name:14} {label:26} {spread:>13} {saved:7.1%} {regret:7.4f} {same:5.2f}", flush=True)


if __name__ == "__main__":
    main()

"""How many epochs the presets save, and at what cost in quality, on published learning curves.

    python benchmarks/saved_epochs.py --curves DIR [--seeds 40]

DIR holds the tables that the papers' authors published (repositories erwulff/performance-pred and
MITAutoML/accelerating_nas), each in a folder of its own: mlpf_delphes/delphes_trainings_processed.csv,
cifar10_cnn/cifar_curves_mod.json, lstm_ptb/lstm_ptb.csv, metaqnn_svhn/metaqnn_svhn.csv. Those that are absent are
skipped. Each seed draws rows without replacement; Hyperband and both presets see the same draws, eta = 2.

regret = (best - table optimum) / (median - optimum) at the last epoch; "same" is the share of seeds in which the
winner is Hyperband's. The MLPF row with the largest last loss is left out, as its authors do.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from swift_hyperband.search.scheduled import ScheduledSearch
from swift_hyperband.study import Study, parse


def tables(folder: Path) -> Iterator[tuple[str, int, np.ndarray]]:
    """Yield name, R and losses (rows x epochs) of each table that is there."""
    for name, file, max_epochs in [
        ("MLPF", "mlpf_delphes/delphes_trainings_processed.csv", 100),
        ("CIFAR-10", "cifar10_cnn/cifar_curves_mod.json", 100),
        ("PTB", "lstm_ptb/lstm_ptb.csv", 60),
        ("SVHN stand-in", "metaqnn_svhn/metaqnn_svhn.csv", 20),
    ]:
        path = folder / file
        if not path.exists():
            print(f"{name}: skipped, {path} is not there")
            continue
        if path.suffix == ".json":
            columns = json.loads(path.read_text())
            rows = [columns[str(epoch)] for epoch in range(max_epochs)]
            yield name, max_epochs, -np.array([list(row.values()) for row in rows], dtype=float).T
            continue
        with path.open(newline="") as file_:
            lines = list(csv.DictReader(file_))
        if name == "SVHN stand-in":
            columns_ = [f"acc_{epoch}" for epoch in range(1, max_epochs + 1)]
            yield name, max_epochs, -np.array([[float(line[c] or "nan") for c in columns_] for line in lines])
        else:
            prefix = "loss" if name == "MLPF" else "ep"
            losses = np.array([[float(line[f"{prefix}_{e}"] or "nan") for e in range(max_epochs)] for line in lines])
            yield name, max_epochs, np.delete(losses, np.argmax(losses[:, -1]), 0) if name == "MLPF" else losses


def study(max_epochs: int, algorithm: str, **swift: str) -> Study:
    """Return a study whose search is replayed."""
    return parse(
        {
            "name": "replayed",
            "target": {"name": "curve-table", "metric": "loss", "mode": "min"},
            "space": {"row": {"type": "int", "low": 0, "high": 1}},
            "search": {"algorithm": algorithm, "max_epochs": max_epochs, "eta": 2},
            "swift": swift,
        },
        "benchmark",
    )


def replay(chosen: Study, losses: np.ndarray, seed: int) -> tuple[float, int]:
    """Replay one search on drawn rows; return its best loss and its epochs."""
    schedule = chosen.schedule()
    draw = np.random.default_rng(seed)
    order = np.concatenate([draw.permutation(len(losses)) for _ in range(-(-schedule.configurations // len(losses)))])
    rows = {f"{slot:06}": losses[row] for slot, row in enumerate(order[: schedule.configurations])}
    ids, trials = iter(rows), {}
    for bracket, rounds in schedule.brackets.items():
        trials[bracket] = [next(ids) for _ in range(rounds[0].trials)]
    search = ScheduledSearch(schedule, trials, chosen.rules())
    while not search.finished:
        for training in search.ask():
            search.tell(training.trial, rows[training.trial][: training.epochs].tolist())
    assert search.best is not None
    return search.best[1], search.epochs


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=40)
    options = parser.parse_args()
    print(f"{'table':14} {'search':26} {'epochs':>13} {'saved':>7} {'regret':>7} {'same':>5}")
    for name, max_epochs, losses in tables(options.curves):
        last = losses[:, max_epochs - 1]
        optimum, median = np.nanmin(last), np.nanmedian(last)
        plain = [replay(study(max_epochs, "hyperband"), losses, seed) for seed in range(options.seeds)]
        for label, algorithm, swift in [
            ("Hyperband", "hyperband", {}),
            ("Swift, published", "swift-hyperband", {"preset": "published"}),
            ("Swift, default", "swift-hyperband", {}),
            ("Swift, default, quantile", "swift-hyperband", {"threshold": "quantile"}),
        ]:
            chosen = study(max_epochs, algorithm, **swift)
            runs = [replay(chosen, losses, seed) for seed in range(options.seeds)]
            epochs = np.array([run[1] for run in runs])
            regret = np.mean([(run[0] - optimum) / (median - optimum) for run in runs])
            same = np.mean([run[0] == other[0] for run, other in zip(runs, plain, strict=True)])
            saved = 1 - epochs.mean() / plain[0][1]
            spread = f"{epochs.mean():.0f} +- {epochs.std():.0f}"
            print(f"{name:14} {label:26} {spread:>13} {saved:7.1%} {regret:7.4f} {same:5.2f}", flush=True)


if __name__ == "__main__":
    main()

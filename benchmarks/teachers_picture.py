"""Regret against epochs of the presets and Hyperband, a panel for each table: docs/teachers.png.

    python benchmarks/teachers_picture.py --curves DIR --to docs/teachers.png [--seeds 100]

DIR as for teachers.py. One worker trains one trial after another. Before a search has a winner, its regret is that of
the table's worst finite row. A line ends with a dot at the mean epochs of the whole search.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from equal_quality import Trace, traces
from matplotlib.ticker import NullFormatter
from teachers import settings

from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay
from swift_hyperband.report.style import BLUE, DARK, DPI, GREEN, RED, WIDTH

SEARCHES = {
    "Hyperband": ("hyperband", {}, DARK),
    "default": ("swift-hyperband", {}, BLUE),
    "published": ("swift-hyperband", {"preset": "published"}, GREEN),
    "bold": ("swift-hyperband", {"preset": "bold"}, RED),
}


def mean(found: list[Trace], at: np.ndarray) -> np.ndarray:
    """Return the mean regret after numbers of epochs."""
    values = []
    for trace in found:
        epochs, regrets = (np.array(column) for column in zip(*trace, strict=True))
        values.append(regrets[np.searchsorted(epochs, at, side="right") - 1])
    return np.mean(values, axis=0)


def main() -> None:
    """Replay and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=100)
    options = parser.parse_args()
    shown = [
        found
        for found in settings(options.curves)
        if found[3] == 3 or found[2] in (12, 20, 100, 140) or "PTB" in found[0]
    ]
    figure, axes = plt.subplots(-(-len(shown) // 3), 3, figsize=(WIDTH, 0.62 * len(shown)), layout="constrained")
    for panel, (name, table, max_epochs, eta) in zip(axes.flat, shown, strict=False):
        replay = Replay(table, max_epochs)
        for label, (algorithm, keys, colour) in SEARCHES.items():
            chosen = recipe(algorithm, max_epochs, eta, **keys)
            whole, found = chosen.schedule.epochs_hyperband, traces(replay, chosen, options.seeds)
            end = np.mean([run.epochs for run in replay.runs(chosen, range(options.seeds))])
            at = np.linspace(0.15 * whole, end, 200)
            regret = mean(found, at)
            panel.step(at / whole, regret, color=colour, label=label, linewidth=1.1, where="post")
            panel.plot(end / whole, regret[-1], "o", color=colour, markersize=3)
        panel.set_yscale("log")
        panel.yaxis.set_minor_formatter(NullFormatter())
        panel.set_title(f"{name}, eta {eta}", fontsize=7)
        panel.tick_params(labelsize=6)
    for panel in axes.flat[len(shown) :]:
        panel.set_axis_off()
    figure.supxlabel("epochs / Hyperband's epochs, one worker", fontsize=8)
    figure.supylabel("mean regret", fontsize=8)
    figure.legend(
        *axes.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=7, frameon=False
    )
    figure.savefig(options.to, dpi=DPI)


if __name__ == "__main__":
    main()

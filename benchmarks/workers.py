"""Length of searches on 1 to 1,024 workers, with and without stragglers, on a simulated cluster.

    python benchmarks/workers.py --curves DIR [--seeds 20] [--picture FILE.png]

DIR as in saved_epochs.py; the table is MLPF, R = 100, eta = 2. An epoch takes a minute in the mean; a job takes 30 s to
start and waits 2 minutes in the queue in the mean (--epoch, --start, --queue: other seconds). Paces: constant; per
configuration (some models are slower: lognormal, .5); heavy-tailed (some jobs are stragglers: Pareto, .5). All searches
have the same slow configurations.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from saved_epochs import tables

from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay

WORKERS = [1, 4, 16, 64, 256, 1024]
PACES = ["constant", "per-configuration", "heavy-tailed"]


def main() -> None:
    """Simulate and print; draw if a picture is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--epoch", type=float, default=60.0)
    parser.add_argument("--start", type=float, default=30.0)
    parser.add_argument("--queue", type=float, default=120.0)
    parser.add_argument("--paces", nargs="+", choices=PACES, default=PACES)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    table, max_epochs = next(tables(options.curves))
    replay = Replay(table, max_epochs)
    searches = {
        "Hyperband": recipe("hyperband", max_epochs, 2),
        "Swift-Hyperband": recipe("swift-hyperband", max_epochs, 2),
        "  own curves": recipe("swift-hyperband", max_epochs, 2, swift={"share_curves": False}),
        "ASHA": recipe("asha", max_epochs, 2),
        "Swift-ASHA": recipe("swift-asha", max_epochs, 2, preset="bold"),
    }
    hours: dict[str, dict[str, list[float]]] = {pace: {} for pace in options.paces}
    for pace in options.paces:
        print(f"\n{pace}: hours (share of the workers' time that trains)")
        print(f"{'search':16} {'epochs':>6} " + " ".join(f"{workers:>14}" for workers in WORKERS))
        for name, chosen in searches.items():
            cells, epochs = [], []
            for workers in WORKERS:
                cluster = ClusterSettings(
                    workers, options.epoch, pace, start_seconds=options.start, queue_seconds=options.queue
                )
                runs = list(replay.runs(chosen, range(options.seeds), cluster))
                took = float(np.mean([run.makespan for run in runs])) / 3600
                hours[pace].setdefault(name, []).append(took)
                epochs.append(np.mean([run.epochs for run in runs]))
                cells.append(f"{took:7.2f} ({np.mean([run.utilisation for run in runs]):4.0%})")
            print(f"{name:16} {epochs[0]:6.0f} " + " ".join(f"{cell:>14}" for cell in cells), flush=True)
    if options.picture is not None:
        draw(hours, options.picture)


def draw(hours: dict[str, dict[str, list[float]]], path: Path) -> None:
    """Draw the length of each search relative to Hyperband, a panel for each pace."""
    from swift_hyperband.report import style

    colours = [style.BLUE, style.SKY, style.ORANGE, style.RED]
    with style.style():
        picture = style.figure(3.3)
        picture.suptitle("Time to the end of the search, as a multiple of Hyperband's\nMLPF, R = 100, eta = 2")
        panels = picture.subplots(1, len(hours), sharey=True)
        for ax, (pace, lines) in zip(panels, hours.items(), strict=True):
            plain = np.array(lines["Hyperband"])
            ax.axhline(1, color=style.GREY, lw=1, label="Hyperband")
            others = [name for name in lines if name != "Hyperband"]
            for name, marker, colour in zip(others, "sDv^", colours, strict=True):
                label = name.replace("  own curves", "Swift-Hyperband, own curves")
                ax.plot(WORKERS, np.array(lines[name]) / plain, marker=marker, ms=4, color=colour, label=label, lw=1.2)
            ax.set(xscale="log", title=f"pace {pace}", xlabel="workers")
            ax.set_xticks(WORKERS, [f"{workers:,}" for workers in WORKERS])
            ax.minorticks_off()
            ax.grid()
        handles, labels = panels[0].get_legend_handles_labels()
        picture.legend(handles, labels, loc="outside lower center", ncols=3)
        style.save(picture, path)


if __name__ == "__main__":
    main()

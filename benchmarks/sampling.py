"""Configurations that a model draws, beside those at random: Hyperband, Swift-Hyperband and adaptive Hyperband.

    python benchmarks/sampling.py --curves DIR [--tables DIR] [--seeds 20] [--sampling tpe --sampling bohb]

One worker. For each search: share = E / H at equal quality as in equal_quality.py and adaptive.py (nan: not reached),
and the difference of its regret from Hyperband's after the epochs of one Hyperband, with its 95 % interval and the
share of seeds in which it is worse / better. DIR of both options is that of adaptive.py. The last lines are means and
worst shares; a share that is not reached counts as the epochs that the search may spend. Marked (*): rows of the
table repeat configurations, which flatters a model.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from adaptive import BUDGET, cases
from equal_quality import REPEATS, Repeated, Trace, crossing, traces

from swift_hyperband.replay.model_draws import draws, flattered
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay, interval
from swift_hyperband.replay.searches import Recipe
from swift_hyperband.search.adaptive_settings import AdaptiveSettings
from swift_hyperband.search.sampling import Sampling

SEARCHES = {"hyperband": REPEATS, "swift-hyperband": REPEATS, "adaptive-hyperband": BUDGET}
"""Searches, and how many Hyperbands they may spend."""


def search(name: str, replay: Replay, eta: int, sampling: Sampling) -> Recipe:
    """Return a search that runs beyond one Hyperband."""
    settings = AdaptiveSettings(budget=BUDGET)
    found = recipe(name, replay.max_epochs, eta, sampling=sampling, adaptive=settings)
    return found if name == "adaptive-hyperband" else Repeated(found.label, name, found.study)


def after(trace: Trace, epochs: int) -> float:
    """Return the regret of a trace after so many epochs."""
    return [regret for at, regret in trace if at <= epochs][-1]


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--sampling", action="append", choices=["tpe", "bohb"])
    options = parser.parse_args()
    samplings: list[Sampling] = ["random", *(options.sampling or ["tpe", "bohb"])]
    columns = [(name, sampling) for name in SEARCHES for sampling in samplings]
    shares: dict[tuple[str, Sampling], list[float]] = {column: [] for column in columns}
    for name, table, max_epochs, eta in cases(options.curves, options.tables):
        complete = table.complete(max_epochs)
        plain = recipe("hyperband", max_epochs, eta)
        whole = plain.schedule.epochs_hyperband
        regrets = [trace[-1][1] for trace in traces(Replay(complete, max_epochs), plain, options.seeds)]
        print(f"{name}{' (*)' if flattered(complete) else ''}: Hyperband's regret {np.mean(regrets):.4f}", flush=True)
        for algorithm, sampling in columns:
            replay = Replay(complete, max_epochs, draws(complete, sampling, None)[0])
            found = traces(replay, search(algorithm, replay, eta, sampling), options.seeds)
            share = crossing(found, float(np.mean(regrets))) / whole
            shares[algorithm, sampling].append(SEARCHES[algorithm] if np.isnan(share) else share)
            apart = [after(trace, whole) - regret for trace, regret in zip(found, regrets, strict=True)]
            mean, half = interval(apart)
            worse, better = (np.mean([sign * one > 1e-12 for one in apart]) for sign in (1, -1))
            told = f"{share:5.2f}  {mean:+.4f} +- {half:.4f}  {worse:.2f} / {better:.2f}"
            print(f"  {algorithm:20} {sampling:7} {told}{'  worse' if mean > half else ''}", flush=True)
    for (algorithm, sampling), of_search in shares.items():
        print(f"{algorithm:20} {sampling:7} mean {np.mean(of_search):.2f}, worst {max(of_search):.2f}")


if __name__ == "__main__":
    main()

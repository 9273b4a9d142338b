"""Epochs that the presets need for the quality of Hyperband, on published learning curves.

    python benchmarks/equal_quality.py --curves DIR [--seeds 100]

A search that stops trials early may save epochs and lose quality. Here it must make up for the loss: it runs all its
brackets again and again on fresh draws, keeping its curves and predictors, until it is as good as one whole Hyperband.

share = E / H. H are the epochs of one Hyperband, E the first number of epochs at which the search's mean regret is no
more than Hyperband's at its end; the mean is over seeds, each of which draws the same rows for all searches, and more
for a search that starts with more configurations. A search's regret after E epochs is that of its best winner so far,
(loss - table optimum) / (median - optimum) at the last epoch, when one worker trains one trial after another. Below 1
the search is cheaper. The interval contains 95 % of the shares of 1000 bootstrap samples of seeds; it is skewed, as
winners come at the ends of brackets: a sample that just misses the target waits for the next.

While a seed has no winner its regret is that of the table's worst finite row. That decides nothing unless a search
crosses within its first bracket, by far the worst one. "nan": still worse at the end of the last repeat.

"saved", "regret" and "same" are those of a single run: epochs saved, mean regret, and the share of seeds with the
winner of Hyperband. DIR and the tables in it are those of saved_epochs.py; R as published, eta = 2.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from saved_epochs import tables

from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay
from swift_hyperband.replay.searches import Recipe
from swift_hyperband.search.schedule import Schedule, hyperband
from swift_hyperband.search.swift_hyperband import divide

REPEATS = 3
ONE_WORKER = ClusterSettings()

VARIANTS: list[tuple[str, str, dict[str, Any]]] = [
    ("Hyperband", "hyperband", {}),
    ("Swift, published", "swift-hyperband", {"preset": "published"}),
    ("Swift, default", "swift-hyperband", {}),
    ("Swift, bold", "swift-hyperband", {"preset": "bold"}),
]
"""Label, algorithm and settings of the searches; add others to compare."""

Trace = list[tuple[int, float]]
"""Epochs and the regret from then on."""


class Repeated(Recipe):
    """A search whose brackets run several times, each time with fresh configurations, its curves kept."""

    @cached_property
    def _once(self) -> Schedule:
        once = super()._once
        count = max(once.brackets) + 1
        rounds = [
            replace(round_, bracket=round_.bracket + count * number)
            for number in reversed(range(REPEATS))
            for round_ in hyperband(once.max_epochs, once.eta, in_turn=once.in_turn).rounds
        ]
        repeated = replace(once, rounds=tuple(rounds))
        if not once.decides:
            return repeated
        wide = {round_.key: round_ for round_ in once.rounds}
        divided = []
        for round_ in divide(repeated, self.study.swift()).rounds:
            whole = wide[round_.bracket % count, round_.index]
            divided.append(replace(round_, trials=round_.trials + whole.extra, extra=whole.extra, paying=whole.paying))
        # what thaws after the last bracket does not repeat
        return replace(once, rounds=tuple(divided), thaw=None)


def traces(replay: Replay, chosen: Recipe, seeds: int) -> list[Trace]:
    """Return for each seed the regret over the epochs of one worker."""
    worst = max(losses[-1] for losses in replay.losses if np.isfinite(losses[-1]))
    at_first = replay.regret(worst)
    assert at_first is not None
    found = []
    for seed in range(seeds):
        _, simulation = replay.run(chosen, seed, ONE_WORKER)
        assert simulation is not None
        steps = [(0, at_first)]
        for incumbent in simulation.incumbent:
            regret = replay.regret(incumbent.loss)
            assert regret is not None
            steps.append((incumbent.epochs, regret))
        found.append(steps)
    return found


def crossing(found: list[Trace], target: float) -> float:
    """Return the first number of epochs at which the mean regret is no more than the target; nan if there is none."""
    epochs = np.array([epochs for trace in found for epochs, _ in trace])
    falls = np.concatenate([np.diff([regret for _, regret in trace], prepend=0.0) for trace in found])
    order = np.argsort(epochs, kind="stable")
    epochs, mean = epochs[order], np.cumsum(falls[order]) / len(found)
    # all falls at the same epochs count together; rounding must not hide an equality
    last = np.append(np.diff(epochs) > 0, True)
    reached = epochs[last & (mean <= target + 1e-9)]
    return float(reached[0]) if reached.size else float("nan")


def interval(found: list[Trace], regrets: list[float]) -> tuple[float, float]:
    """Return the interval of epochs in which 95 % of the bootstrap samples reach the target."""
    generator = np.random.default_rng(0)
    samples = generator.integers(len(found), size=(1000, len(found)))
    epochs = [crossing([found[i] for i in sample], float(np.mean([regrets[i] for i in sample]))) for sample in samples]
    # those that never cross count as later than all others
    low, high = np.quantile(np.nan_to_num(epochs, nan=np.inf), [0.025, 0.975], method="nearest")
    return float(low), float(high)


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=100)
    options = parser.parse_args()
    print(f"{'table':14} {'search':20} {'share':>6} {'95 % interval':>14} {'saved':>7} {'regret':>7} {'same':>5}")
    for table, max_epochs in tables(options.curves):
        replay = Replay(table, max_epochs)
        hyperband = [trace[-1][1] for trace in traces(replay, recipe("hyperband", max_epochs, 2), options.seeds)]
        for label, algorithm, settings in VARIANTS:
            chosen = recipe(algorithm, max_epochs, 2, **settings)
            again = Repeated(chosen.label, algorithm, chosen.study)
            found, whole = traces(replay, again, options.seeds), chosen.schedule.epochs_hyperband
            share = crossing(found, float(np.mean(hyperband))) / whole
            low, high = (epochs / whole for epochs in interval(found, hyperband))
            once = list(replay.runs(chosen, range(options.seeds)))
            saved = 1 - np.mean([run.epochs for run in once]) / whole
            regret = np.mean([run.regret for run in once])
            same = np.mean([run.best == run.hyperband_best for run in once])
            between = f"{low:.2f} - {high:.2f}"
            print(
                f"{table.name:14} {label:20} {share:6.2f} {between:>14} {saved:7.1%} {regret:7.4f} {same:5.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

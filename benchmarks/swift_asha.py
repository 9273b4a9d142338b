"""Swift-ASHA against ASHA, and against rejected variants of its design: epochs, regret, makespan.

    python benchmarks/swift_asha.py --curves DIR [--seeds 100] [--workers 1,4,16,64]

DIR as in saved_epochs.py. Both search the same configurations (all brackets of Hyperband, published R, eta = 2) on the
same simulated workers, an epoch takes a second. "saved" are epochs against ASHA; "regret" is the mean with the 95 %
interval of the paired difference to ASHA's. docs/swift-asha.md explains the variants.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from saved_epochs import tables

from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay, interval
from swift_hyperband.replay.searches import Recipe
from swift_hyperband.search.asha import AshaSearch


class NeverWaits(AshaSearch):
    """A trial that reaches its decision point before a predictor exists goes on at once."""

    def _decide(self, end):
        super()._decide(end)
        self._going_on |= self._paused
        self._paused = {}


class WaitsAlways(AshaSearch):
    """A trial at its decision point waits for a predictor while any job runs, though workers idle."""

    def _next_job(self):
        job = super()._next_job()
        return None if job is not None and job[0] in self._paused and self._running else job


class FitsOnce(AshaSearch):
    """A predictor is fitted to the first d curves and never again, as in Swift-Hyperband."""

    def _predictor(self, seen, end):
        return self._predictors[seen, end][1] if (seen, end) in self._predictors else super()._predictor(seen, end)


class StopsWithCare(AshaSearch):
    """Stopped trials count among those of the upper rung also when trials are stopped."""

    def _continues(self, rung, trial):
        stopped = rung.entered - len(rung.losses)
        # as if they had reached it, behind all others
        rung.losses += [(np.inf, "")] * stopped
        try:
            return super()._continues(rung, trial)
        finally:
            del rung.losses[len(rung.losses) - stopped :]


class ForgetsTheStopped(AshaSearch):
    """A stopped trial does not count among those of the upper rung, of which one in eta is promoted."""

    def _decide(self, end):
        before = {trial: goal for trial, goal in self._paused.items() if goal.epochs == end}
        super()._decide(end)
        for trial, goal in before.items():
            if trial not in self._going_on and trial not in self._paused:
                self._rungs[goal.bracket][goal.rung].entered -= 1


VARIANTS: dict[str, type[AshaSearch]] = {
    "Swift-ASHA": AshaSearch,
    "  never waits": NeverWaits,
    "  waits always": WaitsAlways,
    "  fits once": FitsOnce,
    "  stops with care": StopsWithCare,
    "  forgets the stopped": ForgetsTheStopped,
}


@dataclass(frozen=True)
class Variant(Recipe):
    """A recipe for a variant class of Swift-ASHA."""

    search: type[AshaSearch] = AshaSearch

    def start(self, trials, workers=1):
        if self.algorithm != "swift-asha":
            return super().start(trials, workers)
        return self.search(self.schedule, trials, self.study.rules())


def measure(replay: Replay, chosen: Recipe, workers: int, seeds: range) -> np.ndarray:
    """Return epochs, regret and makespan of each seed."""
    found = replay.runs(chosen, seeds, ClusterSettings(workers=workers))
    return np.array([(run.epochs, run.regret, run.makespan) for run in found])


def line(name: str, runs: np.ndarray, asha: np.ndarray) -> str:
    """Return a line of the table."""
    epochs, regret, makespan = runs.mean(axis=0)
    difference, half = interval((runs[:, 1] - asha[:, 1]).tolist())
    saved = 1 - epochs / asha[:, 0].mean()
    return (
        f"{name:22} {epochs:7.0f} {saved:7.1%} {regret:8.4f} {difference:+8.4f} +- {half:.4f} {makespan:9.1f} "
        f"{makespan / asha[:, 2].mean():6.2f}"
    )


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--workers", default="1,4,16,64")
    options = parser.parse_args()
    seeds = range(options.seeds)
    for table, max_epochs in tables(options.curves):
        replay = Replay(table, max_epochs)
        for workers in map(int, options.workers.split(",")):
            print(f"\n{table.name}, workers: {workers}")
            print(
                f"{'search':22} {'epochs':>7} {'saved':>7} {'regret':>8} {'to ASHA':>18} {'makespan':>9} {'ratio':>6}"
            )
            asha = measure(replay, recipe("asha", max_epochs, 2), workers, seeds)
            print(line("ASHA", asha, asha), flush=True)
            for name in ("hyperband", "swift-hyperband"):
                chosen = recipe(name, max_epochs, 2)
                print(line(chosen.label, measure(replay, chosen, workers, seeds), asha), flush=True)
            for name, make in VARIANTS.items():
                found = recipe("swift-asha", max_epochs, 2, preset="bold")
                chosen = Variant(name, found.algorithm, found.study, search=make)
                print(line(name, measure(replay, chosen, workers, seeds), asha), flush=True)


if __name__ == "__main__":
    main()

"""Leave one table out: the keys of the default chosen on all other tables, and what they give on the one left out.

    python benchmarks/leave_one_out.py --curves DIR [--seeds 60]

DIR is that of teachers.py, with the same tables. A small grid of keys is replayed on all of them. For each table, the
choice falls on the keys with the fewest significant losses against Hyperband on the other tables, and among these on
those that train the fewest epochs in the mean. So what is shown for a table was chosen without it, though the grid, and
the rule itself, were not.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from teachers import settings

from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay, interval
from swift_hyperband.search import Search
from swift_hyperband.search.scheduled import ScheduledSearch

Keys = tuple[float, ...]
End = tuple[float | None, int]
"""Regret and epochs."""
GRID = {"decision_fraction": (0.5, 0.6), "margin": (1.0, 1.5, 2.0), "places": (0.7, 1.0), "thaw": (0.0, 0.04)}
DEFAULT: Keys = (0.6, 1.5, 0.7, 0.04)


@dataclass(frozen=True)
class Result:
    """What keys give on a table: epochs as a share of Hyperband's, and the paired difference of regrets."""

    epochs: float
    difference: float
    half: float

    @property
    def worse(self) -> bool:
        """Whether it is significantly worse than Hyperband."""
        return self.difference - self.half > 0

    def __str__(self) -> str:
        sign = "W" if self.worse else "B" if self.difference + self.half < 0 else " "
        return f"{self.epochs:.3f}  {self.difference:+.4f} +- {self.half:.4f} {sign}"


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=60)
    options = parser.parse_args()
    results: dict[Keys, dict[tuple[str, int], Result]] = defaultdict(dict)
    for name, table, max_epochs, eta in settings(options.curves):
        replay = Replay(table, max_epochs)
        plain = recipe("hyperband", max_epochs, eta)
        hyperband = [_end(replay.run(plain, seed)[0], replay)[0] for seed in range(options.seeds)]
        for keys in product(*list(GRID.values())[:-1]):
            swift = dict(zip(GRID, (*keys, max(GRID["thaw"])), strict=True))
            chosen = recipe("swift-hyperband", max_epochs, eta, swift=swift)
            ends = [_end(replay.run(chosen, seed)[0], replay) for seed in range(options.seeds)]
            # without its thaw the same search ends earlier
            for place, thaw in enumerate(GRID["thaw"]):
                pairs = [(found[place], theirs) for found, theirs in zip(ends, hyperband, strict=True)]
                results[*keys, thaw][name, eta] = _result(pairs)
        print(f"{name}, eta {eta}: replayed", flush=True)
    names = list(dict.fromkeys(name for name, _ in results[DEFAULT]))
    chosen_without = {name: _choice(results, name) for name in names}
    print(f"\n{', '.join(GRID)}; epochs, difference of regrets (W: significantly worse, B: better)")
    left_out = []
    for name, keys in chosen_without.items():
        for (other, eta), found in results[keys].items():
            if other == name:
                left_out.append(found)
                print(f"{name[:22]:22} eta {eta}  {keys}  {found}   default {results[DEFAULT][name, eta]}")
    for label, found_ in (("chosen without each table", left_out), ("default", list(results[DEFAULT].values()))):
        print(
            f"{label}: {np.mean([one.epochs for one in found_]):.3f} of Hyperband's epochs, significantly worse on "
            f"{sum(one.worse for one in found_)} of {len(found_)}, largest difference "
            f"{max(one.difference for one in found_):+.4f}"
        )
    best = _choice(results, "")
    print(f"chosen on all tables: {best}")


def _end(search: Search, replay: Replay) -> tuple[End, End]:
    """Return regret and epochs of a search before its thaw, and at its end."""
    assert isinstance(search, ScheduledSearch)
    assert search.best is not None
    last, best, epochs = search.schedule.max_epochs, search.best, search.epochs
    thawing = search.thawing
    if thawing is None or thawing.best is None:
        return ((replay.regret(best[1]), epochs),) * 2
    before = epochs - sum(last - thawing.epochs[trial] for trial in thawing.chosen)
    return (replay.regret(thawing.best), before), (replay.regret(best[1]), epochs)


def _result(pairs: Sequence[tuple[End, End]]) -> Result:
    """Return what searches give, seed by seed, against Hyperband."""
    differences = [ours - theirs for (ours, _), (theirs, _) in pairs if ours is not None and theirs is not None]
    epochs = np.mean([ours / theirs for (_, ours), (_, theirs) in pairs])
    return Result(float(epochs), *interval(differences))


def _choice(results: dict[Keys, dict[tuple[str, int], Result]], left_out: str) -> Keys:
    """Return the keys that are best on all tables but one."""

    def badness(keys: Keys) -> tuple[int, float]:
        others = [found for (name, _), found in results[keys].items() if name != left_out]
        return sum(found.worse for found in others), float(np.mean([found.epochs for found in others]))

    return min(results, key=badness)


if __name__ == "__main__":
    main()

"""Who teaches the predictor: the default rule, its parts, and the rule before it, against Hyperband.

    python benchmarks/teachers.py --curves DIR [--seeds 200] [--only NAME ...] [--metric-at best]

DIR holds the published tables as in saved_epochs.py, tables in the long format in folders of their own, and those of
record_tables.sh in DIR/tables. Missing tables are skipped. For each table, and eta = 2 or 3: the epochs as a share of
Hyperband's, the mean difference of regrets with its paired 95 % interval (W: worse, B: better), the share of seeds in
which the search is worse and better, and the kill risk, counted and predicted.

The ablation: "random teachers" is the preset bold, whose predictors learn from as many rows of the table as before, but
drawn at random in the place of the trials that were promoted. No search could do that; it shows the cause.

`--metric-at best` judges each curve by its best epoch so far, in both searches.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from saved_epochs import tables

from swift_hyperband.base.metric import At
from swift_hyperband.compare.verdicts import mean_known
from swift_hyperband.predictors import Predictor
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay, interval
from swift_hyperband.replay.searches import Recipe
from swift_hyperband.replay.tables.reader import read
from swift_hyperband.replay.tables.table import CurveTable
from swift_hyperband.search import Curve, Search, rounds
from swift_hyperband.search.schedule import Round
from swift_hyperband.search.scheduled import ScheduledSearch

LONG = {"resnets_tinyimagenet": ("accuracy", "max", 140), "mnist_4hp": ("loss", "min", 12)}
OWN = {"boosting": 81, "cnn": 81, "lstm": 60, "mlp": 81, "transformer": 60, "denoiser": 81}

VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "default, no thaw": {"swift": {"thaw": 0.0}},
    "default, no thaw, margin 1, all places": {"swift": {"thaw": 0.0, "margin": 1.0, "places": 1.0}},
    "default, one error for all": {"predictor": {"errors": "common"}},
    "default, all places": {"swift": {"places": 1.0}},
    "default, decision at .25": {"swift": {"decision_fraction": 0.25}},
    "default, svr": {"predictor": {"name": "svr"}},
    "default, last value": {"predictor": {"name": "last-value"}},
    "published": {"preset": "published"},
    "bold": {"preset": "bold"},
    "bold, no extra": {"preset": "bold", "swift": {"extra": 0.0}},
    "bold, random teachers": {"preset": "bold"},
    "bold, no extra, random teachers": {"preset": "bold", "swift": {"extra": 0.0}},
}


def settings(folder: Path) -> Iterator[tuple[str, CurveTable, int, int]]:
    """Yield name, table, R and eta: the published tables at eta = 2, our own at both."""
    for table, max_epochs in tables(folder):
        yield table.name, table, max_epochs, 2
    for name, (metric, mode, max_epochs) in LONG.items():
        if (path := folder / name / f"{name}.parquet").exists():
            yield name, read(path, "long", metric, mode), max_epochs, 2
    for name, max_epochs in OWN.items():
        if (path := folder / "tables" / f"{name}.parquet").exists():
            for eta in (2, 3):
                yield name, read(path, "long", "loss", "min"), max_epochs, eta


def counting(table: CurveTable, at: At) -> CurveTable:
    """Return a table of which the last or the best epoch of each curve counts."""
    return replace(table, metric=replace(table.metric, at=at))


@dataclass(frozen=True)
class RandomTeachers(Recipe):
    """A search whose predictors learn from random rows of the table, as many as from its reference trials."""

    losses: Sequence[Curve] = ()

    @cached_property
    def generator(self) -> np.random.Generator:
        return np.random.default_rng(0)

    def start(self, trials: Mapping[int, Sequence[str]], workers: int = 1) -> Search:
        rules = self.study.rules()

        def fit(round_: Round, references: Sequence[Mapping[str, Curve]]) -> Predictor | None:
            count = sum(map(len, references))
            drawn = self.generator.choice(len(self.losses), size=min(count, len(self.losses)), replace=False)
            curves = {str(row): self.losses[row][: round_.end] for row in drawn}
            return rounds.fit(round_, [curves], rules)

        return ScheduledSearch(self.schedule, trials, rules, fit=fit)


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--only", nargs="+", default=[*VARIANTS], choices=[*VARIANTS], metavar="NAME")
    parser.add_argument("--metric-at", choices=("last", "best"), default="last")
    options = parser.parse_args()
    found = [
        (name, counting(table, options.metric_at), size, eta) for name, table, size, eta in settings(options.curves)
    ]
    for label in options.only:
        rows = [(name, eta, *_row(label, table, size, eta, options.seeds)) for name, table, size, eta in found]
        shares, differences = [row[2] for row in rows], [row[3] for row in rows]
        worse = [row for row in rows if row[3] - row[4] > 0]
        better = [row for row in rows if row[3] + row[4] < 0]
        print(
            f"\n{label}: {np.mean(shares):.3f} of Hyperband's epochs (at most {max(shares):.3f}), significantly worse "
            f"on {len(worse)} of {len(rows)}, better on {len(better)}; largest difference {max(differences):+.4f}"
        )
        for name, eta, share, mean, half, more, less, risk, predicted in rows:
            sign = "W" if mean - half > 0 else "B" if mean + half < 0 else " "
            print(
                f"  {name[:22]:22} eta {eta}  {share:.3f}  {mean:+.4f} +- {half:.4f} {sign}  "
                f"{more:.2f} / {less:.2f}  kill {risk:.3f} ({predicted:.3f})",
                flush=True,
            )


def _row(label: str, table: CurveTable, max_epochs: int, eta: int, seeds: int) -> tuple[float, ...]:
    replay = Replay(table, max_epochs)
    chosen = recipe("swift-hyperband", max_epochs, eta, **VARIANTS[label])
    if "random teachers" in label:
        chosen = RandomTeachers(chosen.label, chosen.algorithm, chosen.study, losses=replay.losses)
    runs = list(replay.runs(replace(chosen, label=label), range(seeds)))
    differences = [
        run.regret - run.hyperband_regret for run in runs if run.regret is not None and run.hyperband_regret is not None
    ]
    mean, half = interval(differences)
    epochs = np.mean([run.epochs for run in runs]) / runs[0].hyperband_epochs
    more = np.mean([difference > 1e-12 for difference in differences])
    less = np.mean([difference < -1e-12 for difference in differences])
    risk = np.mean([bool(run.winner_stopped) for run in runs])
    predicted = mean_known(run.kill_risk for run in runs)
    risks = float(risk), math.nan if predicted is None else predicted
    return float(epochs), mean, 0.0 if math.isnan(half) else half, float(more), float(less), *risks


if __name__ == "__main__":
    main()

"""Verdicts: whether a search is better or worse than Hyperband on the same draws, on one table and over all tables.

All differences are paired: they are taken seed by seed, since both searches meet the same configurations.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from swift_hyperband.base.metric import Metric
from swift_hyperband.compare.means import Mean

Word = Literal["better", "level", "worse"]
WORDS: tuple[Word, ...] = ("better", "level", "worse")


@dataclass(frozen=True)
class Verdict:
    """How a search compares with Hyperband on one table.

    Attributes
    ----------
    word : {"better", "level", "worse"}
        "better" and "worse" if the 95 % interval of the paired difference lies wholly on one side of 0. "level" only
        means that no difference was shown: more seeds may show one.
    regret : Mean or None
        Difference of the regrets, below 0 if the search is better. None if the table has no regret.
    better, worse : float
        Shares of the seeds in which its winner is better or worse; a search without a winner is worse than any other.
    epochs : Mean or None
        Share of Hyperband's epochs. None if Hyperband trains none.
    """

    word: Word
    regret: Mean | None
    better: float
    worse: float
    epochs: Mean | None


def verdict(rows: Sequence[Mapping[str, Any]], metric: Metric) -> Verdict:
    """Return the verdict on the runs of a search, at least one, each with the fields of `replay.runs.Run`.

    Notes
    -----
    The word follows from the losses of the winners, of which regrets are linear functions: many tables have no regret,
    because more than half of their rows diverge. Seeds in which only one of the searches has a winner have no
    difference. They count in the shares alone.
    """
    losses = [(_loss(row["best"], metric), _loss(row["hyperband_best"], metric)) for row in rows]
    regrets = [(row["regret"], row["hyperband_regret"]) for row in rows]
    return Verdict(
        word=_word(Mean.of(_difference(ours, theirs) for ours, theirs in losses)),
        regret=Mean.of(ours - theirs for ours, theirs in regrets if ours is not None and theirs is not None),
        better=statistics.fmean(ours < theirs for ours, theirs in losses),
        worse=statistics.fmean(ours > theirs for ours, theirs in losses),
        epochs=Mean.of(row["epochs"] / row["hyperband_epochs"] for row in rows if row["hyperband_epochs"]),
    )


def beats(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]], metric: Metric) -> Verdict | None:
    """Return the verdict on a search that beats another one on the same seeds; None if it does not beat it.

    It beats the other if it is better and trains no more epochs in the mean. In the verdict the other takes the place
    of Hyperband.
    """
    found = verdict(
        [
            {**row, **{f"hyperband_{name}": other[name] for name in ("best", "regret", "epochs")}}
            for row, other in zip(ours, theirs, strict=True)
        ],
        metric,
    )
    no_more = found.epochs is not None and found.epochs.mean <= 1
    return found if found.word == "better" and no_more else None


def mean_known(risks: Iterable[float | None]) -> float | None:
    """Return the mean of kill risks, counted (0 or 1) or predicted, over the seeds that have one; None without any."""
    known = [float(one) for one in risks if one is not None]
    return statistics.fmean(known) if known else None


def _loss(value: float | None, metric: Metric) -> float:
    return math.inf if value is None else metric.loss(value)


def _difference(ours: float, theirs: float) -> float | None:
    return ours - theirs if math.isfinite(ours) and math.isfinite(theirs) else None


def _word(difference: Mean | None) -> Word:
    """Return the word for a difference of losses; an interval that is unknown, of one seed, shows nothing."""
    if difference is not None and difference.mean + difference.half < 0:
        return "better"
    if difference is not None and difference.mean - difference.half > 0:
        return "worse"
    return "level"


@dataclass(frozen=True)
class Overall:
    """The verdicts on a search over all tables.

    Attributes
    ----------
    search : str
        Its label.
    tables : mapping of word to int
        How many tables have each verdict.
    epochs : float
        Share of Hyperband's epochs, the mean over the tables.
    most_epochs : float
        The largest of these shares.
    most_worse : float
        The largest share of seeds in which it is worse.
    worst : str
        The table with the largest difference of regrets, or, if no table has a regret, in which it is most often worse.
    worst_verdict : Verdict
        The verdict there.
    """

    search: str
    tables: Mapping[Word, int]
    epochs: float
    most_epochs: float
    most_worse: float
    worst: str
    worst_verdict: Verdict


def overall(search: str, verdicts: Mapping[str, Verdict]) -> Overall:
    """Return what the verdicts on a search, at least one, by name of the table, come to."""
    epochs = [found.epochs.mean for found in verdicts.values() if found.epochs is not None]

    def badness(table: str) -> tuple[float, float]:
        regret = verdicts[table].regret
        return (-math.inf if regret is None else regret.mean), verdicts[table].worse

    worst = max(verdicts, key=badness)
    return Overall(
        search=search,
        tables={word: sum(found.word == word for found in verdicts.values()) for word in WORDS},
        epochs=statistics.fmean(epochs) if epochs else math.nan,
        most_epochs=max(epochs, default=math.nan),
        most_worse=max(found.worse for found in verdicts.values()),
        worst=worst,
        worst_verdict=verdicts[worst],
    )

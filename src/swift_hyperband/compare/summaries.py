"""Summaries of runs: means with 95 % intervals, and differences to Hyperband on the same draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from swift_hyperband.base.metric import Mode
from swift_hyperband.compare import published_results
from swift_hyperband.compare.accuracy import configurations
from swift_hyperband.compare.means import Mean
from swift_hyperband.compare.published_results import Published
from swift_hyperband.compare.verdicts import Overall, Verdict, beats, mean_known, overall, verdict
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.tables.table import CurveTable
from swift_hyperband.search.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from swift_hyperband.compare.store import Row
    from swift_hyperband.compare.units import Accuracy, Pair


@dataclass(frozen=True)
class Summary:
    """What the runs of a search over a table come to. Means are None where no run has a value.

    Attributes
    ----------
    table, search : str
        The name and the label.
    algorithm : str
    metric : str
    mode : "min" or "max"
    runs, failed : int
        How many there are, and in how many no trial reached the last epoch.
    best, regret, epochs, fits, cpu_s, makespan, utilisation : Mean or None
        Of the fields of `replay.runs.Run`.
    hyperband_best, hyperband_epochs : Mean or None
        Of Hyperband on the same draws.
    saved : Mean or None
        Share of Hyperband's epochs, seed by seed.
    difference : Mean or None
        Of the winner's metric to that of Hyperband's, seed by seed.
    same : float
        Share of the seeds in which both winners have the same value.
    kill_risk : float or None
        Share of the seeds in which a prediction stopped the trial that wins Hyperband. None for searches that predict
        nothing, and if both have other draws.
    kill_risk_predicted : float or None
        The chance of it by the predictions and their errors, the mean over the seeds in which it is known.
    verdict : Verdict or None
        How it compares with Hyperband; None for Hyperband itself.
    beaten_by : mapping of str to Verdict
        The baselines that beat it at no more epochs, by label. In their verdicts it takes the place of Hyperband.
    published : Published or None
        What was published of it.
    """

    table: str
    search: str
    algorithm: str
    metric: str
    mode: Mode
    runs: int
    failed: int
    best: Mean | None
    regret: Mean | None
    epochs: Mean | None
    fits: Mean | None
    cpu_s: Mean | None
    makespan: Mean | None
    utilisation: Mean | None
    hyperband_best: Mean | None
    hyperband_epochs: Mean | None
    saved: Mean | None
    difference: Mean | None
    same: float
    kill_risk: float | None = None
    kill_risk_predicted: float | None = None
    verdict: Verdict | None = None
    beaten_by: Mapping[str, Verdict] = field(default_factory=dict)
    published: Published | None = None


MEANS = ("best", "regret", "epochs", "fits", "cpu_s", "makespan", "utilisation", "hyperband_best", "hyperband_epochs")


def summary(
    pair: Pair, table: CurveTable, rows: Sequence[Row], baselines: Mapping[str, Sequence[Row]] | None = None
) -> Summary:
    """Return what the runs of a pair, at least one, come to.

    Parameters
    ----------
    baselines : mapping of str to sequence of rows, optional
        The runs of the baselines over this table, by label.
    """
    beaten_by = {name: beats(runs, rows, table.metric) for name, runs in (baselines or {}).items()}
    found: dict[str, Any] = {name: Mean.of(row[name] for row in rows) for name in MEANS}
    both = [row for row in rows if row["best"] is not None and row["hyperband_best"] is not None]
    return Summary(
        table=pair.source.name,
        search=pair.recipe.label,
        algorithm=pair.recipe.algorithm,
        metric=table.metric.name,
        mode=table.metric.mode,
        runs=len(rows),
        failed=sum(row["best"] is None for row in rows),
        saved=Mean.of(1 - row["epochs"] / row["hyperband_epochs"] for row in rows),
        difference=Mean.of(row["best"] - row["hyperband_best"] for row in both),
        same=sum(row["best"] == row["hyperband_best"] for row in both) / len(rows),
        kill_risk=mean_known(row["winner_stopped"] for row in rows),
        kill_risk_predicted=mean_known(row["kill_risk"] for row in rows),
        verdict=None if pair.is_plain else verdict(rows, table.metric),
        beaten_by={name: found for name, found in beaten_by.items() if found is not None},
        published=published(pair),
        **found,
    )


def over_tables(found: Sequence[Summary]) -> list[Overall]:
    """Return what the verdicts on each search come to over all tables, in the order of the searches."""
    by_search: dict[str, dict[str, Verdict]] = {}
    for one in found:
        if one.verdict is not None:
            by_search.setdefault(one.search, {})[one.table] = one.verdict
    return [overall(search, verdicts) for search, verdicts in by_search.items()]


def published(pair: Pair) -> Published | None:
    """Return what was published of a search on a table, if the search is set as it was there."""
    source, found = pair.source, pair.recipe
    size = source.max_epochs, source.eta
    plain = not ALGORITHMS[found.algorithm].predicts
    name = None if plain else found.study.definition["predictor"]["name"]
    known = published_results.RESULTS.get((str(source.format), found.algorithm, name))
    if known is None or size != (published_results.MAX_EPOCHS, published_results.ETA):
        return None
    there = recipe(found.algorithm, *size, preset="published", predictor={"name": name} if name else {})
    parts = ("search",) if plain else ("search", "swift", "predictor")
    same = all(found.study.definition[part] == there.study.definition[part] for part in parts)
    return known if same and pair.sampling == "random" and source.draws is None else None


@dataclass(frozen=True)
class DataSet:
    """What there is to know of a table, and how well predictors predict its curves.

    Attributes
    ----------
    name : str
    model : str or None
    metric : str
    best_epoch : bool
        Whether the best epoch of a curve counts, not the last one.
    hyperparameters, configurations, curves, epochs : int
    r2, rank_correlation : dict of str to Mean
        Of each predictor, over the splits.
    """

    name: str
    model: str | None
    metric: str
    best_epoch: bool
    hyperparameters: int
    configurations: int
    curves: int
    epochs: int
    r2: Mapping[str, Mean]
    rank_correlation: Mapping[str, Mean]


def data_set(table: CurveTable, measured: Sequence[tuple[Accuracy, Sequence[Row]]]) -> DataSet:
    """Return what there is to know of a table of which predictors, at least one, were judged."""
    source = measured[0][0].source
    complete = table.complete(source.max_epochs)

    def means(name: str) -> dict[str, Mean]:
        found = {accuracy.predictor: Mean.of(row[name] for row in rows) for accuracy, rows in measured}
        return {predictor: mean for predictor, mean in found.items() if mean is not None}

    return DataSet(
        name=source.name,
        model=source.model,
        metric=table.metric.name,
        best_epoch=table.metric.at == "best",
        hyperparameters=len(table.hyperparameters),
        configurations=len(set(configurations(complete).tolist())),
        curves=complete.rows,
        epochs=source.max_epochs,
        r2=means("r2"),
        rank_correlation=means("rank_correlation"),
    )

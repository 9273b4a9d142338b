"""Table 1: the data sets of a comparison, and the accuracy of the predictors on their curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from swift_hyperband.compare.means import Mean
from swift_hyperband.compare.summaries import DataSet
from swift_hyperband.report.tables import csv_text, markdown, plus_minus

_EXPLAINED = """\
R² of the predicted metric {where}, with {judged}: mean ± 95 % of the splits.
Predictors are tested on all curves of configurations that they were not trained on. Only curves that are finite
throughout are judged. 1 is perfect; a constant prediction of the mean of the tested curves has 0.

"""


def as_markdown(found: Sequence[DataSet], trained: int, seen: float, splits: int) -> str:
    """Return the table.

    Parameters
    ----------
    found : sequence of DataSet
        At least one.
    trained : int
        Training curves of a predictor.
    seen : float
        Share of their epochs that it saw.
    splits : int
    """
    predictors = list(found[0].r2)
    head = ["data set", "model", "metric", "hyperparameters", "configurations", "curves", "epochs"]
    rows = [
        [one.name, one.model or "", one.metric, *map(str, _sizes(one)), *_means(one.r2, predictors)] for one in found
    ]
    ranks = [[one.name, *_means(one.rank_correlation, predictors)] for one in found]
    best = [one.name for one in found if one.best_epoch]
    where = "at the last epoch" if len(best) < len(found) else "at the best epoch of each curve"
    if 0 < len(best) < len(found):
        where += f" ({', '.join(best)}: at the best epoch of each curve)"
    judged = f"{trained} curves seen to {seen:.0%} of the epochs, over {splits} random splits"
    return (
        "# Data sets, and the accuracy of predicted ends of their learning curves\n\n"
        + _EXPLAINED.format(where=where, judged=judged)
        + markdown([*head, *(f"R² of {name}" for name in predictors)], rows, left=3)
        + "\nThe same predictions by their ranks (Spearman's correlation), which decide who is promoted:\n\n"
        + markdown(["data set", *predictors], ranks)
    )


def as_csv(found: Sequence[DataSet]) -> str:
    """Return the table with a line for each data set and predictor."""
    rows: list[dict[str, Any]] = [
        {
            "data_set": one.name,
            "model": one.model or "",
            "metric": one.metric,
            **dict(zip(("hyperparameters", "configurations", "curves", "epochs"), _sizes(one), strict=True)),
            "predictor": predictor,
            "r2": r2.mean,
            "r2_half_interval": r2.half,
            "rank_correlation": one.rank_correlation[predictor].mean,
            "rank_correlation_half_interval": one.rank_correlation[predictor].half,
        }
        for one in found
        for predictor, r2 in one.r2.items()
    ]
    return csv_text(rows)


def _sizes(one: DataSet) -> tuple[int, int, int, int]:
    return one.hyperparameters, one.configurations, one.curves, one.epochs


def _means(found: Mapping[str, Mean], predictors: Sequence[str]) -> list[str]:
    return [plus_minus(found[name].mean, found[name].half) for name in predictors]

"""Accuracy of predictors: trained on a few curves of a table, tested on all curves of other configurations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.base.errors import UserError
from swift_hyperband.predictors import fitting
from swift_hyperband.predictors.bounds import outside
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.replay.tables.table import CurveTable

Rows = NDArray[np.int64]


def split(configurations: Rows, size: int, seed: int) -> tuple[Rows, Rows]:
    """Return the rows of training curves, each of another configuration, and those of all curves of the others.

    Parameters
    ----------
    configurations : array of int
        A number of the configuration of each row: curves of one configuration never lie on both sides.
    size : int
        Training curves, at most.
    seed : int
    """
    order = np.random.default_rng(seed).permutation(len(configurations))
    first = np.sort(np.unique(configurations[order], return_index=True)[1])[:size]
    trained = order[first]
    return trained, np.flatnonzero(~np.isin(configurations, configurations[trained]))


def splits(configurations: Rows, count: int, size: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield `count` splits, of seeds 0, 1, ..."""
    return (split(configurations, size, seed) for seed in range(count))


def configurations(table: CurveTable) -> Rows:
    """Return a number of the configuration of each row of a table; without hyperparameters each row is one."""
    if not table.hyperparameters:
        return np.arange(table.rows)
    numbers: dict[tuple[object, ...], int] = {}
    rows = zip(*table.hyperparameters.values(), strict=True)
    return np.array([numbers.setdefault(row, len(numbers)) for row in rows], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Judged:
    """Curves by which predictors are judged: recorded and finite to the last epoch, and nowhere far outside.

    Attributes
    ----------
    name : str
        Of the table.
    losses : array of shape (curves, epochs)
    configurations : array of int, shape (curves,)
        A number of the configuration of each curve.
    """

    name: str
    losses: NDArray[np.float64]
    configurations: Rows

    @classmethod
    def of(cls, table: CurveTable, max_epochs: int) -> Judged:
        """Return the curves of a table to `max_epochs`."""
        complete = table.complete(max_epochs)
        curves = complete.losses(max_epochs)
        finite = np.array([math.isfinite(curve[-1]) for curve in curves])
        losses = np.array([curve for curve in curves if math.isfinite(curve[-1])]).reshape(-1, max_epochs)
        numbers = configurations(complete)[finite]
        # as in a search, one that exploded counts as diverged
        sound = ~outside(losses[:, :-1], losses[:, -1], PredictorSettings().far)
        return cls(table.name, losses[sound], numbers[sound])

    def split(self, size: int, seed: int) -> tuple[Rows, Rows]:
        """Return the rows of training and of tested curves; see `split`.

        Raises
        ------
        UserError
            If there are too few configurations.
        """
        trained, rest = split(self.configurations, size, seed)
        if len(trained) < size or len(rest) < 2:
            raise UserError(
                f"{self.name}: must have at least {size + 2} configurations that are finite and not exploded to judge "
                f"predictors, found {len(np.unique(self.configurations))}; give a smaller predictions.trained"
            )
        return trained, rest


def judge(predicted: NDArray[np.float64], ends: NDArray[np.float64]) -> tuple[float, float]:
    """Return R2 and Spearman's rank correlation of predictions; the latter is 0 where all predictions are equal."""
    # a second, which replays of searches without predictors need not wait for
    from scipy.stats import rankdata
    from sklearn.metrics import r2_score

    ranks = np.array([rankdata(predicted), rankdata(ends)])
    varies = bool((np.ptp(ranks, axis=1) > 0).all())
    return float(r2_score(ends, predicted)), float(np.corrcoef(ranks)[0, 1]) if varies else 0.0


def measure(judged: Judged, settings: PredictorSettings, seen: int, size: int, seed: int) -> tuple[float, float]:
    """Return R2 and rank correlation of a predictor of the last loss, on one split.

    Parameters
    ----------
    judged : Judged
    settings : PredictorSettings
    seen : int
        Epochs that the predictor sees.
    size : int
        Curves that it learns from.
    seed : int
        Of the split.
    """
    trained, rest = judged.split(size, seed)
    curves, ends = judged.losses[:, :seen], judged.losses[:, -1]
    predictor = fitting.fit(settings, curves[trained], ends[trained])
    assert predictor is not None
    return judge(np.asarray(predictor.predict(curves[rest])), ends[rest])

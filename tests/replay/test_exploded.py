"""Searches over curves of which some exploded, to values that are finite: as if these had diverged."""

import json
import math
import warnings
from dataclasses import replace

import numpy as np
import pytest

from swift_hyperband.base.metric import Metric
from swift_hyperband.predictors.bounds import Bounds
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay
from swift_hyperband.replay.tables.reader import read
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.fast_hyperband import FastSettings

EXPLODED = [1e12, 1e30, 1e155, 1e308]


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


def explode(table, value, share=25, epoch=12):
    """Let every `share`-th row be at a value from an epoch on."""
    curves = table.curves.copy()
    curves[::share, epoch - 1 :] = value
    if math.isfinite(value):
        return replace(table, curves=curves)
    curves[::share, epoch:] = math.nan
    return replace(table, curves=curves, recorded=np.where(np.arange(table.rows) % share, table.recorded, epoch))


def maximised(table):
    return replace(table, metric=Metric("error", "max"), curves=-table.curves)


def decided(search):
    """Return what was decided about each trial at each decision point, and who was promoted."""
    return {
        key: (record.promoted, {trial for trial in record.competitors if trial in record.finishers})
        for key, record in search.records.items()
    }


@pytest.mark.parametrize("value", EXPLODED)
@pytest.mark.parametrize(
    "settings",
    [{}, {"preset": "published"}, {"preset": "bold"}, {"predictor": {"name": "last-value"}}],
    ids=["default", "published", "bold", "last-value"],
)
def test_an_exploded_trial_is_decided_about_as_a_diverged_one(table, value, settings):
    chosen = recipe("swift-hyperband", 81, 3, **settings)
    for seed in range(3):
        expected = Replay(explode(table, math.inf), 81).run(chosen, seed)[0]
        for exploded in (explode(table, value), explode(maximised(table), -value)):
            found = Replay(exploded, 81).run(chosen, seed)[0]
            assert found.best == expected.best
            assert [r.promoted for r in found.records.values()] == [r.promoted for r in expected.records.values()]
            # what was seen and predicted of all others is the same, and so is the standard error
            for key, record in expected.records.items():
                if record.decision is None:
                    continue
                decision = found.records[key].decision
                assert decision.sigma == record.decision.sigma
                for trial, verdict in record.decision.verdicts.items():
                    if math.isfinite(verdict.seen):
                        assert decision.verdicts[trial] == verdict
                    else:
                        assert decision.outside[trial] == value


@pytest.mark.parametrize("value", [1e30, 1e200, 1e308])
@pytest.mark.parametrize("mode", ["min", "max"])
def test_no_search_is_upset_by_it(table, value, mode):
    table = table if mode == "min" else maximised(table)
    exploded = explode(table, table.metric.value(value))
    for algorithm in ALGORITHMS:
        for preset in ("default", "published", "bold"):
            chosen = recipe(algorithm, 81, 3, preset=preset, fast=FastSettings(d=5))
            (run,) = Replay(exploded, 81).runs(chosen, [0])
            assert table.metric.loss(run.best) < 1
            json.dumps(run.to_json(), allow_nan=False)


@pytest.mark.parametrize("value", [1e155, 1e308, -1e308])
@pytest.mark.parametrize("share", [1, 2])
def test_nor_where_most_or_all_curves_exploded(table, value, share):
    spread = replace(table, curves=table.curves / table.curves.max() * value)
    exploded = (
        spread if share == 1 else replace(table, curves=np.where(np.arange(200)[:, None] % 2, *pair(table, spread)))
    )
    for algorithm in ("swift-hyperband", "fast-hyperband", "swift-asha", "predicted-random"):
        for preset in ("default", "published", "bold"):
            chosen = recipe(algorithm, 81, 3, preset=preset, fast=FastSettings(d=5))
            (run,) = Replay(exploded, 81).runs(chosen, [0])
            json.dumps(run.to_json(), allow_nan=False)
            assert run.best is None or math.isfinite(run.best)


def pair(table, spread):
    return spread.curves, table.curves


@pytest.mark.parametrize("format_", ["mlpf", "cifar10", "ptb", "svhn"])
def test_of_the_published_tables_no_value_stands_outside(published, format_):
    table = read(published(format_), format_)
    for losses in table.metric.loss(table.curves).T:
        finite = losses[np.isfinite(losses)]
        assert not Bounds.of(finite, PredictorSettings().far).outside(finite).any()

"""Forecasts of last losses: right on average, also where only good curves go on."""

import math

import numpy as np
import pytest

from swift_hyperband.predictors.forecast import Forecast, forecasts
from swift_hyperband.predictors.linear import Regression

RUNGS = [1, 3, 9, 27]


def curves(n, seed=0):
    """Logarithms of losses as an autoregression from rung to rung, with other epochs between them."""
    rng = np.random.default_rng(seed)
    table = np.cumsum(rng.normal(-0.05, 0.12, (n, 27)), axis=1) + rng.normal(0.0, 0.5, (n, 1))
    return np.exp(table)


def survivors(table):
    """Cut curves as successive halving does: at each rung the better third goes on."""
    left, found = np.arange(len(table)), {}
    for rung in RUNGS:
        order = left[np.argsort(table[left, rung - 1])]
        going = order[: len(order) // 3] if rung < 27 else order
        found |= {int(row): table[row, :rung].tolist() for row in order}
        left = going
    return found


def test_the_chain_is_unbiased_where_a_direct_regression_on_survivors_is_biased():
    chained, direct = [], []
    for seed in range(20):
        table = curves(486, seed)
        cut = survivors(table)
        first = [row for row, curve in cut.items() if len(curve) == 1]
        found = forecasts({str(row): curve for row, curve in cut.items()}, RUNGS, 4)
        truth = np.log(table[first, -1])
        chained.append(np.mean([found[str(row)].mean for row in first] - truth))
        ended = [row for row, curve in cut.items() if len(curve) == 27]
        slope, start = np.polyfit(np.log(table[ended, 0]), np.log(table[ended, -1]), 1)
        direct.append(np.mean(start + slope * np.log(table[first, 0]) - truth))
    assert abs(np.mean(chained)) < 0.1
    assert np.mean(direct) < -0.8, "it takes the few curves that went down for all"


def test_a_trial_that_has_seen_more_is_forecast_with_a_smaller_error():
    table = curves(60)
    cut = {str(row): table[row, : RUNGS[row % 4]].tolist() for row in range(60)}
    found = forecasts(cut, RUNGS, 4)
    mean = [np.mean([found[str(row)].sigma for row in range(60) if row % 4 == rung]) for rung in range(3)]
    assert mean[0] > mean[1] > mean[2] > 0
    assert all(one.log for one in found.values())
    assert found.keys() == {str(row) for row in range(60) if row % 4 < 3}, "who reached the end is not forecast"


def test_nothing_is_said_where_too_few_curves_reached_a_rung_ahead():
    table = curves(20)
    cut = {str(row): table[row, : 27 if row < 3 else 9].tolist() for row in range(20)}
    assert forecasts(cut, RUNGS, 4) == {}
    assert len(forecasts(cut, RUNGS, 3)) == 17


def test_losses_that_are_not_positive_are_forecast_as_they_are():
    table = curves(20) - 3
    found = forecasts({str(row): table[row, : 27 if row < 10 else 9].tolist() for row in range(20)}, RUNGS, 4)
    assert len(found) == 10
    assert not any(one.log for one in found.values())


def test_chance_and_improvement_are_those_of_a_normal_distribution():
    found = Forecast(mean=0.5, sigma=0.1, log=False)
    assert (found.loss, found.chance(0.5)) == (0.5, 0.5)
    assert found.chance(0.6) == pytest.approx(0.8413447)
    assert found.improvement(0.5) == pytest.approx(0.1 / math.sqrt(2 * math.pi))
    assert found.improvement(1.5) == pytest.approx(1.0)
    log = Forecast(mean=math.log(0.5), sigma=0.1, log=True)
    assert log.loss == pytest.approx(0.5)
    assert log.chance(0.5 * math.exp(0.1)) == pytest.approx(0.8413447)


def test_curves_that_are_all_alike_are_forecast_without_an_error():
    found = forecasts({str(row): [0.5] * (27 if row < 6 else 9) for row in range(9)}, RUNGS, 4)
    assert [one.loss for one in found.values()] == pytest.approx([0.5] * 3)
    assert all(one.chance(0.4) == 0.0 and one.chance(0.6) == 1.0 for one in found.values())
    assert all(math.isfinite(one.improvement(0.6)) for one in found.values())


def test_a_trial_goes_from_rung_to_rung_by_the_regressions_of_the_curves_that_reached_the_next_one():
    table = curves(60)
    cut = {str(row): table[row, : (5, 9, 27)[row % 3]].tolist() for row in range(60)}
    logs, found = np.log(table), forecasts(cut, RUNGS, 4)
    for row in (0, 1, 3):
        seen = len(cut[str(row)])
        state, covariance, at = logs[row, [seen // 2 - 1, seen - 1]], np.zeros((2, 2)), (seen // 2, seen)
        for rung in [rung for rung in RUNGS if rung > seen]:
            reached = [row for row in range(60) if len(cut[str(row)]) >= rung]
            fitted = Regression.of(*logs[reached][:, [at[0] - 1, at[1] - 1, rung - 1]].T)
            (by_last,), (by_change,) = fitted.slopes(state[:1], state[1:])
            jacobian = np.array([[0.0, 1.0], [-by_change, 1 + by_last + by_change]])
            covariance = jacobian @ covariance @ jacobian.T
            covariance[1, 1] += fitted.variance * (1 + fitted.design.leverage(state[:1], state[1:])[0])
            state = np.array([state[1], state[1] + fitted.change(state[:1], state[1:])[0]])
            at = at[1], rung
        assert found[str(row)].mean == pytest.approx(state[1], rel=1e-12)
        assert found[str(row)].sigma == pytest.approx(math.sqrt(covariance[1, 1]), rel=1e-12)

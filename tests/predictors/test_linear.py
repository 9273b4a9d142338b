"""The linear predictor: its values, its errors, and what it says of curves that it has not seen the like of."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from swift_hyperband.predictors import fitting, linear
from swift_hyperband.predictors.linear import LEVERAGE_CLIP, MANY, MEAN_CLIP, Design, Regression, before, first_and_last
from swift_hyperband.predictors.settings import PredictorSettings

SETTINGS = PredictorSettings()


def curves(n, epochs=27, seed=0):
    """Power-law curves with a spread of speeds and ends, shape (n, epochs)."""
    rng = np.random.default_rng(seed)
    end, start, speed = rng.uniform(0.1, 0.6, n), rng.uniform(0.5, 2.0, n), rng.uniform(0.5, 1.5, n)
    return end[:, None] + start[:, None] * np.arange(1, epochs + 1) ** -speed[:, None]


def features(table, of):
    """Return the last value and the latest change, by median and quartiles of the curves `of`, and clipped."""

    def columns(table):
        return np.column_stack((table[:, -1], table[:, -1] - table[:, table.shape[1] // 2 - 1]))

    low, middle, high = np.quantile(columns(of), [0.25, 0.5, 0.75], axis=0)
    return np.clip((columns(table) - middle) / (high - low), -MEAN_CLIP, MEAN_CLIP)


def test_by_default_a_study_uses_it_on_logarithms_with_an_error_for_each_trial():
    assert (SETTINGS.name, SETTINGS.values, SETTINGS.errors, SETTINGS.fewest_curves) == ("linear", "log", "each", 5)


@pytest.mark.parametrize("seen", [4, 9, 13])
@pytest.mark.parametrize("n", [5, 8, 30, 200])
def test_it_is_scikit_learns_ridge_regression_of_the_change(n, seen):
    table, fresh = curves(n), curves(50, seed=1)
    ridge = Ridge(alpha=1.0).fit(features(table[:, :seen], table[:, :seen]), table[:, -1] - table[:, seen - 1])
    expected = fresh[:, seen - 1] + ridge.predict(features(fresh[:, :seen], table[:, :seen]))
    np.testing.assert_allclose(linear.fit(table[:, :seen], table[:, -1]).predict(fresh[:, :seen]), expected, rtol=1e-6)


def test_in_a_study_it_learns_the_logarithms():
    table, fresh = curves(12), curves(50, seed=1)
    expected = np.exp(linear.fit(np.log(table[:, :9]), np.log(table[:, -1])).predict(np.log(fresh[:, :9])))
    found = fitting.fit(SETTINGS, table[:, :9], table[:, -1])
    np.testing.assert_allclose(found.predict(fresh[:, :9]), expected, rtol=1e-12)


@pytest.mark.parametrize("n", [5, 8, MANY - 1])
def test_its_standard_error_is_that_of_real_fits_without_each_curve(n):
    table = curves(n)
    x, change = features(table[:, :9], table[:, :9]), table[:, -1] - table[:, 8]
    errors = []
    for left_out in range(n):
        others = np.arange(n) != left_out
        ridge = Ridge(alpha=1.0).fit(x[others], change[others])
        errors.append(change[left_out] - ridge.predict(x[[left_out]])[0])
    expected = np.mean(np.square(errors)) * (1 + 2 / n)
    assert linear.fit(table[:, :9], table[:, -1]).sigma == pytest.approx(expected**0.5, rel=1e-5)


def test_among_many_curves_one_that_goes_its_own_way_hardly_widens_the_error_of_all():
    def sigma(n):
        """Return the standard error in units of the plain one, where the end of one of n curves is 10 too high."""
        table = curves(n)
        table[3, -1] += 10.0
        return linear.fit(table[:, :9], table[:, -1]).sigma / (10 / np.sqrt(n))

    assert sigma(MANY - 1) > 1.0
    assert sigma(MANY) < 0.7
    assert sigma(200) < 0.2


def test_a_curve_in_the_middle_counts_as_one_of_n_and_one_unlike_all_others_as_more():
    table = curves(40)[:, :9]
    design = Design.of(*first_and_last(table))
    ordinary = design.leverage(*first_and_last(table))
    middle = np.median(table, axis=0)
    last, latest = np.median(table[:, -1]), np.median(table[:, -1] - table[:, 3])
    (least,) = design.leverage(np.array([last - latest]), np.array([last]))
    assert 1 / 40 <= least < 2 / 40
    assert (ordinary >= 1 / 40 - 1e-9).all()
    assert ordinary.sum() <= 3, "no more than there are coefficients"
    for unlike in (middle + 5.0, middle - 5.0, middle * 10.0, middle[::-1]):
        assert design.leverage(*first_and_last(unlike[None])) > ordinary.max()


def test_a_trial_unlike_those_learned_from_gets_a_wider_margin():
    table = curves(20)
    found = fitting.fit(SETTINGS, table[:, :9], table[:, -1])
    usual, slow = table[:1, :9], np.linspace(40.0, 20.0, 9)[None]
    margins = [np.log(found.predict(one) / found.optimistic(one, 1.0))[0] for one in (usual, slow)]
    assert margins[1] > 1.5 * margins[0]
    assert margins[0] >= found.machine.sigma
    # as a loss, beside losses of this size
    assert found.sigma == pytest.approx(found.machine.sigma * np.median(table[:, -1]))
    # in standard errors, of logarithms
    twice = np.log(found.predict(slow) / found.optimistic(slow, 2.0))[0]
    assert twice == pytest.approx(2 * margins[1])
    common = fitting.fit(replace(SETTINGS, errors="common"), table[:, :9], table[:, -1])
    assert np.log(common.predict(slow) / common.optimistic(slow, 1.0))[0] == pytest.approx(common.machine.sigma)


def test_nothing_is_extrapolated_beyond_three_units_but_the_error_grows():
    table = curves(20)[:, :9]
    ends = curves(20)[:, -1]
    found = linear.fit(table, ends)
    design = found.regression.design
    far, farther = (np.full((1, 9), design.shift[0] + units * design.scale[0]) for units in (MEAN_CLIP + 1, 20.0))
    changes = [found.predict(one)[0] - one[0, -1] for one in (far, farther)]
    assert changes[0] == pytest.approx(changes[1])
    assert design.leverage(*first_and_last(farther)) > 2 * design.leverage(*first_and_last(far))
    farthest = [np.full((1, 9), design.shift[0] + units * design.scale[0]) for units in (LEVERAGE_CLIP + 1, 1e6)]
    assert design.leverage(*first_and_last(farthest[0])) == design.leverage(*first_and_last(farthest[1]))


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 1e-12])
def test_constant_curves_are_expected_to_stay_constant(value):
    table = np.full((6, 9), value)
    found = fitting.fit(SETTINGS, table[:, :4], table[:, -1])
    np.testing.assert_allclose(found.predict(table[:2, :4]), value, rtol=1e-9, atol=1e-12)
    assert found.sigma == pytest.approx(0.0, abs=1e-9)
    assert np.isfinite(found.optimistic(table[:2, :4] + 1.0, 1.5)).all()


def test_curves_that_differ_by_a_constant_alone_change_alike():
    table = np.arange(1.0, 8.0)[:, None] - np.array([0.0, 0.1, 0.2, 0.3, 0.5])
    found = linear.fit(table[:, :4], table[:, -1])
    np.testing.assert_allclose(found.predict(table[:, :4]), table[:, -1], rtol=1e-6)
    assert found.sigma == pytest.approx(0.0, abs=1e-6)


def test_of_one_epoch_there_is_a_value_and_no_change():
    assert [before(seen) for seen in (1, 2, 3, 4, 9)] == [1, 1, 1, 2, 4]
    table, fresh = curves(12), curves(30, seed=1)
    found = fitting.fit(SETTINGS, table[:, :1], table[:, -1])
    predicted = found.predict(fresh[:, :1])
    assert np.isfinite(predicted).all()
    # the feature that is the same for all tells nothing
    x, y = np.log(table[:, 0]), np.log(table[:, -1] / table[:, 0])
    low, middle, high = np.quantile(x, [0.25, 0.5, 0.75])
    ridge = Ridge(alpha=1.0).fit(np.clip((x - middle) / (high - low), -3, 3)[:, None], y)
    seen = np.clip((np.log(fresh[:, 0]) - middle) / (high - low), -3, 3)[:, None]
    np.testing.assert_allclose(predicted, fresh[:, 0] * np.exp(ridge.predict(seen)), rtol=1e-6)


@pytest.mark.parametrize("changes", [{}, {"values": "loss"}, {"errors": "common"}], ids=["default", "loss", "common"])
def test_a_stored_predictor_says_the_same(changes):
    table, fresh = curves(20), curves(9, seed=1)[:, :7]
    found = fitting.fit(replace(SETTINGS, **changes), table[:, :7], table[:, -1])
    stored = fitting.load(json.loads(json.dumps(found.to_dict(), allow_nan=False)))
    for margin in (0.0, 1.5):
        np.testing.assert_array_equal(stored.optimistic(fresh, margin), found.optimistic(fresh, margin))
    np.testing.assert_array_equal(stored.predict(fresh), found.predict(fresh))
    assert stored.sigma == found.sigma > 0
    assert stored.to_dict() == found.to_dict()


def test_its_slopes_are_the_derivatives_of_its_prediction():
    table = curves(20)
    first, last = first_and_last(table[:, :9])
    found = Regression.of(first, last, table[:, -1])
    by_last, by_change = found.slopes(first, last)
    inside = (np.abs(found.design(first, last)[:, 1:]) < 0.9 * MEAN_CLIP).all(axis=1)
    assert inside.any()
    step = 1e-6
    # the last value alone, with the same latest change; and the change alone, with the same last value
    numeric = (found.change(first + step, last + step) - found.change(first, last)) / step
    np.testing.assert_allclose(by_last[inside], numeric[inside], rtol=1e-4, atol=1e-7)
    numeric = (found.change(first - step, last) - found.change(first, last)) / step
    np.testing.assert_allclose(by_change[inside], numeric[inside], rtol=1e-4, atol=1e-7)

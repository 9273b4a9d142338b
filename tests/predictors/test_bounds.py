"""Curves that exploded and are still finite: they count as diverged, and sound ones never do."""

import json
import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_hyperband.annealing.settings import SamplerSettings
from swift_hyperband.base import keys
from swift_hyperband.predictors import fitting
from swift_hyperband.predictors.bounds import Bounded, Bounds, outside
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.study.presets import PRESETS

FAR = PredictorSettings().far

PUBLISHED, BOLD = (keys.build(PredictorSettings, PRESETS[name]["predictor"]) for name in ("published", "bold"))
SETTINGS = {
    "default": PredictorSettings(fewest_curves=3),
    "svr-log": PredictorSettings("svr", fewest_curves=3),
    "bold": BOLD,
    "published": PUBLISHED,
    "last-value": replace(BOLD, name="last-value"),
    "qsvr": replace(PUBLISHED, name="qsvr", sampler=SamplerSettings("steepest-descent")),
}
EXPLODED = [1e8, 1e30, 1e155, 1e200, 1e308, -1e30, -1e155, -1e308]


def curves(n, epochs=9):
    rng = np.random.default_rng(0)
    end, start, speed = rng.uniform(0.1, 0.6, n), rng.uniform(0.5, 2.0, n), rng.uniform(0.5, 1.5, n)
    return end[:, None] + start[:, None] * np.arange(1, epochs + 1) ** -speed[:, None]


@pytest.fixture(params=SETTINGS.values(), ids=SETTINGS)
def settings(request):
    return request.param


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


@pytest.mark.parametrize("value", EXPLODED)
@pytest.mark.parametrize("where", ["at the end", "before the decision point", "at it"])
def test_an_exploded_curve_counts_as_diverged_in_the_fit_and_for_sigma(settings, value, where):
    table = curves(8)
    table[3, {"at the end": -1, "before the decision point": 0, "at it": 3}[where]] = value
    expected = fitting.fit(settings, np.delete(table, 3, 0)[:, :4], np.delete(table, 3, 0)[:, -1])
    found = fitting.fit(settings, table[:, :4], table[:, -1])
    fresh = curves(20)[8:, :4]
    np.testing.assert_array_equal(found.predict(fresh), expected.predict(fresh))
    assert found.sigma == expected.sigma
    assert math.isfinite(found.sigma)
    assert fitting.load(json.loads(json.dumps(found.to_dict(), allow_nan=False))).sigma == found.sigma


@pytest.mark.parametrize("value", EXPLODED)
def test_what_stands_outside_at_the_decision_point_is_expected_to_stay_there(settings, value):
    table = curves(8)
    fitted = fitting.fit(settings, table[:, :4], table[:, -1])
    for predictor in (fitted, fitting.load(json.loads(json.dumps(fitted.to_dict())))):
        assert predictor.predict(np.array([[0.9, 0.8, 0.7, value]])) == [value]
        assert predictor.diverged([0.5, value], at_end=False) == [False, True]
        assert predictor.diverged([0.5, value], at_end=True) == [False, True]


@pytest.mark.parametrize("value", [1e30, 1e308, -1e308])
def test_a_curve_that_came_back_from_an_explosion_is_judged_by_where_it_stands(settings, value):
    table = curves(8)
    fitted = fitting.fit(settings, table[:, :4], table[:, -1])
    (predicted,) = fitted.predict(np.array([[value, 0.8, 0.7, 0.6]]))
    assert 0 < predicted < 1
    assert fitted.diverged([0.6], at_end=False) == [False]


def test_curves_that_all_exploded_are_no_error(settings):
    for scale in (1e99, 1e120, 1e155, 1e300):
        table = curves(8) * scale
        fitted = fitting.fit(settings, table[:, :4], table[:, -1])
        assert (fitted is None) == (scale > 1e100)
        if fitted is not None:
            assert math.isfinite(fitted.sigma)
            assert np.isfinite(fitted.predict(table[:, :4])).all()


@pytest.mark.parametrize("value", [1e8, 1e30, 1e99])
def test_curves_of_which_most_explode_behind_the_decision_point_are_no_measure_of_each_other(settings, value):
    table = curves(8)
    table[:5, -1] = value
    expected = fitting.fit(settings, table[5:, :4], table[5:, -1])
    found = fitting.fit(settings, table[:, :4], table[:, -1])
    np.testing.assert_array_equal(found.predict(curves(20)[8:, :4]), expected.predict(curves(20)[8:, :4]))
    assert found.diverged([0.5, value], at_end=True) == [False, True]
    table[5:, -1] = value
    assert fitting.fit(settings, table[:, :4], table[:, -1]) is None


def in_logarithms(table, fresh):
    """Return what the last-value predictor predicts, by hand: the median change of the logarithms."""
    shift = np.median(np.log(table[:, -1] / table[:, 3]))
    return fresh[:, 3] * np.exp(shift)


def test_positive_losses_are_learned_as_logarithms():
    table, fresh = curves(8), curves(20)[8:, :4]
    logs = PredictorSettings("last-value", fewest_curves=3)
    found = fitting.fit(logs, table[:, :4], table[:, -1])
    assert found.to_dict()["log"]
    np.testing.assert_allclose(found.predict(fresh), in_logarithms(table, fresh))
    # so a loss in other units is predicted alike
    scaled = fitting.fit(logs, 1000 * table[:, :4], 1000 * table[:, -1])
    np.testing.assert_allclose(scaled.predict(1000 * fresh), 1000 * found.predict(fresh))
    assert scaled.sigma == pytest.approx(1000 * found.sigma)
    plain = fitting.fit(replace(logs, values="loss"), table[:, :4], table[:, -1])
    assert not plain.to_dict()["log"]
    np.testing.assert_allclose(plain.predict(fresh), fresh[:, 3] + np.median(table[:, -1] - table[:, 3]))


@pytest.mark.parametrize("name", ["linear", "svr", "last-value"])
@pytest.mark.parametrize("change", ["negated", "one zero at the start", "one below 0 at the end"])
def test_losses_of_which_some_are_not_positive_never_are(name, change):
    table = curves(8)
    if change == "negated":
        # accuracies
        table = -table
    else:
        table[2, 0 if "start" in change else -1] = 0.0 if "start" in change else -0.01
    log, loss = (
        fitting.fit(PredictorSettings(name, values=values), table[:, :4], table[:, -1]) for values in ("log", "loss")
    )
    fresh = curves(20)[8:, :4] * np.sign(table[0, 0])
    assert not log.to_dict()["log"]
    for margin in (0.0, 1.5):
        np.testing.assert_array_equal(log.optimistic(fresh, margin), loss.optimistic(fresh, margin))
    assert log.sigma == loss.sigma


def test_an_exploded_or_diverged_curve_does_not_keep_the_others_from_being_learned_as_logarithms():
    table = curves(8)
    table[3, -1] = -1e30
    table[4, -1] = -np.inf
    assert fitting.fit(PredictorSettings(), table[:, :4], table[:, -1]).to_dict()["log"]


@pytest.mark.parametrize("value", [0.0, -1.0, -1e9, 1e-300])
def test_a_trial_with_a_loss_that_has_no_logarithm_is_no_error(settings, value):
    table = curves(8)
    found = fitting.fit(settings, table[:, :4], table[:, -1])
    for curve in ([value, 0.5, 0.4, 0.3], [0.5, 0.4, 0.3, value]):
        for margin in (0.0, 1.5, 1e6):
            assert np.isfinite(found.optimistic([curve], margin)).all()


@pytest.mark.parametrize("margin", [0.0, 0.1, 1.5, 30.0, 1e6])
def test_a_margin_is_never_to_the_harm_of_a_trial(settings, margin):
    table = curves(8)
    found = fitting.fit(settings, table[:, :4], table[:, -1])
    assert found.sigma > 0
    fresh = np.vstack([curves(40)[8:, :4], np.full((1, 4), 30.0), np.geomspace(1e-12, 1e12, 4)[None]])
    predicted, optimistic = found.predict(fresh), found.optimistic(fresh, margin)
    assert (optimistic <= predicted).all()
    assert margin == 0 or (optimistic[:32] < predicted[:32]).all()
    if margin == 0:
        np.testing.assert_array_equal(optimistic, predicted)


def test_with_one_error_for_all_a_margin_takes_the_same_from_every_trial():
    table, fresh = curves(8), curves(20)[8:, :4]
    for settings in (BOLD, PUBLISHED, replace(PUBLISHED, name="linear")):
        found = fitting.fit(settings, table[:, :4], table[:, -1])
        np.testing.assert_allclose(found.optimistic(fresh, 0.75), found.predict(fresh) - 0.75 * found.sigma)
    logs = fitting.fit(replace(BOLD, values="log"), table[:, :4], table[:, -1])
    np.testing.assert_allclose(logs.optimistic(fresh, 0.75), logs.predict(fresh) * np.exp(-0.75 * logs.machine.sigma))


@pytest.mark.parametrize("name", ["linear", "svr", "last-value"])
def test_with_an_error_of_its_own_a_trial_unlike_the_others_gets_more(name):
    table = curves(20)
    found = fitting.fit(PredictorSettings(name), table[:, :4], table[:, -1])
    alike, unlike = table[:1, :4], np.array([[30.0, 20.0, 10.0, 9.0]])
    errors = [
        np.log(found.predict(one) / found.optimistic(one, 1.0))[0] / found.machine.sigma for one in (alike, unlike)
    ]
    assert 1.0 < errors[0] < 1.2
    assert errors[1] > 1.5


class Rising:
    """A machine that expects a logarithm of which there is no exponential."""

    sigma = 100.0

    def predict(self, curves):
        return np.full(len(curves), 750.0)


def test_where_nothing_can_be_said_there_is_no_margin_either():
    predictor = Bounded(Rising(), Bounds(), Bounds(), log=True)
    for margin in (0.0, 1.5):
        assert predictor.optimistic([[0.9, 0.8]], margin) == [0.8]


@pytest.mark.parametrize("small", [5e-324, 1e-310, 1e-200])
def test_denormal_differences_are_no_error(settings, small):
    for table in (curves(8) * small, np.vstack([np.zeros((6, 9)), np.full((1, 9), small), np.ones((1, 9))])):
        fitted = fitting.fit(settings, table[:, :4], table[:, -1])
        assert math.isfinite(fitted.sigma)
        assert np.isfinite(fitted.predict(table[:, :4])).all()
        assert np.isfinite(fitted.predict(curves(3)[:, :4])).all()


def test_a_predictor_stored_before_there_were_bounds_has_none(settings):
    table = curves(8)
    stored = fitting.fit(settings, table[:, :4], table[:, -1]).to_dict()
    del stored["bounds"]
    assert fitting.load(stored).diverged([1e30, -1e308], at_end=True) == [False, False]


@pytest.mark.parametrize(
    "ordinary",
    [
        [2.302585, 2.302586, 2.302584, 2.302585, 0.1],  # most never left chance
        [0.01, 0.012, 0.011, 0.013, 2.302585],  # most learnt
        [1e-8, 1e-4, 1e-5, 1.0, 90.0],  # some orders of magnitude
        [1.0, 1.0, 1.0, 1.0, 1.0000001],
        [0.0, 0.0, 0.0, 0.0, 0.3],
        [-0.98, -0.1, -0.1, -0.1, -0.1],  # accuracies
        [80.0, 90.0, 100.0, 4e4, 2e5],  # perplexities
        [0.3, 1e3, 1e4],
    ],
)
def test_sound_losses_never_stand_outside(ordinary):
    losses = np.array(ordinary)
    assert not Bounds.of(losses, FAR).outside(losses).any()


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=20), st.floats(1e-30, 1e30), st.booleans())
def test_nor_do_any_within_six_orders_of_magnitude(losses, unit, negated):
    found = np.array(losses) * (-unit if negated else unit)
    assert not outside(found[:, None], found, FAR).any()

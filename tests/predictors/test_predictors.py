"""What holds of every predictor."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import NuSVR

from swift_hyperband.base import keys
from swift_hyperband.predictors import fitting
from swift_hyperband.predictors.features import quartiles
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.study.presets import PRESETS

PUBLISHED, BOLD = (keys.build(PredictorSettings, PRESETS[name]["predictor"]) for name in ("published", "bold"))
LAST_VALUE = replace(BOLD, name="last-value")
DEFAULT = PredictorSettings()
ALL = {"published": PUBLISHED, "bold": BOLD, "last-value": LAST_VALUE, "default": DEFAULT}


def curves(n, epochs, seed=0):
    """Power-law curves with a spread of speeds and ends, shape (n, epochs)."""
    rng = np.random.default_rng(seed)
    end, start, speed = rng.uniform(0.1, 0.6, n), rng.uniform(0.5, 2.0, n), rng.uniform(0.5, 1.5, n)
    time = np.arange(1, epochs + 1)
    return end[:, None] + start[:, None] * time ** -speed[:, None]


@pytest.fixture(params=ALL.values(), ids=ALL)
def settings(request):
    return request.param


def test_a_stored_predictor_predicts_the_same(settings):
    table = curves(20, 27)
    fitted = fitting.fit(settings, table[:, :7], table[:, -1])
    stored = fitting.load(json.loads(json.dumps(fitted.to_dict())))
    fresh = curves(9, 27, seed=1)[:, :7]
    np.testing.assert_array_equal(stored.predict(fresh), fitted.predict(fresh))
    assert stored.sigma == fitted.sigma > 0


def test_predictions_rank_new_curves(settings):
    table, fresh = curves(20, 27), curves(200, 27, seed=1)
    predicted = fitting.fit(settings, table[:, :9], table[:, -1]).predict(fresh[:, :9])
    assert np.corrcoef(predicted, fresh[:, -1])[0, 1] > 0.8


def test_nothing_is_fitted_to_too_few_finite_curves(settings):
    needed = 5 if settings is DEFAULT else 3
    assert settings.fewest_curves == needed
    table = curves(needed + 1, 9)
    table[0, 3] = np.inf
    table[1, -1] = np.inf
    assert fitting.fit(settings, table[:, :4], table[:, -1]) is None
    assert fitting.fit(settings, table[1:, :4], table[1:, 4]) is not None


def test_the_study_says_how_many_curves_a_predictor_needs_and_which_count_as_diverged(settings):
    table = curves(6, 9)
    assert fitting.fit(replace(settings, fewest_curves=7), table[:, :4], table[:, -1]) is None
    table[0, -1] *= 1e5
    assert fitting.fit(replace(settings, fewest_curves=6), table[:, :4], table[:, -1]) is not None
    assert fitting.fit(replace(settings, fewest_curves=6, far=1e3), table[:, :4], table[:, -1]) is None


def test_equal_curves_are_no_error(settings):
    table = np.ones((6, 9))
    fitted = fitting.fit(settings, table[:, :4], table[:, -1])
    np.testing.assert_allclose(fitted.predict(table[:2, :4]), 1.0, atol=0.1)


def test_the_published_predictor_is_scikit_learns_nusvr_with_its_defaults():
    table, fresh = curves(20, 27), curves(9, 27, seed=1)
    ours = fitting.fit(PUBLISHED, table[:, :7], table[:, -1]).predict(fresh[:, :7])
    x, y = MinMaxScaler().fit(table[:, :7]), MinMaxScaler().fit(table[:, -1:])
    theirs = NuSVR().fit(x.transform(table[:, :7]), y.transform(table[:, -1:])[:, 0]).predict(x.transform(fresh[:, :7]))
    np.testing.assert_allclose(ours, y.inverse_transform(theirs[:, None])[:, 0], rtol=1e-9)


def test_the_order_of_epochs_far_apart_in_scale_does_not_break_the_fit():
    table = np.exp(curves(20, 27) * 5)
    fitted = fitting.fit(BOLD, table[:, :7], table[:, -1])
    assert np.isfinite(fitted.predict(table[:, :7])).all()


def test_its_standard_error_is_bounded_from_below_fit_by_fit(settings):
    table = curves(20, 27)
    found = fitting.fit(settings, table[:, :9], table[:, -1])
    some = next(iter(found.sigmas()))
    bounds = list(found.sigmas())
    assert bounds[0] == some
    assert bounds[-1] == found.sigma
    assert bounds == sorted(bounds)
    assert len(bounds) == (1 if settings in (LAST_VALUE, DEFAULT) else 21), (
        "0, then one more with each curve that is left out"
    )


@pytest.mark.parametrize("n", range(3, 40))
def test_quartiles_are_those_of_numpy_bit_for_bit(n):
    rng = np.random.default_rng(n)
    for columns in (rng.normal(size=(n, 4)), 1e30 * rng.normal(size=(3, n, 2)), 1.0 * rng.integers(-2, 2, (n, 5))):
        expected = np.quantile(columns, [0.25, 0.5, 0.75], axis=-2)
        assert np.array(quartiles(columns)).tobytes() == expected.tobytes()

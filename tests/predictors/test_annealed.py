"""The QSVR as a predictor of curves."""

import json

import numpy as np
import pytest

from swift_hyperband import predictors
from swift_hyperband.annealing import samplers
from swift_hyperband.annealing.settings import PUBLISHED, PUBLISHED_C, QsvrSettings, SamplerSettings
from swift_hyperband.predictors import annealed
from swift_hyperband.predictors.kernel_machine import leave_one_out, train
from swift_hyperband.predictors.settings import PredictorSettings

DEFAULT = PredictorSettings("qsvr", "change", "differences", "robust", C=1.0, nu=0.5)
AUTHORS = PredictorSettings("qsvr", "value", "values", "minmax", C=PUBLISHED_C, nu=0.5)
CASES = {
    "default": (DEFAULT, QsvrSettings()),
    "signed": (DEFAULT, QsvrSettings(encoding="signed", bits=4)),
    "ensemble": (DEFAULT, QsvrSettings(max_samples=8)),
    "subset": (DEFAULT, QsvrSettings(max_samples=10, too_many="subset")),
    "published": (AUTHORS, PUBLISHED),
}


def curves(n, seed=0):
    """Power-law curves of 27 epochs with a spread of speeds and ends, shape (n, 27)."""
    rng = np.random.default_rng(seed)
    end, start, speed = rng.uniform(0.1, 0.6, n), rng.uniform(0.5, 2.0, n), rng.uniform(0.5, 1.5, n)
    return end[:, None] + start[:, None] * np.arange(1, 28) ** -speed[:, None]


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request):
    return request.param


@pytest.fixture
def fitted(case):
    table = curves(20)
    return annealed.fit(*case, SamplerSettings(), table[:, :9], table[:, -1], "fit")


def test_a_stored_predictor_predicts_the_same(fitted):
    stored = predictors.load(json.loads(json.dumps(fitted.to_dict())))
    fresh = curves(9, seed=1)[:, :9]
    np.testing.assert_array_equal(stored.predict(fresh), fitted.predict(fresh))
    assert stored.sigma == fitted.sigma > 0


def test_it_predicts_like_the_svr_of_the_same_settings(case, fitted):
    (settings, shape), table, fresh = case, curves(20), curves(200, seed=1)
    classical = train(settings, table[:, :9], table[:, -1], annealed.classical(settings.C, shape), lambda: 0.0)
    ours, theirs = fitted.predict(fresh[:, :9]), classical.predict(fresh[:, :9])
    spread = fresh[:, -1].std()
    assert np.sqrt(np.mean((ours - theirs) ** 2)) < 0.15 * spread
    assert np.corrcoef(ours, fresh[:, -1])[0, 1] > 0.9


def test_its_standard_error_is_the_leave_one_out_error_of_that_svr(case, fitted):
    (settings, shape), table = case, curves(20)
    expected = leave_one_out(settings, table[:, :9], table[:, -1], annealed.classical(settings.C, shape))
    assert fitted.sigma == expected


def test_equal_curves_are_no_error(case):
    fitted = annealed.fit(*case, SamplerSettings(), np.ones((6, 4)), np.ones(6), "fit")
    np.testing.assert_allclose(fitted.predict(np.ones((2, 4))), 1.0, atol=0.1)


def test_one_problem_a_fit_with_its_label_and_folder(monkeypatch, tmp_path):
    asked = []

    def sample(settings, bqm, label, kept, budget):
        asked.append((settings.name, bqm.num_variables, label, kept))
        return samplers.sample(SamplerSettings(), bqm, label)

    monkeypatch.setattr("swift_hyperband.annealing.dwave.conversation.sample", sample)
    table = curves(20)
    annealed.fit(DEFAULT, QsvrSettings(), SamplerSettings("qpu"), table[:, :9], table[:, -1], "study 3/0", tmp_path)
    assert asked == [("qpu", 120, "study 3/0", tmp_path)]

"""The QSVR as a predictor of curves."""

import json
from dataclasses import replace

import numpy as np
import pytest

from swift_hyperband.annealing import samplers
from swift_hyperband.annealing.settings import PUBLISHED, PUBLISHED_C, QsvrSettings, SamplerSettings
from swift_hyperband.predictors import annealed, fitting
from swift_hyperband.predictors.kernel_machine import leave_one_out, train
from swift_hyperband.predictors.settings import PredictorSettings

DEFAULT = PredictorSettings(
    "qsvr", "change", "differences", "robust", C=1.0, nu=0.5, qsvr=QsvrSettings(), sampler=SamplerSettings()
)
CASES = {
    "default": DEFAULT,
    "signed": replace(DEFAULT, qsvr=QsvrSettings(encoding="signed", bits=4)),
    "ensemble": replace(DEFAULT, qsvr=QsvrSettings(max_samples=8)),
    "subset": replace(DEFAULT, qsvr=QsvrSettings(max_samples=10, too_many="subset")),
    "published": PredictorSettings(
        "qsvr", "value", "values", "minmax", C=PUBLISHED_C, nu=0.5, qsvr=PUBLISHED, sampler=SamplerSettings()
    ),
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
    return annealed.fit(case, table[:, :9], table[:, -1])


def test_a_stored_predictor_predicts_the_same(fitted):
    stored = fitting.load(json.loads(json.dumps(fitted.to_dict())))
    fresh = curves(9, seed=1)[:, :9]
    np.testing.assert_array_equal(stored.predict(fresh), fitted.predict(fresh))
    assert stored.sigma == fitted.sigma > 0


def test_it_predicts_like_the_svr_of_the_same_settings(case, fitted):
    table, fresh = curves(20), curves(200, seed=1)
    classical = train(case, table[:, :9], table[:, -1], annealed.classical(case.C, case.qsvr), lambda: 0.0)
    ours, theirs = fitted.predict(fresh[:, :9]), classical.predict(fresh[:, :9])
    spread = fresh[:, -1].std()
    assert np.sqrt(np.mean((ours - theirs) ** 2)) < 0.15 * spread
    assert np.corrcoef(ours, fresh[:, -1])[0, 1] > 0.9


def test_its_standard_error_is_the_leave_one_out_error_of_that_svr(case, fitted):
    table = curves(20)
    *_, expected = leave_one_out(case, table[:, :9], table[:, -1], annealed.classical(case.C, case.qsvr))
    assert fitted.sigma == expected


def test_equal_curves_are_no_error(case):
    fitted = annealed.fit(case, np.ones((6, 4)), np.ones(6))
    np.testing.assert_allclose(fitted.predict(np.ones((2, 4))), 1.0, atol=0.1)


def test_one_problem_a_fit_with_its_label_and_folder(monkeypatch, tmp_path):
    asked = []

    def sample(settings, bqm, label, kept, budget):
        asked.append((settings.name, bqm.num_variables, label, kept))
        return samplers.minimiser(SamplerSettings())(bqm)

    monkeypatch.setattr("swift_hyperband.annealing.dwave.conversation.sample", sample)
    table = curves(20)
    settings = replace(DEFAULT, sampler=SamplerSettings("qpu"))
    annealed.fit(settings, table[:, :9], table[:, -1], annealed.solver(settings, "study 3/0", tmp_path))
    assert asked == [("qpu", 120, "study 3/0", tmp_path)]


def test_the_problems_of_an_ensemble_share_the_label_of_the_fit_and_bear_a_number(monkeypatch, tmp_path):
    asked = []

    def sample(settings, bqm, label, kept, budget):
        asked.append((label, kept))
        return samplers.minimiser(SamplerSettings())(bqm)

    monkeypatch.setattr("swift_hyperband.annealing.dwave.conversation.sample", sample)
    table = curves(20)
    settings = replace(DEFAULT, sampler=SamplerSettings("qpu"), qsvr=QsvrSettings(max_samples=8))
    annealed.fit(settings, table[:, :9], table[:, -1], annealed.solver(settings, "study 3/0", tmp_path))
    assert asked == [(f"study 3/0 {number}/3", tmp_path) for number in (1, 2, 3)]

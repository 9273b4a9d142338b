"""The classical predictor, and scikit-learn's private function that makes it fast."""

from types import SimpleNamespace

import numpy as np
import pytest

from swift_hyperband.predictors import svr
from swift_hyperband.predictors.settings import PredictorSettings

SETTINGS = PredictorSettings("svr", "change", "differences", "robust", C=1.0, nu=0.5)
TABLE = np.random.default_rng(0).normal(size=(20, 9)).cumsum(axis=1)


@pytest.fixture
def unchecked():
    """Check scikit-learn anew, before and after a test."""
    svr._fastest.cache_clear()
    yield
    svr._fastest.cache_clear()


def test_the_installed_scikit_learn_is_used_without_its_checks(unchecked):
    assert svr._fastest() is svr._solve_directly


def changed_parameters(x, y, *, kind, kernel, C, nu, gamma):
    raise AssertionError("called with parameters that it does not have")


def changed_results(x, y, *, svm_type, kernel, C, nu, gamma):
    return x, y


def changed_meaning(x, y, *, svm_type, kernel, C, nu, gamma):
    return None, x, None, np.ones((1, len(x))), np.zeros(1)


@pytest.mark.parametrize("fit", [changed_parameters, changed_results, changed_meaning])
def test_a_scikit_learn_that_changed_its_private_function_gives_the_same_predictor(monkeypatch, unchecked, fit):
    expected = svr.fit(SETTINGS, TABLE[:, :4], TABLE[:, -1]).to_dict()
    # not the module itself, which NuSVR uses, too
    monkeypatch.setattr(svr, "_libsvm", SimpleNamespace(fit=fit, set_verbosity_wrap=svr._libsvm.set_verbosity_wrap))
    svr._fastest.cache_clear()
    found = svr.fit(SETTINGS, TABLE[:, :4], TABLE[:, -1])
    assert svr._fastest() is svr._solve
    assert found.to_dict() == expected


def test_so_does_one_without_it(monkeypatch, unchecked):
    monkeypatch.setattr(svr, "_libsvm", None)
    assert svr._fastest() is svr._solve

"""The QSVR as a regressor of scikit-learn's."""

import dimod
import numpy as np
import pytest
from dwave.samplers import RandomSampler, SimulatedAnnealingSampler
from sklearn.metrics import r2_score
from sklearn.svm import SVR
from sklearn.utils.estimator_checks import parametrize_with_checks

from swift_hyperband.annealing import qubo
from swift_hyperband.annealing.qsvr import QSVR, best, bias, divide


def data(n, seed=0):
    """Features and a smooth target of about unit variance."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    return x, np.tanh(x[:, 0]) + 0.5 * x[:, 1]


class Recording(SimulatedAnnealingSampler):
    """Simulated annealing that remembers what it was asked."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def sample(self, bqm, **parameters):
        self.asked.append((bqm.num_variables, parameters))
        return super().sample(bqm, **parameters)


@parametrize_with_checks([QSVR(num_reads=5, sweeps=50)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("shape", [{}, {"encoding": "signed", "bits": 4}], ids=["adaptive", "signed"])
def test_it_predicts_like_an_svr_of_the_same_settings(kernel, shape):
    (x, y), (fresh, ends) = data(20), data(200, seed=1)
    ours = QSVR(C=1.0, kernel=kernel, random_state=0, **shape).fit(x, y).predict(fresh)
    theirs = SVR(C=1.0, kernel=kernel, epsilon=0.05).fit(x, y).predict(fresh)
    assert r2_score(ends, ours) == pytest.approx(r2_score(ends, theirs), abs=0.03)


def test_a_shifted_target_shifts_the_predictions():
    x, y = data(20)
    here, there = (QSVR(random_state=0).fit(x, target).predict(x) for target in (y, y + 100.0))
    np.testing.assert_allclose(here + 100.0, there, atol=0.1)


def test_the_published_settings():
    model = QSVR.published(random_state=0)
    assert (model.bits, model.base, model.offset, model.xi, model.epsilon, model.gamma, model.C, model.top) == (
        *(3, 0.5, 0.005, 0.01, 0.02, 0.1, 67.61, 4),
    )
    x, y = data(20)
    model.set_params(num_reads=10, sweeps=100).fit(x, y)
    assert np.abs(model.dual_coef_).max() <= 1.757
    assert model.samplesets_[0].record.sample.shape[1] == 120


def test_the_same_random_state_gives_the_same_fit_and_another_another():
    x, y = data(20)
    first, again, other = (QSVR(random_state=seed, num_reads=3, sweeps=20).fit(x, y).predict(x) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_any_sampler_gets_those_parameters_that_it_knows():
    sampler = Recording()
    QSVR(sampler=sampler, num_reads=7, sweeps=30, random_state=0).fit(*data(10))
    assert [(size, sorted(parameters)) for size, parameters in sampler.asked] == [
        (60, ["beta_range", "num_reads", "num_sweeps", "seed"])
    ]
    exact = QSVR(sampler=dimod.ExactSolver(), bits=1).fit(*data(5))
    assert exact.energies_ == pytest.approx(exact.samplesets_[0].record.energy.min())


def test_annealing_finds_the_optimum_of_a_tiny_problem():
    x, y = data(2)
    annealed, exact = (
        QSVR(C=1.0, sampler=name, random_state=0).fit(x, y).energies_ for name in ("simulated-annealing", "exact")
    )
    assert annealed == pytest.approx(exact)


def test_polishing_leaves_only_local_minima():
    x, y = data(20)
    rough, polished = (
        QSVR(sampler=RandomSampler(), polish=polish, random_state=0).fit(x, y) for polish in (False, True)
    )
    code = qubo.encoding("adaptive", 3.0, 3, 2.0)
    bqm = qubo.build(rough._kernel(x, x), y - np.median(y), code, 0.05, 1.0)
    assert polished.energies_[0] < rough.energies_[0]
    state = best(polished.samplesets_[0], 1)
    flipped = np.abs(np.eye(120, dtype=np.int8) - state)
    assert (bqm.energies((flipped, range(120))) >= polished.energies_[0] - 1e-9).all()


def test_an_ensemble_is_the_mean_of_its_members():
    x, y = data(50)
    sampler = Recording()
    whole = QSVR(sampler=sampler, max_samples=20, gamma=0.1, random_state=0).fit(x, y)
    assert [size for size, _ in sampler.asked] == [102, 102, 96]
    assert len(whole.samplesets_) == len(whole.energies_) == 3
    members = [QSVR(gamma=0.1, random_state=0).fit(x[part], y[part]) for part in divide(y, 20, "ensemble")]
    np.testing.assert_allclose(whole.predict(x), np.mean([member.predict(x) for member in members], axis=0))


def test_the_problems_of_an_ensemble_have_different_labels():
    labels = []

    class Labelled(Recording):
        def __init__(self):
            super().__init__()
            self.parameters["label"] = []

        def sample(self, bqm, label, **parameters):
            labels.append(label)
            return super().sample(bqm, **parameters)

    QSVR(sampler=Labelled(), max_samples=10, num_reads=2, sweeps=5).fit(*data(25))
    QSVR(sampler=Labelled(), num_reads=2, sweeps=5).fit(*data(5))
    assert labels == ["QSVR 1/3", "QSVR 2/3", "QSVR 3/3", "QSVR"]


def test_a_subset_is_one_problem_of_as_many_samples_as_the_sampler_holds():
    x, y = data(50)
    sampler = Recording()
    model = QSVR(sampler=sampler, max_samples=20, too_many="subset", random_state=0).fit(x, y)
    assert [size for size, _ in sampler.asked] == [120]
    assert len(model.support_vectors_) <= 20


@pytest.mark.parametrize("n", [3, 20, 21, 39, 40, 41, 101])
def test_an_ensemble_uses_each_sample_once_and_a_subset_spans_the_target(n):
    y = np.random.default_rng(n).permutation(n) / n
    parts = divide(y, 20, "ensemble")
    assert max(map(len, parts)) <= 20
    assert sorted(np.concatenate(parts)) == list(range(n))
    (subset,) = divide(y, 20, "subset")
    assert len(set(subset)) == min(n, 20)
    assert {y[subset].min(), y[subset].max()} == {y.min(), y.max()}


def test_equal_targets_and_a_single_sample_are_predicted_as_they_are():
    x, _ = data(10)
    # within one step of a coefficient: 3 / 7
    np.testing.assert_allclose(QSVR(random_state=0).fit(x, np.full(10, 7.0)).predict(x), 7.0, atol=3 / 7)
    np.testing.assert_allclose(QSVR(random_state=0).fit(x[:1], [7.0]).predict(x), 7.0)


def test_the_intercept_is_the_median_residual_where_no_coefficient_is_free():
    kernel, y, code = np.eye(3), np.array([1.0, 2.0, 6.0]), qubo.encoding("adaptive", 1.0, 3, 2.0)
    assert bias(kernel, y, np.zeros(3), code, C=1.0, epsilon=0.1) == 2.0
    assert bias(kernel, y, np.array([1.0, -1.0, 1.0]), code, C=1.0, epsilon=0.1) == 3.0


@pytest.mark.parametrize("name", ["adaptive", "signed"])
def test_the_intercept_of_an_exact_dual_solution_is_that_of_the_svr(name):
    x, y = data(20)
    svr = SVR(C=3.0, epsilon=0.05, gamma=0.1, tol=1e-9).fit(x, y)
    beta = np.zeros(20)
    beta[svr.support_] = svr.dual_coef_[0]
    kernel = QSVR(gamma=0.1).fit(x, y)._kernel(x, x)
    found = bias(kernel, y, beta, qubo.encoding(name, 3.0, 3, 2.0), C=3.0, epsilon=0.05)
    assert found == pytest.approx(svr.intercept_[0], abs=1e-6 if name == "adaptive" else 0.05)


@pytest.mark.parametrize(
    ("key", "wrong"),
    [("epsilon", -1), ("xi", -1), ("top", 0), ("max_samples", 1), ("too_many", "all"), ("kernel", "poly"), ("C", 0)],
)
def test_a_parameter_that_does_not_hold_is_refused(key, wrong):
    with pytest.raises(ValueError, match=rf"{key}\b.*must be|must be.*\b{key}={wrong!r}"):
        QSVR(**{key: wrong}).fit(*data(5))

"""The QUBO of a support vector regression."""

import dimod
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swift_hyperband.annealing import qubo

CODES = st.builds(
    qubo.encoding,
    st.sampled_from(["adaptive", "published", "signed"]),
    C=st.floats(0.1, 10),
    bits=st.integers(1, 4),
    base=st.sampled_from([0.5, 1.0, 2.0, 3.0]),
    offset=st.sampled_from([0.0, 0.005]),
)


def energy(solutions, kernel, y, code, epsilon, xi):
    """Return the energies of solutions, shape (solutions, variables), by the formula at the top of `qubo`.

    A signed encoding has no |beta|; epsilon sum_i beta_i^2 / cap replaces it, which is the same at 0 and at +-cap.
    """
    beta = code.decode(solutions)
    if code.signed:
        tube = beta**2 / code.cap
    else:
        # alpha + alpha-hat
        bits = solutions.reshape(len(solutions), 2, -1, len(code.weights))
        tube = (bits @ code.weights).sum(axis=1)
    return (
        0.5 * np.einsum("si,ij,sj->s", beta, kernel, beta)
        - beta @ y
        + xi * beta.sum(axis=1) ** 2
        + epsilon * tube.sum(axis=1)
    )


def problem(n, seed):
    """A kernel of n random samples, and a target."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    return np.exp(-0.3 * ((x[:, None] - x[None]) ** 2).sum(axis=2)), rng.normal(size=n)


def every_solution(variables):
    return np.array(list(np.ndindex(*[2] * variables)), dtype=np.int8)


@settings(deadline=None)
@given(CODES, st.integers(1, 6), st.floats(0, 1), st.floats(0, 10), st.integers(0, 1000))
def test_energies_of_the_problem_are_those_of_the_formula(code, n, epsilon, xi, seed):
    kernel, y = problem(n, seed)
    bqm = qubo.build(kernel, y, code, epsilon, xi)
    solutions = np.random.default_rng(seed).integers(0, 2, (8, code.variables(n)), dtype=np.int8)
    expected = energy(solutions, kernel, y, code, epsilon, xi)
    found = bqm.energies((solutions, range(bqm.num_variables)))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_the_formula_by_hand():
    # alpha = (1, 2), alpha-hat = (2, 0): beta = (-1, 2)
    code = qubo.encoding("published", C=1.0, bits=2, base=2.0)
    solution = np.array([[1, 0, 0, 1, 0, 1, 0, 0]])
    np.testing.assert_array_equal(code.decode(solution), [[-1, 2]])
    kernel, y = np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([3.0, 1.0])
    quadratic, tube, penalty = 0.5 * (1 - 2 * 0.5 * 2 + 4) - (-3 + 2), 0.1 * (3 + 2), 10.0 * (-1 + 2) ** 2
    found = energy(solution, kernel, y, code, epsilon=0.1, xi=10.0)
    np.testing.assert_allclose(found, [quadratic + tube + penalty])


@pytest.mark.parametrize(("name", "n", "bits"), [("adaptive", 3, 2), ("published", 3, 2), ("signed", 4, 3)])
def test_the_optimum_is_that_of_all_solutions(name, n, bits):
    kernel, y = problem(n, seed=1)
    code = qubo.encoding(name, C=3.0, bits=bits, base=2.0)
    exact = dimod.ExactSolver().sample(qubo.build(kernel, y, code, epsilon=0.05, xi=1.0)).first
    energies = energy(every_solution(n * bits * (1 if code.signed else 2)), kernel, y, code, 0.05, 1.0)
    assert exact.energy == pytest.approx(energies.min())


def test_adaptive_coefficients_reach_exactly_c():
    code = qubo.encoding("adaptive", C=3.0, bits=3, base=2.0)
    beta = code.decode(every_solution(6))
    assert (beta.min(), beta.max(), code.cap) == (-3.0, 3.0, 3.0)
    assert 0.0 in beta


def test_signed_coefficients_reach_exactly_c():
    code = qubo.encoding("signed", C=3.0, bits=4, base=2.0)
    beta = code.decode(every_solution(4))
    assert (beta.min(), beta.max(), code.cap) == (-3.0, 3.0, 3.0)
    np.testing.assert_allclose(np.diff(np.sort(beta[:, 0])), 6 / 15)


def test_published_weights_are_those_of_the_authors_whatever_c_is():
    code = qubo.encoding("published", C=67.61, bits=3, base=0.5, offset=0.005)
    np.testing.assert_allclose(code.weights, [1.00347, 0.50174, 0.25087], atol=1e-5)
    assert code.cap == pytest.approx(1.756, abs=1e-3)


def test_twenty_samples_are_120_variables_and_signed_a_third_fewer():
    kernel, y = problem(20, seed=0)
    pairs = qubo.encoding("adaptive", C=1.0, bits=3, base=2.0)
    signed = qubo.encoding("signed", C=1.0, bits=4, base=2.0)
    assert qubo.build(kernel, y, pairs, 0.05, 1.0).num_variables == pairs.variables(20) == 120
    assert qubo.build(kernel, y, signed, 0.05, 1.0).num_variables == signed.variables(20) == 80


def test_the_penalty_is_the_kernel_plus_twice_xi():
    kernel, y = problem(4, seed=2)
    code = qubo.encoding("adaptive", C=1.0, bits=2, base=2.0)
    assert qubo.build(kernel, y, code, 0.1, xi=1.5) == qubo.build(kernel + 3.0, y, code, 0.1, xi=0.0)


@pytest.mark.parametrize("wrong", [{"C": 0.0}, {"bits": 0}, {"base": -1.0}, {"name": "unary"}])
def test_an_encoding_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=r"must be"):
        qubo.encoding(**{"name": "adaptive", "C": 1.0, "bits": 3, "base": 2.0, **wrong})


@settings(deadline=None)
@given(CODES, st.integers(1, 8), st.sampled_from([0.0, 0.05, 1 / 3]), st.floats(0, 10), st.integers(0, 1000))
def test_bits_and_spins_are_exactly_the_same_problem(code, n, epsilon, xi, seed):
    kernel, y = problem(n, seed)
    bqm = qubo.build(kernel, y - np.median(y), code, epsilon, xi)
    there_and_back = bqm.change_vartype("SPIN", inplace=False).change_vartype("BINARY", inplace=False)
    assert there_and_back.linear == bqm.linear
    assert there_and_back.quadratic == bqm.quadratic


@pytest.mark.parametrize(
    ("name", "bits", "epsilon"), [("signed", 4, 0.05), ("signed", 4, 0.0), ("adaptive", 3, 0.0), ("published", 3, 0.0)]
)
def test_what_must_cancel_does_so_to_the_bit(name, bits, epsilon):
    kernel, y = problem(21, seed=0)
    code = qubo.encoding(name, C=1.0, bits=bits, base=0.5 if name == "published" else 2.0, offset=0.005)
    fields = np.abs(list(qubo.build(kernel, y - np.median(y), code, epsilon, 1.0).spin.linear.values()))
    # those of the sample in the middle, whose target is 0, are 0; no other is noise
    assert (fields == 0).sum() == code.variables(1)
    assert fields[fields > 0].min() > 1e-6 * fields.max()


def test_coefficients_far_below_the_others_are_dropped():
    # samples so far apart that the kernel between them is 1e-20
    kernel = np.array([[1.0, 1e-20], [1e-20, 1.0]])
    bqm = qubo.build(kernel, np.array([1.0, -1.0]), qubo.encoding("signed", 1.0, 2, 2.0), 0.0, 0.0)
    assert {frozenset(pair) for pair in bqm.quadratic} == {frozenset({0, 1}), frozenset({2, 3})}


def test_temperatures_follow_the_problem_s_scale_whatever_its_variables_are():
    kernel, y = problem(20, seed=1)
    bqm = qubo.build(kernel, y, qubo.encoding("adaptive", 1.0, 3, 2.0), 0.05, 1.0)
    hot, cold = qubo.beta_range(bqm)
    assert 0 < hot < cold
    assert qubo.beta_range(bqm.spin.copy().change_vartype("BINARY", inplace=False)) == (hot, cold)
    scaled = bqm.copy()
    scaled.scale(8.0)
    np.testing.assert_allclose(qubo.beta_range(scaled), (hot / 8, cold / 8))
    scaled.add_variable("free")
    np.testing.assert_allclose(qubo.beta_range(scaled), (hot / 8, cold / 8))
    by_hand = dimod.BinaryQuadraticModel.from_ising({0: 3.0, 1: 0.0}, {(0, 1): 4.0}).change_vartype("BINARY")
    np.testing.assert_allclose(qubo.beta_range(by_hand), (qubo.HOT / 5, qubo.COLD / 4))
    assert qubo.beta_range(dimod.BinaryQuadraticModel(3, "BINARY")) == (0.1, 1.0)


@pytest.mark.parametrize(
    ("name", "bits", "epsilon"), [("adaptive", 3, 0.05), ("adaptive", 3, 0.0), ("signed", 4, 0.05)]
)
def test_a_short_anneal_ends_lower_than_between_the_library_s_own_temperatures(name, bits, epsilon):
    from dwave.samplers import SimulatedAnnealingSampler

    ours, theirs = [], []
    for seed in range(3):
        kernel, y = problem(20, seed)
        bqm = qubo.build(kernel, y, qubo.encoding(name, 1.0, bits, 2.0), epsilon, 1.0)
        for found, range_ in ((ours, list(qubo.beta_range(bqm))), (theirs, None)):
            answer = SimulatedAnnealingSampler().sample(bqm, num_reads=20, num_sweeps=30, seed=1, beta_range=range_)
            found.append(answer.record.energy.mean())
    assert np.mean(ours) < np.mean(theirs)

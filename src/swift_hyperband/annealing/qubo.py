"""The dual problem of support vector regression as a QUBO: quadratic, over binary variables, without constraints.

The dual coefficients beta = alpha - alpha-hat minimise, with 0 <= alpha, alpha-hat <= C,

    1/2 beta^T K beta - y^T beta + epsilon sum(alpha + alpha-hat) + xi (sum beta)^2.

The last term stands for the constraint sum beta = 0, which a QUBO cannot have. It is the same as adding 2 xi to the
kernel: an SVR whose intercept b costs b^2 / (4 xi).

Sources: QUBO of the SVR, Pasetto et al., IEEE GRSL 19 (2022), doi 10.1109/LGRS.2022.3213087, after the QUBO of the
SVM, Willsch et al., arXiv 1906.06283. The adaptive and the signed encoding are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dimod
import numpy as np
from dwave.samplers import SteepestDescentSampler
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Encoding:
    """How binary variables make the dual coefficients of n samples.

    In pairs (adaptive, published): alpha_i = sum_k weights_k z_(iK+k), then alpha-hat in the same way from the second
    half of the 2 n K variables. Signed: beta_i = -cap + sum_k weights_k z_(iK+k), with n K variables.

    Attributes
    ----------
    weights : array of shape (K,)
        What a bit counts.
    signed : bool
        Whether the bits make beta itself.
    """

    weights: Floats
    signed: bool

    @property
    def cap(self) -> float:
        """The largest absolute value of a dual coefficient."""
        return float(self.weights.sum()) / (2.0 if self.signed else 1.0)

    def variables(self, samples: int) -> int:
        """Return how many binary variables so many samples need."""
        return samples * len(self.weights) * (1 if self.signed else 2)

    def decode(self, solutions: NDArray[Any]) -> Floats:
        """Return the dual coefficients beta, shape (solutions, n), of solutions of shape (solutions, variables)."""
        if self.signed:
            return self._sums(solutions) - self.cap
        alpha, alpha_hat = np.split(solutions, 2, axis=1)
        return self._sums(alpha) - self._sums(alpha_hat)

    def _sums(self, bits: NDArray[Any]) -> Floats:
        return np.asarray(bits.reshape(len(bits), -1, len(self.weights)) @ self.weights)


def encoding(name: str, C: float, bits: int, base: float, offset: float = 0.0) -> Encoding:
    """Return an encoding by its name.

    Parameters
    ----------
    name : {"adaptive", "published", "signed"}
        published: weights base^(k - offset), so that the range follows from the bits and not from C (Pasetto et al.).
        adaptive: weights C base^k / sum_j base^j, so that alpha reaches from 0 to exactly C.
        signed: weights 2 C base^k / sum_j base^j, so that beta reaches from -C to exactly C. At the resolution of 3
        bits for each of alpha and alpha-hat it needs 4, a third fewer variables.
    C : float
        Cost of the SVR, the bound of alpha and alpha-hat; above 0.
    bits : int
        K, at least 1.
    base : float
        B, above 0.
    offset : float
        k0 (published).

    Raises
    ------
    ValueError
        If a value does not hold.
    """
    if C <= 0 or bits < 1 or base <= 0:
        raise ValueError(f"C and base must be above 0 and bits at least 1, found C={C}, base={base}, bits={bits}")
    steps = base ** np.arange(bits)
    if name == "published":
        return Encoding(base**-offset * steps, signed=False)
    if name == "adaptive":
        return Encoding(C / steps.sum() * steps, signed=False)
    if name == "signed":
        return Encoding(2 * C / steps.sum() * steps, signed=True)
    raise ValueError(f"encoding must be adaptive, published or signed, found {name!r}")


GRID = 46
"""Coefficients are multiples of 2^-GRID of the largest force on a spin; what is smaller than half of that is dropped.

Steps of a power of two make the change between bits and spins, which samplers do on their own, exact. Without, what
must cancel leaves rounding noise (1e-17), and samplers that take their lowest temperature from the smallest coefficient
waste most of their sweeps on it.
"""


def build(kernel: Floats, y: Floats, code: Encoding, epsilon: float, xi: float) -> dimod.BinaryQuadraticModel:
    """Return the problem; its energies are those of the formula above, to rounding.

    Parameters
    ----------
    kernel : array of shape (n, n)
        K(x_i, x_j).
    y : array of shape (n,)
        Target.
    code : Encoding
        How variables make dual coefficients.
    epsilon, xi : float
        Half width of the tube, and the penalty on the sum of the coefficients; at least 0.

    Returns
    -------
    dimod.BinaryQuadraticModel
        Over binary variables 0, 1, ... in the order that `Encoding` says.

    Notes
    -----
    Put in spins s = 2 z - 1, whose coefficients need no differences of large numbers: beta = D s / 2 in all encodings,
    D = [P, -P] (pairs) or P (signed) with P = I_n (x) weights^T. With A = K + 2 xi 1 1^T (signed: + 2 epsilon / cap I)
    the energy is 1/8 s^T D^T A D s - y^T D s / 2, plus epsilon 1^T |D| (s + 1) / 2 for pairs.
    """
    n, weights = len(y), code.weights
    matrix = kernel + 2.0 * xi
    if code.signed:
        matrix = matrix + 2.0 * epsilon / code.cap * np.eye(n)
        fields = np.kron(-y, weights) / 2.0
        couplings = np.kron(matrix, np.outer(weights, weights)) / 4.0
        offset = 0.0
    else:
        fields = np.concatenate([np.kron(epsilon - y, weights), np.kron(epsilon + y, weights)]) / 2.0
        block = np.kron(matrix, np.outer(weights, weights)) / 4.0
        couplings = np.block([[block, -block], [-block, block]])
        offset = epsilon * n * float(weights.sum())
    # s^2 = 1: half of the diagonal is constant; the other entries stand twice in the symmetric form
    offset += float(np.trace(couplings)) / 2.0
    couplings = np.triu(couplings, 1)
    couplings += couplings.T
    step = _step(fields, couplings)
    fields, couplings = np.round(fields / step) * step, np.round(couplings / step) * step
    bqm = dimod.BinaryQuadraticModel(len(fields), dimod.BINARY)
    bqm.add_linear_from_array(2.0 * (fields - couplings.sum(axis=1)))
    bqm.add_quadratic_from_dense(4.0 * np.triu(couplings, 1))
    bqm.offset = offset - float(fields.sum()) + float(couplings.sum()) / 2.0
    return bqm


def _step(fields: NDArray[Any], couplings: NDArray[Any]) -> float:
    """Return the power of two of which all coefficients are multiples."""
    _, exponent = np.frexp((np.abs(fields) + np.abs(couplings).sum(axis=1)).max())
    return float(np.ldexp(1.0, int(exponent) - GRID))


HOT, COLD = 3.0, 320.0
"""Inverse temperatures at the ends of an anneal, times the typical force on the most and the least bound spin.

Chosen on problems of four published tables of curves, in all encodings: lower energies than between the sampler's own
temperatures, for 50 and for 300 sweeps, in half to two thirds of the time (docs/qsvr.md).
"""


def beta_range(bqm: dimod.BinaryQuadraticModel) -> tuple[float, float]:
    """Return the inverse temperatures between which a problem is annealed, hot and cold.

    The typical force on a spin is the root of the sum of its squared coefficients: what it meets in a random state.
    """
    linear, (rows, columns, quadratic), _ = bqm.to_numpy_vectors(variable_order=list(bqm.variables))
    n = len(linear)
    fields = linear / 2.0 + (np.bincount(rows, quadratic, n) + np.bincount(columns, quadratic, n)) / 4.0
    squares = np.square(quadratic / 4.0)
    forces = np.sqrt(np.square(fields) + np.bincount(rows, squares, n) + np.bincount(columns, squares, n))
    # a free spin is no reason to stay hot or to get cold
    forces = forces[forces > 0]
    return (HOT / float(forces.max()), COLD / float(forces.min())) if len(forces) else (0.1, 1.0)


def polish(bqm: dimod.BinaryQuadraticModel, states: dimod.SampleSet) -> dimod.SampleSet:
    """Return the local minima in which steepest descent from each of the states ends, in the order of the states.

    Broken chains and noise leave states above their local minimum.
    """
    return SteepestDescentSampler().sample(bqm, initial_states=states, num_reads=len(states))

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
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import dimod

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

    def decode_sizes(self, solutions: NDArray[Any]) -> Floats:
        """Return alpha + alpha-hat, shape (solutions, n), of an encoding in pairs."""
        alpha, alpha_hat = np.split(solutions, 2, axis=1)
        return self._sums(alpha) + self._sums(alpha_hat)

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


def build(kernel: Floats, y: Floats, code: Encoding, epsilon: float, xi: float) -> dimod.BinaryQuadraticModel:
    """Return the problem; its energies are those of `energy`, to rounding.

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
    With beta = l + D z, l = 0 and D = [P, -P] (pairs) or l = -cap and D = P (signed), P = I_n (x) weights^T,
    A = K + 2 xi 1 1^T (signed: + 2 epsilon / cap I), the energy is
    1/2 z^T D^T A D z + (A l - y)^T D z + epsilon 1^T |D| z (pairs only) + l^T A l / 2 - y^T l.
    """
    import dimod

    n, weights = len(y), code.weights
    matrix = kernel + 2.0 * xi
    if code.signed:
        matrix = matrix + 2.0 * epsilon / code.cap * np.eye(n)
        low = np.full(n, -code.cap)
        slope = matrix @ low - y
        linear = np.kron(slope, weights)
        quadratic = np.kron(matrix, np.outer(weights, weights))
        constant = float(low @ (slope - y)) / 2.0
    else:
        linear = np.concatenate([np.kron(epsilon - y, weights), np.kron(epsilon + y, weights)])
        block = np.kron(matrix, np.outer(weights, weights))
        quadratic = np.block([[block, -block], [-block, block]])
        constant = 0.0
    # z^2 = z: half of the diagonal is linear; the other entries stand twice in the symmetric form
    bqm = dimod.BinaryQuadraticModel(len(linear), dimod.BINARY)
    bqm.add_linear_from_array(linear + np.diag(quadratic) / 2.0)
    bqm.add_quadratic_from_dense(np.triu(quadratic, 1))
    bqm.offset = constant
    return bqm


def energy(solutions: NDArray[Any], kernel: Floats, y: Floats, code: Encoding, epsilon: float, xi: float) -> Floats:
    """Return the energies, shape (solutions,), of solutions of shape (solutions, variables), by the formula.

    1/2 sum_ij beta_i beta_j K_ij - sum_i y_i beta_i + xi (sum_i beta_i)^2, plus epsilon sum_i (alpha_i + alpha-hat_i)
    for an encoding in pairs. A signed one has no |beta|; epsilon sum_i beta_i^2 / cap stands in for it, which is the
    same at 0 and at +-cap.
    """
    beta = code.decode(solutions)
    tube = beta**2 / code.cap if code.signed else code.decode_sizes(solutions)
    return np.asarray(
        0.5 * np.einsum("si,ij,sj->s", beta, kernel, beta)
        - beta @ y
        + xi * beta.sum(axis=1) ** 2
        + epsilon * tube.sum(axis=1)
    )

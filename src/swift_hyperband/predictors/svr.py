"""Support vector regression (scikit-learn's NuSVR with an RBF kernel), the classical predictor of the paper.

Source: García Amboage et al., EPJ Web of Conferences 295, 12005 (2024), section 2; Baker et al., arXiv 1705.10823.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from sklearn.svm import NuSVR

from swift_hyperband.predictors.features import Floats
from swift_hyperband.predictors.kernel_machine import KernelMachine, Solution, leave_one_out, train
from swift_hyperband.predictors.settings import PredictorSettings

try:
    from sklearn.svm import _libsvm
except ImportError:  # a private module: without it everything below is the same, and slower
    _libsvm = None

Solver = Callable[[Floats, Floats, float, float, float], Solution]


def fit(settings: PredictorSettings, curves: Floats, ends: Floats) -> KernelMachine:
    """Fit a NuSVR to finite curves of shape (n, epochs seen) and their ends of shape (n,), in losses.

    The standard error comes from leaving out each curve in turn, scaling included.
    """
    solve_ = _fastest()

    def solve(x: Floats, y: Floats) -> Solution:
        # as x.var(), bit for bit, without its checks
        apart = x - np.add.reduce(x, axis=None) / x.size
        variance = float(np.add.reduce(apart * apart, axis=None) / x.size)
        return solve_(x, y, settings.C, settings.nu, 1.0 / (x.shape[1] * variance) if variance > 0 else 1.0)

    return train(settings, curves, ends, solve, lambda: leave_one_out(settings, curves, ends, solve))


@cache
def _fastest() -> Solver:
    """Return `_solve_directly` if it solves a small problem as `_solve` does, else `_solve`; checked once a process.

    scikit-learn may change its private function in any version: its parameters, or the order of its results.
    """
    if _libsvm is None:
        return _solve
    rng = np.random.default_rng(0)
    problem = rng.normal(size=(8, 3)), rng.normal(size=8), 1.0, 0.5, 0.3
    try:
        found, expected = _solve_directly(*problem), _solve(*problem)
        same = [np.array_equal(np.asarray(one), np.asarray(other)) for one, other in zip(found, expected, strict=True)]
    # whatever another version of a private function may raise
    except Exception:
        return _solve
    return _solve_directly if all(same) else _solve


def _solve(x: Floats, y: Floats, C: float, nu: float, gamma: float) -> Solution:
    model = NuSVR(C=C, nu=nu, kernel="rbf", gamma=gamma).fit(x, y)
    return Solution(
        np.asarray(model.support_vectors_), np.asarray(model.dual_coef_)[0], float(model.intercept_[0]), gamma
    )


@cache
def _ones(n: int) -> Floats:
    return np.ones(n)


def _solve_directly(x: Floats, y: Floats, C: float, nu: float, gamma: float) -> Solution:
    """Solve as `_solve` does, bit for bit, without the checks around libsvm, which take fifteen times its own time."""
    _libsvm.set_verbosity_wrap(0)
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    _, support, _, coefficients, intercept, *_ = _libsvm.fit(
        x, y, svm_type=4, kernel="rbf", C=C, nu=nu, gamma=gamma, sample_weight=_ones(len(x))
    )
    return Solution(support, coefficients[0], float(intercept[0]), gamma)

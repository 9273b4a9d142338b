"""Support vector regression on an annealer, the predictor of Quantum-Swift-Hyperband.

Source: García Amboage et al., EPJ Web of Conferences 295, 12005 (2024), section 4; formulas in `annealing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.svm import SVR

from swift_hyperband.annealing import qubo
from swift_hyperband.annealing.qsvr import QSVR, divide
from swift_hyperband.annealing.samplers import minimiser
from swift_hyperband.annealing.settings import QsvrSettings
from swift_hyperband.base import keys
from swift_hyperband.predictors.features import Floats
from swift_hyperband.predictors.kernel_machine import KernelMachine, Solution, Solve, leave_one_out, train
from swift_hyperband.predictors.settings import PredictorSettings


def solver(settings: PredictorSettings, label: str = "", kept: Path | None = None) -> Solve:
    """Return a fit of the QSVR on the sampler that the settings name.

    Parameters
    ----------
    settings : PredictorSettings
        With the cost C, how the problem is put (`qsvr`) and what minimises it (`sampler`).
    label : str
        Name of the fit, by which a remote sampler's answer is found again.
    kept : Path, optional
        Folder in which the answers of remote samplers are kept.

    Returns
    -------
    Solve
        It raises UserError if the sampler cannot be had or cannot answer.
    """
    model = QSVR(
        C=settings.C,
        sampler=minimiser(settings.sampler, label, kept),
        # a user's own sampler may be an annealer with noise and chains, as a QPU is; descending costs nothing
        polish=":" in settings.sampler.name,
        **keys.values(settings.qsvr),
    )

    def solve(x: Floats, y: Floats) -> Solution:
        model.fit(x, y)
        return Solution(model.support_vectors_, model.dual_coef_[0], float(model.intercept_[0]), model.gamma_)

    return solve


def fit(settings: PredictorSettings, curves: Floats, ends: Floats, solve: Solve | None = None) -> KernelMachine:
    """Fit a QSVR to finite curves of shape (n, epochs seen) and their ends of shape (n,), in losses.

    An ensemble is stored as one machine, which their mean is: all share scaling and gamma. The standard error is that
    of `classical`, leaving out each curve in turn: the two predict alike, and n more problems for an annealer would
    cost n times what the fit costs.

    Parameters
    ----------
    settings : PredictorSettings
        With the settings of the QSVR.
    curves, ends : arrays
    solve : Solve, optional
        What `solver` returned; without, the sampler of the settings is asked under no label.

    Raises
    ------
    UserError
        If the sampler cannot be had or cannot answer.
    """

    def standard_errors() -> Iterator[float]:
        return leave_one_out(settings, curves, ends, classical(settings.C, settings.qsvr))

    return train(settings, curves, ends, solve or solver(settings), standard_errors)


def classical(C: float, qsvr: QsvrSettings) -> Solve:
    """Return the SVR that a QSVR approximates: equal bound of the coefficients, epsilon, gamma and division."""
    cap = qubo.encoding(qsvr.encoding, C, qsvr.bits, qsvr.base, qsvr.offset).cap

    def solve(x: Floats, y: Floats) -> Solution:
        variance = float(x.var())
        scale = 1.0 / (x.shape[1] * variance) if variance > 0 else 1.0
        gamma = scale if qsvr.gamma == "scale" else qsvr.gamma
        parts = divide(y, qsvr.max_samples, qsvr.too_many)
        models = [SVR(C=cap, epsilon=qsvr.epsilon, gamma=gamma).fit(x[part], y[part]) for part in parts]
        return Solution(
            np.concatenate([model.support_vectors_ for model in models]),
            np.concatenate([model.dual_coef_[0] for model in models]) / len(models),
            float(np.mean([model.intercept_[0] for model in models])),
            gamma,
        )

    return solve

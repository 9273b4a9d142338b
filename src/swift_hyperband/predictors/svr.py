"""Support vector regression (scikit-learn's NuSVR with an RBF kernel), the classical predictor of the paper.

Source: García Amboage et al., EPJ Web of Conferences 295, 12005 (2024), section 2; Baker et al., arXiv 1705.10823.
"""

from __future__ import annotations

import numpy as np
from sklearn.svm import NuSVR

from swift_hyperband.predictors.features import Floats
from swift_hyperband.predictors.kernel_machine import KernelMachine, Solution, leave_one_out, train
from swift_hyperband.predictors.settings import PredictorSettings


def fit(settings: PredictorSettings, curves: Floats, ends: Floats) -> KernelMachine:
    """Fit a NuSVR to finite curves of shape (n, epochs seen) and their ends of shape (n,), in losses.

    The standard error comes from leaving out each curve in turn, scaling included; n small fits cost milliseconds.
    """

    def solve(x: Floats, y: Floats) -> Solution:
        variance = float(x.var())
        gamma = 1.0 / (x.shape[1] * variance) if variance > 0 else 1.0
        model = NuSVR(C=settings.C, nu=settings.nu, kernel="rbf", gamma=gamma).fit(x, y)
        return Solution(
            np.asarray(model.support_vectors_), np.asarray(model.dual_coef_)[0], float(model.intercept_[0]), gamma
        )

    sigma = leave_one_out(settings, curves, ends, solve)
    return train(settings, curves, ends, solve, sigma)

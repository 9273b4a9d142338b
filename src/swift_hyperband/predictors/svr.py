"""Support vector regression (scikit-learn's NuSVR with an RBF kernel), the classical predictor of the paper.

Source: García Amboage et al., EPJ Web of Conferences 295, 12005 (2024), section 2; Baker et al., arXiv 1705.10823.
"""

from __future__ import annotations

import numpy as np
from sklearn.svm import NuSVR

from swift_hyperband.predictors.features import Floats, Scaling, features
from swift_hyperband.predictors.kernel_machine import KernelMachine
from swift_hyperband.predictors.settings import PredictorSettings


def fit(settings: PredictorSettings, curves: Floats, ends: Floats) -> KernelMachine:
    """Fit a NuSVR to finite curves of shape (n, epochs seen) and their ends of shape (n,), in losses.

    The standard error comes from leaving out each curve in turn, scaling included; n small fits cost milliseconds.
    """
    errors = []
    for i in range(len(ends)):
        others = _machine(settings, np.delete(curves, i, axis=0), np.delete(ends, i), sigma=0.0)
        errors.append(float(others.predict(curves[i : i + 1])[0] - ends[i]))
    return _machine(settings, curves, ends, sigma=float(np.sqrt(np.mean(np.square(errors)))))


def _machine(settings: PredictorSettings, curves: Floats, ends: Floats, sigma: float) -> KernelMachine:
    target = (ends - curves[:, -1] if settings.target == "change" else ends)[:, None]
    columns = features(settings, curves)
    inputs, output = Scaling.of(settings, columns), Scaling.of(settings, target)
    x, y = inputs.apply(columns), output.apply(target)[:, 0]
    variance = float(x.var())
    gamma = 1.0 / (x.shape[1] * variance) if variance > 0 else 1.0
    model = NuSVR(C=settings.C, nu=settings.nu, kernel="rbf", gamma=gamma).fit(x, y)
    return KernelMachine(
        settings=settings,
        support=np.asarray(model.support_vectors_),
        coefficients=np.asarray(model.dual_coef_)[0],
        intercept=float(model.intercept_[0]),
        gamma=gamma,
        inputs=inputs,
        output=output,
        sigma=sigma,
    )

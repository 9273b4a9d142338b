"""The settings of a predictor, as the study file gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from swift_hyperband.annealing.settings import QsvrSettings, SamplerSettings


@dataclass(frozen=True)
class PredictorSettings:
    """Which predictor decides, and how it sees curves.

    Attributes
    ----------
    name : {"svr", "qsvr", "last-value"}
    target : {"change", "value"}
        What is predicted: the change from the decision point to the round's end, or the loss there (published).
    features : {"differences", "values"}
        The curve as the last seen loss and the changes from epoch to epoch, or as the losses themselves (published).
    scaling : {"robust", "minmax"}
        Of features and target: median and interquartile range, or minimum and maximum (published).
    C, nu : float
        Cost of the support vector regressions, and nu of the classical one (NuSVR, RBF kernel, gamma =
        1 / (features * variance)).
    qsvr, sampler : QsvrSettings, SamplerSettings or None
        How the QSVR is put as a QUBO, and what minimises it; None for other predictors.
    """

    name: Literal["svr", "qsvr", "last-value"]
    target: Literal["change", "value"]
    features: Literal["differences", "values"]
    scaling: Literal["robust", "minmax"]
    C: float
    nu: float
    qsvr: QsvrSettings | None = None
    sampler: SamplerSettings | None = None

"""The settings of a predictor, as the study file gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PredictorSettings:
    """Which predictor decides, and how it sees curves.

    Attributes
    ----------
    name : {"svr", "last-value"}
    target : {"change", "value"}
        What is predicted: the change from the decision point to the round's end, or the loss there (published).
    features : {"differences", "values"}
        The curve as the last seen loss and the changes from epoch to epoch, or as the losses themselves (published).
    scaling : {"robust", "minmax"}
        Of features and target: median and interquartile range, or minimum and maximum (published).
    C, nu : float
        Cost and nu of the support vector regression (NuSVR, RBF kernel, gamma = 1 / (features * variance)).
    """

    name: Literal["svr", "last-value"]
    target: Literal["change", "value"]
    features: Literal["differences", "values"]
    scaling: Literal["robust", "minmax"]
    C: float
    nu: float

"""The settings of a predictor: the section `predictor` of the study file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from swift_hyperband.annealing.settings import QsvrSettings, SamplerSettings
from swift_hyperband.base.keys import key


@dataclass(frozen=True)
class PredictorSettings:
    """The predictor of the end of a learning curve."""

    name: Literal["linear", "svr", "qsvr", "last-value"] = key(
        "linear",
        "Linear regression, support vector regression, the same on an annealer, or the last seen value as a baseline.",
    )
    target: Literal["change", "value"] = key(
        "change", "The predicted quantity: the change to the round's end, or the value there."
    )
    features: Literal["differences", "values"] = key(
        "differences", "Features of a curve: changes from epoch to epoch, or values."
    )
    scaling: Literal["robust", "minmax"] = key("robust", "Scaling by median and quartiles, or by minimum and maximum.")
    C: float = key(1.0, "Cost of the support vector regression.", ge=1e-6, le=1e6)
    nu: float = key(0.5, "Least share of support vectors (svr).", gt=0, le=1)
    values: Literal["log", "loss"] = key(
        "log", "Whether curves of positive losses are learned as logarithms; others never are."
    )
    errors: Literal["each", "common"] = key(
        "each",
        "Whether each prediction has its own standard error, larger for curves unlike those learned from, or all the "
        "same.",
    )
    fewest_curves: int = key(5, "With fewer sound curves no predictor is fitted, and no trial is stopped.", ge=3)
    # In the published tables no loss of any epoch is farther than 10. A loss that starts at chance or spans some orders
    # of magnitude does not come near it; an explosion passes it within a few epochs.
    far: float = key(
        1e6,
        "Distance above the middle loss from which a finite loss counts as diverged, in units of the better half's "
        "spread, or size.",
        ge=1e3,
        le=1e12,
    )
    qsvr: QsvrSettings = key(QsvrSettings(), "The QUBO of a QSVR.")
    sampler: SamplerSettings = key(SamplerSettings(), "The sampler that minimises it.")

    @property
    def anneals(self) -> bool:
        """Whether `qsvr` and `sampler` are used."""
        return self.name == "qsvr"

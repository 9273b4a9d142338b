"""The sections of the study file: their keys, defaults, presets and what must hold within each."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from swift_hyperband.annealing.settings import QsvrSettings, SamplerSettings
from swift_hyperband.base.errors import InvalidKeysError
from swift_hyperband.search.schedule import s_max
from swift_hyperband.study.checks import (
    LONGEST_JOB,
    sampler_name,
    scale_or_number,
)
from swift_hyperband.study.presets import PRESETS
from swift_hyperband.study.section import Section

_QSVR, _SAMPLER = QsvrSettings(), SamplerSettings()
_SWIFT, _PREDICTOR = PRESETS["default"]["swift"], PRESETS["default"]["predictor"]


ALGORITHMS = {
    "random": "Random search",
    "predicted-random": "Random search with a predictor",
    "hyperband": "Hyperband",
    "swift-hyperband": "Swift-Hyperband",
}
"""The algorithms that the workflow runs, as pictures and tables name them."""


class Search(Section):
    """The algorithm and its size."""

    algorithm: Literal["random", "predicted-random", "hyperband", "swift-hyperband"] = Field(
        default="swift-hyperband",
        description="swift-hyperband, hyperband, or a random search, with or without a predictor that stops trials.",
    )
    max_epochs: int = Field(description="R, the most epochs that any trial trains; at least eta.")
    eta: int = Field(default=3, ge=2, description="One in eta trials is promoted from a round to the next.")
    trials: int | None = Field(
        default=None, ge=1, description="Trials of a random search; null: what Hyperband's epochs pay for."
    )
    full: int | None = Field(
        default=None,
        ge=3,
        description="How many of them train fully, whatever is predicted (predicted-random); null: swift.d.",
    )
    seed: int = Field(default=0, ge=0, description="Seed of all configurations and trainings.")
    brackets: list[int] | None = Field(
        default=None, description="Which brackets to run, as numbers from 0 (no early stopping) up; null for all."
    )

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if self.max_epochs < self.eta:
            raise InvalidKeysError(("max_epochs", f"must be at least eta ({self.eta}), found {self.max_epochs}"))
        random = self.algorithm in ("random", "predicted-random")
        if random and self.brackets is not None:
            raise InvalidKeysError(("brackets", f"must be left out with algorithm {self.algorithm}, which has none"))
        for key, fits in {"trials": random, "full": self.algorithm == "predicted-random"}.items():
            if getattr(self, key) is not None and not fits:
                raise InvalidKeysError(
                    (key, f"must be left out with algorithm {self.algorithm}, whose size follows from max_epochs")
                )
        if self.trials is not None and self.full is not None and self.trials <= self.full:
            raise InvalidKeysError(("trials", f"must be more than full ({self.full}), found {self.trials}"))
        if self.brackets == []:
            raise InvalidKeysError(("brackets", "must hold at least one bracket, found none; leave it out for all"))
        top = s_max(self.max_epochs, self.eta)
        for number, bracket in enumerate(self.brackets or ()):
            if not 0 <= bracket <= top:
                sizes = f"max_epochs {self.max_epochs} and eta {self.eta}"
                raise InvalidKeysError(("brackets", f"must be from 0 to {top} for {sizes}, found {bracket}"))
            if bracket in (self.brackets or ())[:number]:
                raise InvalidKeysError(("brackets", f"must hold each bracket once, found {bracket} twice"))
        return self


class Swift(Section):
    """How Swift-Hyperband stops trials by prediction."""

    preset: Literal["default", "published"] = Field(
        default="default",
        description="Fills what swift and predictor leave out; published: exactly the settings of the paper.",
    )
    d: int = Field(default=_SWIFT["d"], ge=3, description="Fewest curves to fit a predictor.")
    k: float = Field(
        default=_SWIFT["k"],
        gt=0,
        le=1,
        description="At least this share of the promoted number of trials trains fully; used with threshold quantile.",
    )
    decision_fraction: float = Field(
        default=_SWIFT["decision_fraction"],
        gt=0,
        le=1,
        description="Where the decision lies between a round's start and end.",
    )
    threshold: Literal["promotion", "quantile"] = Field(
        default=_SWIFT["threshold"],
        description="What a prediction must beat: the last value that would be promoted, or a quantile.",
    )
    threshold_quantile: float = Field(
        default=_SWIFT["threshold_quantile"],
        ge=0,
        le=1,
        description="That quantile, of the losses of the trials that train fully; used with threshold quantile.",
    )
    margin: float = Field(
        default=_SWIFT["margin"],
        ge=0,
        le=1e6,
        description="Benefit of the doubt in a prediction, in standard errors of the predictor; twice after round 0.",
    )
    share_curves: bool = Field(
        default=_SWIFT["share_curves"],
        description="Whether brackets learn from each other's curves: saves epochs, takes longer with many workers.",
    )
    extra: float = Field(
        default=_SWIFT["extra"],
        ge=0,
        le=100,
        description="How many more configurations than Hyperband's the last three brackets start with, as a share.",
    )
    pay_extra: bool = Field(
        default=True,
        description="Whether a search that can save little (under 30 %) starts only extra ones that are paid for by "
        "trials that stop in any case: it never trains more than Hyperband.",
    )


class Qsvr(Section):
    """How the support vector regression is put as a QUBO; docs/qsvr.md has the formulas."""

    epsilon: float = Field(
        default=_QSVR.epsilon, ge=0, le=1e6, description="Half width of the tube without loss, scaled."
    )
    xi: float = Field(default=_QSVR.xi, gt=0, le=1e6, description="Penalty on the sum of the dual coefficients.")
    gamma: Annotated[Literal["scale"] | Annotated[float, Field(gt=0)], BeforeValidator(scale_or_number)] = Field(
        default=_QSVR.gamma, description="Of the RBF kernel; scale is 1 / (features * variance)."
    )
    encoding: Literal["adaptive", "published", "signed"] = Field(
        default=_QSVR.encoding, description="How bits make a coefficient; signed takes a third fewer variables."
    )
    bits: int = Field(default=_QSVR.bits, ge=1, le=12, description="Bits for each of alpha and alpha-hat.")
    base: float = Field(
        default=_QSVR.base, ge=0.01, le=100, description="How much more each bit counts than the one before."
    )
    offset: float = Field(
        default=_QSVR.offset, ge=-12, le=12, description="Of the exponent, in the published encoding."
    )
    top: int = Field(default=_QSVR.top, ge=1, description="How many of the best solutions are averaged.")
    max_samples: int = Field(default=_QSVR.max_samples, ge=3, description="Training curves that the sampler holds.")
    too_many: Literal["ensemble", "subset"] = Field(
        default=_QSVR.too_many, description="With more curves: the mean of several QSVRs, or one of a subset."
    )


class Sampler(Section):
    """What minimises the QUBO."""

    name: Annotated[str, AfterValidator(sampler_name)] = Field(
        default=_SAMPLER.name,
        description="simulated-annealing, tabu, steepest-descent, exact, qpu, hybrid, or module:Class (dimod.Sampler).",
    )
    num_reads: int = Field(default=_SAMPLER.num_reads, ge=1, description="Solutions asked for.")
    sweeps: int = Field(
        default=_SAMPLER.sweeps,
        ge=1,
        description="Sweeps a solution (simulated-annealing, module:Class if it takes them).",
    )
    solver: str | None = Field(default=None, description="Name of the solver (qpu, hybrid); null: the client's choice.")
    annealing_time: float | None = Field(
        default=None, gt=0, description="Microseconds (qpu); null: the solver's default."
    )
    chain_strength: float = Field(
        default=_SAMPLER.chain_strength, gt=0, le=1e6, description="As a multiple of uniform torque compensation (qpu)."
    )
    timeout: float = Field(
        default=_SAMPLER.timeout, gt=0, description="Seconds until an answer must be there (qpu, hybrid)."
    )


class Predictor(Section):
    """What predicts the end of a learning curve."""

    name: Literal["svr", "qsvr", "last-value"] = Field(
        default=_PREDICTOR["name"],
        description="Support vector regression, the same on an annealer, or the last seen value as a baseline.",
    )
    target: Literal["change", "value"] = Field(
        default=_PREDICTOR["target"],
        description="What is predicted: the change to the round's end, or the value there.",
    )
    features: Literal["differences", "values"] = Field(
        default=_PREDICTOR["features"], description="How it sees a curve: as changes from epoch to epoch, or as values."
    )
    scaling: Literal["robust", "minmax"] = Field(
        default=_PREDICTOR["scaling"], description="Scaling by median and quartiles, or by minimum and maximum."
    )
    C: float = Field(default=_PREDICTOR["C"], ge=1e-6, le=1e6, description="Cost of the support vector regression.")
    nu: float = Field(default=_PREDICTOR["nu"], gt=0, le=1, description="Least share of support vectors (svr).")
    qsvr: Qsvr = Field(default_factory=Qsvr, description="How a QSVR is put as a QUBO.")
    sampler: Sampler = Field(default_factory=Sampler, description="What minimises it.")


class Budget(Section):
    """What a search may spend."""

    annealer_seconds: float | None = Field(
        default=None, ge=0, description="Annealer time that all fits together may take (qpu, hybrid); null: any."
    )


class Resources(Section):
    """What a training job needs."""

    workers: int = Field(
        default=2,
        ge=1,
        description="Training jobs at a time at most, here and on a cluster; batch_size auto makes so many of a round.",
    )
    mem_mb: int = Field(default=2000, ge=1, description="Memory of a training job, in MB.")
    runtime: int = Field(default=60, ge=1, le=LONGEST_JOB, description="Time limit of a training job, in minutes.")
    gpus: int = Field(default=0, ge=0, description="GPUs of a training job.")
    gpus_required: bool = Field(
        default=True, description="Whether a job with gpus that sees none is refused, and does not train on the CPU."
    )
    side_by_side: int = Field(
        default=1, ge=1, description="Trials that train at the same time in a job, on its cores or its GPU."
    )
    seconds_per_epoch: float | None = Field(
        default=None,
        gt=0,
        le=1e8,
        description="How long an epoch takes, for the plan and batch_size; null: as measured.",
    )

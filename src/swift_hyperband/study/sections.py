"""Sections of the study file with keys that only the study reads: `search`, `budget` and `resources`.

`swift` and `predictor` are made of the dataclasses `SwiftSettings` and `PredictorSettings`.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from swift_hyperband.base.errors import InvalidKeysError
from swift_hyperband.search.algorithms import ALGORITHMS, Name
from swift_hyperband.search.sampling import Sampling
from swift_hyperband.search.schedule import s_max
from swift_hyperband.study.checks import LONGEST_JOB
from swift_hyperband.study.section import Section
from swift_hyperband.study.space import AnyScalar


class Search(Section):
    """The algorithm and its size."""

    algorithm: Name = Field(
        default="swift-hyperband",
        description="In rounds: swift-hyperband, hyperband, or a baseline (a random search, with or without a "
        "predictor that stops trials; one epoch for all and then the best in full). Without rounds: asha, swift-asha, "
        "fast-hyperband, adaptive-hyperband.",
    )
    max_epochs: int = Field(description="R, the most epochs that any trial trains; at least eta.")
    eta: int = Field(default=3, ge=2, description="One in eta trials is promoted from a round to the next.")
    trials: int | None = Field(
        default=None,
        ge=1,
        description="Trials of a random search; null: as many as Hyperband's epochs pay for (one-epoch: as it has).",
    )
    full: int | None = Field(
        default=None,
        ge=1,
        description="Number of trials that train fully: without a decision (predicted-random, at least 3; null: "
        "swift.d) or as the best after one epoch (one-epoch; null: 3).",
    )
    seed: int = Field(default=0, ge=0, description="Seed of all configurations and trainings.")
    seed_per_trial: bool = Field(
        default=False,
        description="Whether each target is given a seed of its trial's own ({seed} of a program), not the study's; "
        "the seeded draws of an epoch differ from trial to trial in any case.",
    )
    sampling: Sampling = Field(
        default="random",
        description="random: configurations follow from the seed; tpe, bohb: two in three are drawn by a model of the "
        "curves of all earlier brackets, which then run one after another (without rounds: of the curves so far).",
    )
    brackets: list[int] | None = Field(
        default=None, description="The brackets to run, as numbers from 0 (no early stopping) up; null for all."
    )
    first: list[dict[str, AnyScalar]] = Field(
        # not `list`: reading the signature of a builtin costs as much as the model
        default_factory=lambda: [],  # noqa: PIE807
        description="Configurations that compete from the start, such as the one in use now: mappings of all "
        "hyperparameters. They take the first slots of the first bracket, in the place of random draws.",
    )
    imported: str | None = Field(
        default=None,
        description="A file of earlier trials, as `swift-hyperband import` writes it: their curves teach the "
        "predictors of a search in rounds, and the model that draws (sampling). Its content defines the study.",
    )

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if self.max_epochs < self.eta:
            raise InvalidKeysError(("max_epochs", f"must be at least eta ({self.eta}), found {self.max_epochs}"))
        algorithm = ALGORITHMS[self.algorithm]
        if algorithm.random and self.brackets is not None:
            raise InvalidKeysError(("brackets", f"must be left out with algorithm {self.algorithm}, which has none"))
        why = "of which all trials train fully" if algorithm.random else "whose size follows from max_epochs"
        for key, fits in {"trials": algorithm.random, "full": algorithm.has_full}.items():
            if getattr(self, key) is not None and not fits:
                raise InvalidKeysError((key, f"must be left out with algorithm {self.algorithm}, {why}"))
        if algorithm.predicts and self.full is not None and self.full < 3:
            raise InvalidKeysError(("full", f"must be at least 3 with algorithm {self.algorithm}, found {self.full}"))
        if self.trials is not None and self.full is not None and self.trials <= self.full:
            raise InvalidKeysError(("trials", f"must be more than full ({self.full}), found {self.trials}"))
        if self.sampling != "random" and algorithm.random:
            found = f"must be random with algorithm {self.algorithm}, which has one bracket, found {self.sampling}"
            raise InvalidKeysError(("sampling", found))
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


class Budget(Section):
    """What a search may spend."""

    annealer_seconds: float | None = Field(
        default=None, ge=0, description="Most annealer time of all fits together (qpu, hybrid); null: unlimited."
    )


class Resources(Section):
    """What a training job needs."""

    workers: int = Field(
        default=2,
        ge=1,
        description="Most training jobs at a time, here and on a cluster; batch_size auto makes as many from a round.",
    )
    mem_mb: int = Field(default=2000, ge=1, description="Memory of a training job, in MB.")
    runtime: int = Field(default=60, ge=1, le=LONGEST_JOB, description="Time limit of a training job, in minutes.")
    gpus: int = Field(default=0, ge=0, description="GPUs of a training job.")
    gpus_required: bool = Field(
        default=True, description="Whether a job with gpus that sees no GPU is refused instead of training on the CPU."
    )
    side_by_side: int = Field(
        default=1, ge=1, description="Trials that train at the same time in a job, on its cores or its GPU."
    )
    seconds_per_epoch: float | None = Field(
        default=None,
        gt=0,
        le=1e8,
        description="Seconds of an epoch, for the plan and batch_size; null: as measured.",
    )

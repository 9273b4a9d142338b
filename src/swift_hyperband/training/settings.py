"""The settings of a study that the training of its trials needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swift_hyperband.base.metric import At, Metric, Mode
from swift_hyperband.targets import COMMAND
from swift_hyperband.training import reproducible

COMMAND_KEYS = ("command", "first_command", "metrics", "metric", "resumable", "piece")
"""Of the section `target` of a study whose target is a program."""


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of all trainings of a study.

    Attributes
    ----------
    target : str
        The target's name, as `swift_hyperband.targets.load_class` takes it.
    options : dict
        Handed to the target.
    metric : str
        The metric of the search; `validate` must return it.
    threads : int
        CPU threads of one trial.
    seed : int
        The study's seed; every random draw of an epoch follows from seed, trial and epoch.
    retries : int
        How often a trial is started again after crashes that gained no epoch, before it counts as failed.
    save_every : int
        Epochs from one saved state to the next.
    max_epochs : int
        The last epoch of the study, over which a learning rate's schedule must be spread.
    give_up_after : int
        The search stops if so many trials crash alike before their first epoch and no trial gets further; 0: never.
    mode, metric_at : str
        As `base.metric.Metric` has them; where the best epoch counts, its state is kept.
    live : sequence of str
        Tools that are told of each epoch while trials train: "tensorboard".
    seed_per_trial : bool
        Whether targets are given a seed of their trial's own.
    """

    target: str
    options: dict[str, Any]
    metric: str
    threads: int
    seed: int
    retries: int
    save_every: int = 1
    max_epochs: int = 1
    give_up_after: int = 0
    mode: Mode = "min"
    metric_at: At = "last"
    live: Sequence[str] = ()
    seed_per_trial: bool = False

    def seed_of(self, trial: str) -> int:
        """Return the seed that the target of a trial is given."""
        return reproducible.number(self.seed, trial) if self.seed_per_trial else self.seed

    @property
    def counted(self) -> Metric:
        """Return the metric of the search, which tells the epoch that counts."""
        return Metric(self.metric, self.mode, self.metric_at)

    @classmethod
    def from_study_json(
        cls,
        study: Mapping[str, Any],
        retries: int,
        save_every: int = 1,
        give_up_after: int = 0,
        live: Sequence[str] = (),
    ) -> TrainingSettings:
        """Return the settings of a frozen study, given the definition in its study.json."""
        target = study["target"]
        metric = Metric.of_target(target)
        options = dict(target["options"])
        if target["name"] is None:
            options["command"] = {key: target[key] for key in COMMAND_KEYS}
        return cls(
            target=target["name"] or COMMAND,
            options=options,
            metric=metric.name,
            threads=target["threads"],
            seed=study["search"]["seed"],
            retries=retries,
            save_every=save_every,
            max_epochs=study["search"]["max_epochs"],
            give_up_after=give_up_after,
            mode=metric.mode,
            metric_at=metric.at,
            live=tuple(live),
            seed_per_trial=study["search"].get("seed_per_trial", False),
        )

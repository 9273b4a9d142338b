"""The trials of a search as other tools want them: what was drawn, measured and decided, and when."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import RESERVED, Metric
from swift_hyperband.results.history import History, TrialHistory
from swift_hyperband.results.standing import Fate, fates, lost
from swift_hyperband.search.decisions import rank
from swift_hyperband.space.parameters import Hyperparameter

GOES_ON = (Fate.RUNNING, Fate.PROMOTED, Fate.WAITING)
"""Fates of trials that train, or wait for the next round or for their first epoch."""
LOST = (Fate.FAILED, Fate.DIVERGED)


@dataclass(frozen=True)
class Trial:
    """One trial.

    Attributes
    ----------
    trial : str
    bracket, slot : int
    configuration : mapping
        Active hyperparameters only.
    rows : sequence of mapping
        The metrics after each epoch, by name; nan where not finite.
    seconds : sequence of float
        How long each epoch took; nan where not known.
    begins, ends : sequence of float
        When each epoch began and ended, in seconds since 1970; nan where not known.
    fate : Fate
    epoch : int or None
        The epoch that counts: the last one, or the best one (`target.metric_at`); None for a trial that failed,
        diverged or has no epoch.
    value : float or None
        The metric of the search at that epoch.
    """

    trial: str
    bracket: int
    slot: int
    configuration: Mapping[str, Any]
    rows: Sequence[Mapping[str, float]]
    seconds: Sequence[float]
    begins: Sequence[float]
    ends: Sequence[float]
    fate: Fate
    epoch: int | None
    value: float | None

    @property
    def began(self) -> float:
        """When its first epoch began; nan if that is not known."""
        return self.begins[0] if self.begins else math.nan

    @property
    def ended(self) -> float:
        """When its last epoch ended; nan if that is not known."""
        return self.ends[-1] if self.ends else math.nan


@dataclass(frozen=True)
class Search:
    """A search, running or finished.

    Attributes
    ----------
    name : str
    folder : Path
    metric : Metric
    metrics : sequence of str
        Names of all metrics of the target; that of the search is the first.
    space : mapping
        Hyperparameters by name.
    definition : mapping
        The frozen study.
    finished : bool
    every : sequence of str
        All its trials, which may be more than are exported.
    trials : sequence of Trial
        In the order in which they began; those of which that is not known are the last.
    """

    name: str
    folder: Path
    metric: Metric
    metrics: Sequence[str]
    space: Mapping[str, Hyperparameter]
    definition: Mapping[str, Any]
    finished: bool
    every: Sequence[str]
    trials: Sequence[Trial]

    @classmethod
    def of(cls, history: History) -> Self:
        """Return what a history holds."""
        study = history.study
        fate = fates(history)
        trials = [_trial(history, trial, fate[trial.trial]) for trial in history.trials.values()]
        names = {name for trial in trials for row in trial.rows for name in row}
        return cls(
            name=study.name,
            folder=history.folder.path,
            metric=study.metric,
            metrics=[study.metric.name, *sorted(names - {study.metric.name})],
            space={name: keys.core() for name, keys in study.space.items()},
            definition=study.definition(),
            finished=history.finished,
            every=list(history.trials),
            trials=sorted(trials, key=lambda trial: math.inf if math.isnan(trial.began) else trial.began),
        )

    def best(self, number: int) -> Self:
        """Return the same search with its best trials alone, by the epoch that counts of each."""
        values = {trial.trial: self.metric.loss(trial.value) for trial in self.trials if trial.value is not None}
        kept = set(rank(values)[:number])
        return replace(self, trials=[trial for trial in self.trials if trial.trial in kept])

    @property
    def begun(self) -> Sequence[Trial]:
        """Those of the trials that do not wait for their first epoch."""
        return [trial for trial in self.trials if trial.fate is not Fate.WAITING]

    @property
    def place(self) -> Path:
        """The folder of exports, if no other is given."""
        return self.folder / "export"


def _trial(history: History, trial: TrialHistory, fate: Fate) -> Trial:
    metric = history.study.metric
    values = trial.values(metric.name)
    epoch = metric.epoch(values) if values and not lost(history, trial) else None
    seconds = [row.get("seconds", math.nan) for row in trial.curve]
    begins, ends = _times(history.begun(trial.trial), seconds)
    return Trial(
        trial=trial.trial,
        bracket=trial.bracket,
        slot=trial.slot,
        configuration=trial.configuration,
        rows=[{name: value for name, value in row.items() if name not in RESERVED} for row in trial.curve],
        seconds=seconds,
        begins=begins,
        ends=ends,
        fate=fate,
        epoch=epoch,
        value=None if epoch is None else values[epoch - 1],
    )


def _times(begun: Mapping[int, float], seconds: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return when each epoch began and ended."""
    begins: list[float] = []
    ends: list[float] = []
    for epoch, took in enumerate(seconds, 1):
        begin = begun.get(epoch, math.nan)
        if ends and begin < ends[-1]:
            # a program that trains several epochs begins them at once
            begin = ends[-1]
        begins.append(begin)
        ends.append(begin if math.isnan(took) else begin + took)
    return begins, ends


@dataclass(frozen=True)
class Written:
    """What an export has written.

    Attributes
    ----------
    what : str
        For people: "17 trials".
    place : str
    hint : str
        How to open it.
    """

    what: str
    place: str
    hint: str


def sqlite(path: Path) -> str:
    """Return the URL of an SQLite file, as SQLAlchemy takes it, for which a path ends at a question mark.

    Raises
    ------
    UserError
        If the path has one, as another file would be written.
    """
    if "?" in str(path):
        raise UserError(f"--out: must be a file without ? in its path, as it becomes a URL, found {path}")
    return f"sqlite:///{path}"


def counted(number: int, what: str) -> str:
    """Return a number of things, for people."""
    return f"{number} {what}{'' if number == 1 else 's'}"

"""The table of the trials of a search, for the page and for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swift_hyperband.results.history import History
from swift_hyperband.results.standing import Fate, best, fates

LOST = (Fate.DIVERGED, Fate.FAILED)


@dataclass(frozen=True)
class Row:
    """One trial.

    Attributes
    ----------
    rank : int
        From 1, the best first.
    trial : str
    status : Fate
    bracket : int
    epochs : int
        Epochs trained.
    value : float or None
        The metric at the epoch that counts: the last one, or the best one (`target.metric_at`); None without any.
    seconds : float or None
        What its epochs took in all; None where the target's times are not known.
    configuration : mapping
        Hyperparameters by name; inactive ones are not in it.
    """

    rank: int
    trial: str
    status: Fate
    bracket: int
    epochs: int
    value: float | None
    seconds: float | None
    configuration: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return what programs get."""
        return {
            "rank": self.rank,
            "trial": self.trial,
            "status": self.status.value,
            "bracket": self.bracket,
            "epochs": self.epochs,
            "value": self.value,
            "seconds": self.seconds,
            "configuration": dict(self.configuration),
        }


def rows(history: History) -> list[Row]:
    """Return all trials, the best first.

    The best of the search leads. Of the others those that trained further come first, then the better ones, as values
    of different epochs do not compare; trials that failed or diverged come last.
    """
    metric, status, winner = history.study.metric, fates(history), best(history)
    found = []
    for name, trial in history.trials.items():
        values = trial.values(metric.name)
        epoch = metric.epoch(values)
        value = values[epoch - 1] if epoch else math.nan
        gone = status[name] in LOST
        loss = metric.loss(value) if math.isfinite(value) else math.inf
        leads = winner is not None and winner.trial == name
        seconds = [row["seconds"] for row in trial.curve if math.isfinite(row.get("seconds", math.nan))]
        key = (not leads, gone, -len(values), loss, name)
        shown = value if math.isfinite(value) else None
        found.append((key, trial, status[name], shown, math.fsum(seconds) if seconds else None))
    found.sort(key=lambda one: one[0])
    return [
        Row(rank, trial.trial, fate, trial.bracket, len(trial.curve), value, seconds, trial.configuration)
        for rank, (_, trial, fate, value, seconds) in enumerate(found, 1)
    ]


def flat(found: Sequence[Row], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return rows with a key for each hyperparameter, `config_<name>` as in curves.parquet; None where inactive."""
    told = [row.to_json() for row in found]
    return [
        {name: value for name, value in row.items() if name != "configuration"}
        | {f"config_{name}": row["configuration"].get(name) for name in names}
        for row in told
    ]

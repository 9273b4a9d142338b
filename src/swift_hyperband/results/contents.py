"""The files of a study's folder that hold no decision: a class for each kind of file reads and writes it.

Files hold values of the metric as the target reports them, null where one is not finite. Searches use losses, which
are infinite there. The files that hold decisions are in `results.decided`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json, write_json
from swift_hyperband.base.metric import Metric, from_json, to_json
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.training.trial import Trained

if TYPE_CHECKING:
    from swift_hyperband.search import Curve

Content = TypeVar("Content")
Batches = Mapping[str, Sequence[str]]
"""Trials by batch."""

NUMBER = (float, None)
_BATCHES = {str: [str]}


def known(path: Path, read: Callable[[Path], Content]) -> Content | None:
    """Return what `read` reads of a file; None where the file is missing or damaged, so that it is made again.

    Raises
    ------
    UserError
        If a folder lies in its place.
    """
    if not path.exists():
        return None
    try:
        return read(path)
    except UserError:
        if path.is_dir():
            raise
        return None


def as_value(metric: Metric, loss: float | None) -> float | None:
    """Return the value of a loss as files hold it."""
    return None if loss is None else to_json(metric.value(loss))


def as_loss(metric: Metric, value: float | None) -> float:
    """Return the loss of a value that a file holds: infinity for null."""
    return math.inf if value is None else metric.loss(value)


@dataclass(frozen=True)
class Config:
    """config.json: a trial's place in the search, and its hyperparameters; inactive ones are left out."""

    trial: str
    bracket: int
    slot: int
    configuration: Mapping[str, Scalar]

    @classmethod
    def read(cls, path: Path) -> Self:
        stored = read_json(path, {"trial": str, "bracket": int, "slot": int, "configuration": dict})
        return cls(stored["trial"], stored["bracket"], stored["slot"], stored["configuration"])

    def write(self, path: Path) -> None:
        write_json(path, asdict(self))

    def difference(self, drawn: Config) -> str:
        """Return the first key in which a configuration differs from the one that the study draws."""
        inner = "configuration"
        for one, other, place in (
            (self.configuration, drawn.configuration, f"{inner}."),
            ({**vars(self), inner: None}, {**vars(drawn), inner: None}, ""),
        ):
            for key in [*other, *one]:
                if one.get(key) != other.get(key):
                    return f"{place}{key} {json.dumps(one.get(key))} in the place of {json.dumps(other.get(key))}"
        return "another order"


@dataclass(frozen=True)
class Entry:
    """entry.json: the competitors of a round by rank, and the batches in which they train.

    Attributes
    ----------
    competitors : sequence of str
    batches : mapping of {"full", "partial"} to Batches
    epochs : mapping of {"full", "partial"} to int or None
        To which epoch each part trains; None for "partial" where nothing is decided in the round.
    """

    competitors: Sequence[str]
    batches: Mapping[str, Batches]
    epochs: Mapping[str, int | None]

    @classmethod
    def read(cls, path: Path) -> Self:
        batches = {"full": _BATCHES, "partial": _BATCHES}
        stored = read_json(path, {"competitors": [str], "batches": batches, "epochs": {str: (int, None)}})
        return cls(stored["competitors"], stored["batches"], stored["epochs"])

    def write(self, path: Path) -> None:
        write_json(path, {"competitors": list(self.competitors), "batches": self.batches, "epochs": self.epochs})


@dataclass(frozen=True)
class Completion:
    """completion.json: the batches of the partial trials that go on from the decision point, and to which epoch."""

    batches: Batches
    epochs: int

    @classmethod
    def read(cls, path: Path) -> Self:
        stored = read_json(path, {"batches": {"complete": _BATCHES}, "epochs": {"complete": int}})
        return cls(stored["batches"]["complete"], stored["epochs"]["complete"])

    def write(self, path: Path) -> None:
        write_json(path, {"batches": {"complete": self.batches}, "epochs": {"complete": self.epochs}})


@dataclass(frozen=True)
class Batch:
    """full|partial|complete/<batch>.json: what a batch of trials trained, up to an epoch.

    Attributes
    ----------
    epochs : int
    trials : mapping of str to Trained
        Their values up to that epoch.
    """

    epochs: int
    trials: Mapping[str, Trained]

    @classmethod
    def read(cls, path: Path) -> Self:
        stored = read_json(path, {"epochs": int, "trials": {str: {"status": str, "values": [NUMBER]}}})
        trials = {
            trial: Trained(found["status"], [from_json(value) for value in found["values"]])
            for trial, found in stored["trials"].items()
        }
        return cls(stored["epochs"], trials)

    def write(self, path: Path) -> None:
        trials = {
            trial: {"status": cut.status, "values": [to_json(value) for value in cut.values]}
            for trial, trained in self.trials.items()
            if (cut := trained.cut(self.epochs))
        }
        write_json(path, {"epochs": self.epochs, "trials": trials})

    def curves(self, metric: Metric) -> Iterator[tuple[str, Curve]]:
        """Yield each trial with its losses."""
        for trial, trained in self.trials.items():
            yield trial, metric.losses(trained.values)


@dataclass(frozen=True)
class Sampler:
    """annealer/sampler.json: whether the sampler of a search repeats its answers.

    Attributes
    ----------
    sampler : str
        Its name.
    unrepeatable : str or None
        Why another run of the study may decide otherwise; None if the sampler repeats its answers.
    """

    sampler: str
    unrepeatable: str | None

    @classmethod
    def read(cls, path: Path) -> Self:
        stored = read_json(path, {"sampler": str, "unrepeatable": (str, None)})
        return cls(stored["sampler"], stored["unrepeatable"])

    def write(self, path: Path) -> None:
        write_json(path, asdict(self))

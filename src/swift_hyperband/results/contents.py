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
from typing import TYPE_CHECKING, Any, Self, TypeVar

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import AWAY, mismatch, read_json, read_text, write_json, write_text
from swift_hyperband.base.metric import Metric, from_json, to_json
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.study.frozen import FrozenStudy
from swift_hyperband.training import state
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
            trial: {"status": trained.status, "values": [to_json(value) for value in trained.values[: self.epochs]]}
            for trial, trained in self.trials.items()
        }
        write_json(path, {"epochs": self.epochs, "trials": trials})

    def curves(self, metric: Metric) -> Iterator[tuple[str, Curve]]:
        """Yield each trial with its losses."""
        for trial, trained in self.trials.items():
            yield trial, [as_loss(metric, to_json(value)) for value in trained.values]


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


@dataclass(frozen=True)
class Best:
    """best.yaml: the winner of a search. Nothing in it depends on when or where the search ran.

    Attributes
    ----------
    study, metric : str
        Their names.
    value : float
        The winner's metric at the last epoch.
    configuration : dict
    trial : str
    bracket : int or None
        None in a file without it, which is not as it was written.
    epochs : int
    state : str or None
        Where the winner's state lies, if it has one.
    """

    study: str
    metric: str
    value: float
    configuration: Mapping[str, Any]
    trial: str
    bracket: int | None
    epochs: int
    state: str | None

    @classmethod
    def of(cls, folder: StudyFolder, study: FrozenStudy, trial: str, bracket: int, loss: float) -> Self:
        """Return what the file holds if a trial wins with a finite loss."""
        assert math.isfinite(loss)
        states = sorted(folder.trial(trial).glob("state.*"))
        return cls(
            study.name,
            study.metric.name,
            study.metric.value(loss),
            Config.read(folder.config(trial)).configuration,
            trial,
            bracket,
            study.max_epochs,
            str(states[0]) if states else None,
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file.

        Raises
        ------
        UserError
            If it is missing, damaged or holds something else.
        """
        import yaml  # only the end of a search needs it

        advice = "delete the file and start the search again, which writes it anew"
        try:
            content = yaml.safe_load(read_text(path))
        except FileNotFoundError:
            raise UserError(f"{path}: this file is missing; start the search again") from None
        except IsADirectoryError:
            raise UserError(f"{path}: must be a file, found a folder; {AWAY}") from None
        except (yaml.YAMLError, ValueError, RecursionError):
            raise UserError(f"{path}: must be YAML, found something else; {advice}") from None
        needed = {"study": str, "metric": str, "value": float, "configuration": dict, "trial": str, "epochs": int}
        if (wrong := mismatch(content, needed)) is not None:
            raise UserError(f"{path}: {wrong}; {advice}")
        kept = {name: content[name] for name in needed}
        return cls(**kept, bracket=content.get("bracket"), state=content.get("state"))

    def write(self, path: Path) -> None:
        from swift_hyperband.study.yaml_loader import to_yaml  # imports PyYAML

        write_text(path, to_yaml(asdict(self)))


def write_best(folder: StudyFolder, study: FrozenStudy, trial: str, bracket: int, loss: float) -> None:
    """Write best.yaml.

    Raises
    ------
    UserError
        If the winner's state is not what was saved.
    """
    if (found := state.unsound(folder.trial(trial))) is not None:
        raise UserError(f"{found[0]}: must be the state of the best trial, found: {found[1]}; start the search again")
    Best.of(folder, study, trial, bracket, loss).write(folder.best)

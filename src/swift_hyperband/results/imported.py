"""imported.json: earlier trials with their curves, which teach a search's predictors and the model that draws.

`swift-hyperband import` writes such a file, and the key `search.imported` names it. A search has a copy in its folder,
and its definition has the copy's digest: these curves decide as those of the search itself do.
"""

from __future__ import annotations

import functools
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import digest, read_json, whole, write_json
from swift_hyperband.results.contents import NUMBER
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Curve
from swift_hyperband.space import given
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.study.frozen import FrozenStudy
from swift_hyperband.study.imported import DIGEST

if TYPE_CHECKING:
    from swift_hyperband.results.history import History

_SHAPE = {"metric": str, "mode": str, "trials": [{"source": str, "configuration": dict, "values": [NUMBER]}]}


@dataclass(frozen=True)
class ImportedTrial:
    """A trial from elsewhere.

    Attributes
    ----------
    source : str
        Where it comes from, for people.
    configuration : mapping
    values : sequence of float or None
        The metric after epochs 1, 2, ...; None where it is not finite.
    """

    source: str
    configuration: Mapping[str, Scalar]
    values: Sequence[float | None]


@dataclass(frozen=True)
class Imported:
    """The content of the file."""

    metric: str
    mode: str
    trials: Sequence[ImportedTrial]

    @classmethod
    def read(cls, path: Path) -> Self:
        stored = read_json(path, _SHAPE, "write it again with 'swift-hyperband import'")
        return cls(stored["metric"], stored["mode"], [ImportedTrial(**found) for found in stored["trials"]])

    def write(self, path: Path) -> None:
        write_json(path, {"metric": self.metric, "mode": self.mode, "trials": [asdict(found) for found in self.trials]})


@dataclass(frozen=True)
class Teacher:
    """An imported trial as a search sees it: a configuration of its space, and losses up to its last epoch at most."""

    configuration: Mapping[str, Scalar]
    curve: Curve


def teachers(folder: StudyFolder, study: FrozenStudy) -> Mapping[str, Teacher]:
    """Return the imported trials that teach a search, by names that no trial of its own has; none without the key.

    Raises
    ------
    UserError
        If the search's copy of the file is not what the search began with.
    """
    wanted = study.imported
    return {} if wanted is None else _teachers(folder.imported, wanted, json.dumps(study.definition, sort_keys=True))


@functools.lru_cache(maxsize=4)
def _teachers(path: Path, wanted: str, definition: str) -> Mapping[str, Teacher]:
    found = f"sha256:{digest(path)}" if path.is_file() else "no such file"
    if found != wanted:
        raise UserError(f"{path}: must be the file that the search began with ({wanted}), found {found}; restore it")
    study = FrozenStudy(json.loads(definition), {})
    space, metric, content = study.space(), study.metric, Imported.read(path)
    teaching = {}
    for number, trial in enumerate(content.trials, 1):
        curve = metric.losses(trial.values)[: study.max_epochs]
        if curve and not given.problems(space, trial.configuration):
            teaching[f"imported-{number}"] = Teacher(given.as_drawn(space, trial.configuration), curve)
    return teaching


def keep(folder: StudyFolder, imported: str | None) -> None:
    """Keep a copy of the file that a study file names; the digest of a frozen study names none."""
    if imported is None or imported.startswith(DIGEST):
        return
    if not folder.imported.exists() or digest(folder.imported) != digest(Path(imported)):
        with whole(folder.imported) as temporary:
            shutil.copyfile(imported, temporary)


def note(history: History) -> str | None:
    """Say in a line how many imported trials teach, and whether their values lie elsewhere; None without any."""
    taught = teachers(history.folder, history.study.frozen())
    if not taught:
        return None
    told = f"{len(taught)} imported trial{'s' if len(taught) > 1 else ''} teach"
    metric, epoch = history.study.metric, min(round_.end for round_ in history.schedule.rounds)
    curves = [metric.losses(trial.values(metric.name)) for trial in history.trials.values()]
    theirs, ours = (_at(found, epoch) for found in ([one.curve for one in taught.values()], curves))
    if not theirs or not ours or (min(theirs) <= max(ours) and min(ours) <= max(theirs)):
        return told
    here_is, there_is = (_range(metric.value(min(found)), metric.value(max(found))) for found in (ours, theirs))
    odd = f"at epoch {epoch} their {metric.name} is {there_is}, here it is {here_is}"
    return f"{told}, but {odd}: are metric and data the same?"


def _at(curves: Sequence[Curve], epoch: int) -> list[float]:
    return [curve[epoch - 1] for curve in curves if len(curve) >= epoch and math.isfinite(curve[epoch - 1])]


def _range(one: float, other: float) -> str:
    return f"{min(one, other):.4g} to {max(one, other):.4g}"

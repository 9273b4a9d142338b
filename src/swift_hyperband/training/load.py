"""The trained model of a trial, for whoever goes on with it: the target's instance with the state restored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json
from swift_hyperband.base.tracebacks import in_one_line
from swift_hyperband.targets import COMMAND, Target, TargetError, load_class
from swift_hyperband.training import kept_states, segment, state
from swift_hyperband.training.clock import Clock
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import CONFIG, Row


class Folder(Protocol):
    """What is needed of a study's folder; `results.layout.StudyFolder` is one."""

    @property
    def study(self) -> Path:
        """The file of the frozen study."""

    def trial(self, trial: str) -> Path:
        """Return the folder of a trial."""


@dataclass(frozen=True)
class Loaded:
    """A trained model.

    Attributes
    ----------
    target : object
        The target's instance with its state.
    row : dict
        Of the trial's curve, at the epoch of the state.
    metric : str
        The metric of the search.
    """

    target: Any
    row: Row
    metric: str

    def validate(self) -> float:
        """Return the metric of the search as `validate` of the target finds it now; nan where it is not finite.

        Raises
        ------
        UserError
            If the target raises an error, or does not return the metric.
        """
        name = type(self.target).__name__
        try:
            value = segment.number(self.target.validate()[self.metric], self.metric, name)
        except TargetError as error:
            raise UserError(str(error)) from None
        except Exception as error:
            line = in_one_line(error, type(self.target))
            raise UserError(f"target {name}: validate() must measure {self.metric!r}, found {line}") from error
        return math.nan if value is None else value


def load(folder: Folder, trial: str) -> Any:
    """Return the trained model of a trial: an instance of the study's target, set up and with the state restored.

    The state is that of the trial's last epoch or, where the best epoch counts (`target.metric_at: best`), of its best
    one. torch and the random generators are set as for training. Nothing is written. Call it where the search was
    started, as names of files in the study file are relative to that folder.

    Parameters
    ----------
    folder : StudyFolder
        Of a started search.
    trial : str
        The id of the trial.

    Returns
    -------
    object
        Of the target's class: its model is in the attributes that its `setup` makes.

    Raises
    ------
    UserError
        If the study has no such trial, the trial keeps no sound state, the target cannot be imported or its code does
        not fit the state, or the target is a program, which alone can read its state.
    """
    return loaded(folder, trial).target


def loaded(folder: Folder, trial: str) -> Loaded:
    """Return what `load` returns, with what was measured then."""
    settings, place = settings_of(folder), folder.trial(trial)
    if not (place / CONFIG).exists():
        raise UserError(f"{place}: must be the folder of a trial, found no {CONFIG} there")
    path = kept_states.model(place, settings.counted)
    if path is None:
        cure = "a search deletes the states of trials that it leaves behind, unless the study has keep_states: true"
        raise UserError(f"trial {trial}: must have a saved state, found none in {place}; {cure}")
    if settings.target == COMMAND:
        raise UserError(f"trial {trial}: its state is read by its program (target.command) alone; it lies in {path}")
    # first, as it says which package is missing
    target_class: type[Target] = load_class(settings.target)
    found = state.read(path)
    if isinstance(found, str):
        raise UserError(f"{path}: must be the state of trial {trial} as it was saved, found that {found}")
    configuration = read_json(place / CONFIG, {"configuration": dict})["configuration"]
    try:
        target = segment.begin(place, configuration, settings, target_class, len(found.curve), Clock())
        state.restore(target, found)
    except TargetError as error:
        raise UserError(f"trial {trial}: {error}") from None
    except Exception as error:
        line = f"its target must load the state, found {in_one_line(error, target_class)}"
        raise UserError(f"trial {trial}: {line}; was its code changed?") from error
    return Loaded(target, found.curve[-1], settings.metric)


def settings_of(folder: Folder) -> TrainingSettings:
    """Return the settings of training of a started search."""
    if not folder.study.exists():
        raise UserError(f"{folder.study.parent}: must hold a started search, found no {folder.study.name}")
    definition = read_json(folder.study, {"definition": {"target": dict, "search": dict}})["definition"]
    return TrainingSettings.from_study_json(definition, retries=0)

"""The trained model of a trial, for whoever goes on with it: the target's instance with the state restored."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json
from swift_hyperband.base.tracebacks import in_one_line
from swift_hyperband.targets import COMMAND, Target, TargetError, load_class
from swift_hyperband.training import kept_states, segment, state
from swift_hyperband.training.clock import Clock
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import CONFIG


class Folder(Protocol):
    """What is needed of a study's folder; `results.layout.StudyFolder` is one."""

    @property
    def study(self) -> Path:
        """The file of the frozen study."""

    def trial(self, trial: str) -> Path:
        """Return the folder of a trial."""


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
    settings, place = settings_of(folder), folder.trial(trial)
    if not (place / CONFIG).exists():
        raise UserError(f"{place}: must be the folder of a trial, found no {CONFIG} there")
    path = kept_states.model(place, settings.counted)
    if path is None:
        cure = "a search deletes the states of trials that it leaves behind, unless the study has keep_states: true"
        raise UserError(f"trial {trial}: must have a saved state, found none in {place}; {cure}")
    if settings.target == COMMAND:
        raise UserError(f"trial {trial}: its state is read by its program (target.command) alone; it lies in {path}")
    found = state.read(path)
    if isinstance(found, str):
        raise UserError(f"{path}: must be the state of trial {trial} as it was saved, found that {found}")
    configuration = read_json(place / CONFIG, {"configuration": dict})["configuration"]
    target_class: type[Target] = load_class(settings.target)
    try:
        target = segment.begin(place, configuration, settings, target_class, len(found.curve), Clock())
        state.restore(target, found)
    except TargetError as error:
        raise UserError(f"trial {trial}: {error}") from None
    except Exception as error:
        line = f"its target must load the state, found {in_one_line(error, target_class)}"
        raise UserError(f"trial {trial}: {line}; was its code changed?") from error
    return target


def settings_of(folder: Folder) -> TrainingSettings:
    """Return the settings of training of a started search."""
    if not folder.study.exists():
        raise UserError(f"{folder.study.parent}: must hold a started search, found no {folder.study.name}")
    definition = read_json(folder.study, {"definition": {"target": dict, "search": dict}})["definition"]
    return TrainingSettings.from_study_json(definition, retries=0)

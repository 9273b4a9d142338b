"""A search as an Optuna study in a storage: https://optuna.readthedocs.io (5.0).

A trial that finished is COMPLETE; one that the search left behind or stopped is PRUNED, with its last value, as Optuna
has it; one that failed or diverged is FAIL; one that trains, or waits for the next round, is RUNNING; one that has not
begun is WAITING.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from swift_hyperband import __version__
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import without_password
from swift_hyperband.export.trials import GOES_ON, LOST, Search, Trial, Written, counted, sqlite
from swift_hyperband.results.standing import Fate
from swift_hyperband.space.parameters import Categorical, Float, Hyperparameter, Int

JOURNALS = (".log", ".journal")
"""Ends of files that become a journal; other files are SQLite's."""
MARK = "swift_hyperband"
"""The attribute of studies that an export has written."""


def write(search: Search, out: str | None) -> Written:
    """Write a study of the search's name; one that an earlier export wrote is replaced.

    Parameters
    ----------
    search : Search
    out : str, optional
        A file (`.log` or `.journal`: a journal; any other: SQLite), or the URL of a database as Optuna takes it.

    Raises
    ------
    UserError
        If the storage has a study of this name that is not an export's alone, or cannot be opened.
    """
    place = str(search.place / "optuna.db") if out is None else out
    with _quiet():
        storage = _storage(place)
        _make_room(storage, search.name, place)
        study = optuna.create_study(
            storage=storage, study_name=search.name, direction="minimize" if search.metric.minimised else "maximize"
        )
        study.set_metric_names([search.metric.name])
        study.set_user_attr(MARK, {"version": __version__, "folder": str(search.folder), "finished": search.finished})
        study.set_user_attr("definition", dict(search.definition))
        study.add_trials([_trial(search, trial) for trial in search.trials])
    hint = f"optuna.load_study(study_name={search.name!r}, storage={_opened(place)})"
    return Written(counted(len(search.trials), "trial"), without_password(place), without_password(hint))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from telling of studies that are made, and of methods that are experimental."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _storage(place: str) -> Any:
    try:
        if "://" in place:
            return optuna.storages.get_storage(place)
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        if place.endswith(JOURNALS):
            return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(place))
        return optuna.storages.get_storage(sqlite(Path(place)))
    except (OSError, UserError):
        raise
    except Exception as error:
        # each database has errors of its own
        found = without_password(" ".join(f"{type(error).__name__}: {error}".split()))[:200]
        raise UserError(f"--out: must be a storage that Optuna opens, found {found}") from None


def _opened(place: str) -> str:
    """Return the code that opens a storage."""
    if "://" in place:
        return repr(place)
    if place.endswith(JOURNALS):
        return f"JournalStorage(JournalFileBackend({place!r}))"
    return repr(sqlite(Path(place)))


def _make_room(storage: Any, name: str, place: str) -> None:
    """Delete the study of an earlier export; refuse to touch any other."""
    if name not in optuna.get_all_study_names(storage):
        return
    found = optuna.load_study(study_name=name, storage=storage)
    if MARK not in found.user_attrs or not all(map(_is_ours, found.get_trials(deepcopy=False))):
        line = f"has a study {name!r} already, with trials that are no export of ours; give another --out"
        raise UserError(f"{without_password(place)}: {line}")
    optuna.delete_study(study_name=name, storage=storage)


def _is_ours(trial: FrozenTrial) -> bool:
    """Whether a trial is as an export wrote it; Optuna itself trains those that wait, if it is told to go on."""
    waited = trial.user_attrs.get("status") == Fate.WAITING
    return "trial" in trial.user_attrs and waited == (trial.state is TrialState.WAITING)


def _trial(search: Search, trial: Trial) -> FrozenTrial:
    state = _state(trial.fate)
    made = optuna.trial.create_trial(
        state=state,
        value=trial.value if state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
        params=dict(trial.configuration),
        distributions={name: _distribution(search.space[name], value) for name, value in trial.configuration.items()},
        user_attrs=_attributes(search, trial),
        intermediate_values={epoch: row[search.metric.name] for epoch, row in enumerate(trial.rows, 1)},
    )
    if state is TrialState.WAITING:
        made.datetime_start = None
    if not math.isnan(trial.began):
        made.datetime_start = datetime.fromtimestamp(trial.began)
    if made.datetime_complete is not None and not math.isnan(trial.ended):
        made.datetime_complete = datetime.fromtimestamp(trial.ended)
    return made


def _state(fate: Fate) -> TrialState:
    if fate in LOST:
        return TrialState.FAIL
    if fate is Fate.WAITING:
        return TrialState.WAITING
    if fate in GOES_ON:
        return TrialState.RUNNING
    return TrialState.COMPLETE if fate is Fate.FINISHED else TrialState.PRUNED


def _attributes(search: Search, trial: Trial) -> dict[str, Any]:
    further = trial.rows[-1] if trial.rows else {}
    return {
        "trial": trial.trial,
        "bracket": trial.bracket,
        "slot": trial.slot,
        "epochs": len(trial.rows),
        "status": str(trial.fate),
        **({} if trial.epoch is None else {"epoch": trial.epoch}),
        **{name: value for name, value in further.items() if name != search.metric.name and math.isfinite(value)},
    }


def _distribution(parameter: Hyperparameter, value: Any) -> BaseDistribution:
    """Return what a value was drawn from; a range reaches to a value that was given from outside of it."""
    match parameter:
        case Float(low, high, log):
            return FloatDistribution(min(low, value), max(high, value), log=log)
        case Int(low, high, log):
            return IntDistribution(min(low, value), max(high, value), log=log)
        case Categorical(choices):
            return CategoricalDistribution(choices)

"""Reading earlier trials with their curves: of a search of ours, of an Optuna study, and of a table."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import Metric, to_json
from swift_hyperband.base.packages import require
from swift_hyperband.base.wording import one_of, without_password
from swift_hyperband.replay.tables import reader
from swift_hyperband.results.contents import Config
from swift_hyperband.results.freeze import load_study
from swift_hyperband.results.imported import Imported, ImportedTrial
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.space import given
from swift_hyperband.training.trial import read_rows

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study

TABLES = (".csv", ".csv.gz", ".parquet")
SQLITE = "sqlite:///"
JOURNALS = (".log", ".journal")


@dataclass(frozen=True)
class Collected:
    """What was read of several sources.

    Attributes
    ----------
    content : Imported
        The trials that fit the study.
    left_out : mapping of str to int
        How many others there were, by reason.
    notes : tuple of str
        What should be known, a line each.
    """

    content: Imported
    left_out: Mapping[str, int]
    notes: tuple[str, ...] = ()


def collect(study: Study, sources: Sequence[str], name: str | None = None) -> Collected:
    """Return the trials of sources that lie in the space of a study and have curves of its metric.

    Parameters
    ----------
    study : Study
    sources : sequence of str
        Folders of searches, storages of Optuna (URLs, SQLite files, journals) and tables (CSV, Parquet).
    name : str, optional
        Of the Optuna study, where its storage has several.

    Raises
    ------
    UserError
        If a source cannot be read, or tells of another metric.
    """
    space, metric = study.search_space(), study.metric
    notes: list[str] = []
    left_out: Counter[str] = Counter()
    kept: list[ImportedTrial] = []
    for source in sources:
        for trial in _read(source, metric, name, list(space.hyperparameters), notes):
            if not trial.values:
                left_out["they have no curve from epoch 1 on"] += 1
            elif found := given.problems(space, trial.configuration):
                left_out[f"{found[0][0] or 'their configuration'} {found[0][1].partition(', found')[0]}"] += 1
            else:
                configuration = given.as_drawn(space, trial.configuration)
                kept.append(ImportedTrial(trial.source, configuration, [to_json(value) for value in trial.values]))
    return Collected(Imported(metric.name, metric.mode, kept), left_out, tuple(notes))


def _read(
    source: str, metric: Metric, name: str | None, hyperparameters: Sequence[str], notes: list[str]
) -> Iterable[ImportedTrial]:
    path = Path(source)
    if "://" not in source and (path / "study.json").exists():
        return _of_search(StudyFolder(path), metric)
    if "://" not in source and not path.is_file():
        needed = f"must be the folder of a search, an Optuna storage or a table ({one_of(TABLES)})"
        raise UserError(f"{source}: {needed}, found no such folder or file")
    if "://" not in source and source.endswith(TABLES):
        return _of_table(path, metric, hyperparameters, notes)
    return _of_optuna(source, metric, name, notes)


def _of_search(folder: StudyFolder, metric: Metric) -> Iterator[ImportedTrial]:
    earlier = load_study(folder).metric
    if earlier.name == metric.name and earlier.mode != metric.mode:
        raise UserError(f"{folder.study}: target.mode must be {metric.mode}, as in this study, found {earlier.mode}")
    for place in folder.trials():
        rows = read_rows(place)
        if rows and metric.name not in rows[0]:
            found = ", ".join(key for key in rows[0] if key not in ("epoch", "seconds"))
            raise UserError(f"{place}: its curve must have the metric {metric.name}, found {found}")
        if rows:
            configuration = Config.read(folder.config(place.name)).configuration
            yield ImportedTrial(str(place), configuration, [row[metric.name] for row in rows])


def _of_table(path: Path, metric: Metric, hyperparameters: Sequence[str], notes: list[str]) -> Iterator[ImportedTrial]:
    table = reader.read(path, "long", metric.name, metric.mode)
    notes += [f"{path}: {line}" for line in table.notes]
    if further := [name for name in table.hyperparameters if name not in hyperparameters]:
        notes.append(f"{path}: columns that are no hyperparameters of the space are left out: {', '.join(further)}")
    columns = {name: table.hyperparameters[name] for name in hyperparameters if name in table.hyperparameters}
    for row, (curve, recorded) in enumerate(zip(table.curves.tolist(), table.recorded.tolist(), strict=True)):
        configuration = {name: value for name, values in columns.items() if (value := values[row]) is not None}
        yield ImportedTrial(f"{path}: {table.ids[row]}", configuration, curve[:recorded])


def _of_optuna(source: str, metric: Metric, name: str | None, notes: list[str]) -> Iterator[ImportedTrial]:
    require("import from Optuna", "optuna", "sqlalchemy")
    where = without_password(source)
    if source.startswith(SQLITE) and not Path(source.removeprefix(SQLITE).partition("?")[0]).is_file():
        # it would be made
        raise UserError(f"{where}: must be an Optuna storage, found no such file")
    # an extra that only this source needs, and that takes a second
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        storage: Any = source if "://" in source else f"{SQLITE}{source}"
        if source.endswith(JOURNALS):
            storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(source))
        names = optuna.get_all_study_names(storage)
    except Exception as error:
        # each database has errors of its own
        found = without_password(" ".join(f"{type(error).__name__}: {error}".split()))[:200]
        raise UserError(f"{where}: must be a storage that Optuna opens, found {found}") from None
    if not names:
        raise UserError(f"{where}: must hold a study, found none")
    if name is None and len(names) != 1:
        raise UserError(f"{where}: must hold one study, found {len(names)}; say which by --study-name {one_of(names)}")
    if name is not None and name not in names:
        raise UserError(f"{where}: must hold the study {name!r} (--study-name), found {one_of(names)}")
    study = optuna.load_study(study_name=name or names[0], storage=storage)
    if len(study.directions) != 1:
        raise UserError(f"{where}: its study must have one objective, found {len(study.directions)}")
    wanted = "minimize" if metric.minimised else "maximize"
    if study.direction.name.lower() != wanted:
        raise UserError(f"{where}: its study must {wanted}, as this one does, found {study.direction.name.lower()}")
    with warnings.catch_warnings():
        # a method that they call experimental
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        told = study.metric_names
    if told is None:
        notes.append(f"{where}: its intermediate values are taken for {metric.name}, as it names no metric")
    elif told != [metric.name]:
        notes.append(f"{where}: its intermediate values of {told[0]} are taken for {metric.name}: is that the same?")
    for trial in study.get_trials(deepcopy=False):
        yield ImportedTrial(f"{where}: trial {trial.number}", trial.params, _curve(trial.intermediate_values))


def _curve(values: Mapping[int, float]) -> list[float]:
    """Return the values of consecutive steps from the first, which is 0 or 1; none where it is another."""
    first = min(values, default=1)
    found: list[float] = []
    while first in (0, 1) and (step := first + len(found)) in values:
        found.append(values[step] if math.isfinite(values[step]) else math.nan)
        if math.isnan(found[-1]):
            break
    return found

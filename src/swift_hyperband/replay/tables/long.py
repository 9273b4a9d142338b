"""Tables with a row for each configuration and epoch: our own curves.parquet, and CSV or parquet files of others.

Columns of our own table say by prefix what they are (`config_`, `metric_`). In another table, a column that is constant
within each configuration is a hyperparameter, and one that varies is a metric.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import RESERVED, Metric, Mode
from swift_hyperband.base.wording import one_of, shown, suggestion
from swift_hyperband.replay.tables.cells import Records, broken, listed, metric_in, read_csv, read_parquet, typed
from swift_hyperband.replay.tables.long_rows import Walk, walk
from swift_hyperband.replay.tables.table import CurveTable, cut
from swift_hyperband.space.constraints import Scalar

IDS = ("config_id", "trial", "row")
OWN_IDS = ("trial", "config_id", "row")
"""Columns that may name a configuration; of several, the first does. Our own table may have a hyperparameter `id`."""

SUFFIXES = (".parquet", ".csv", ".csv.gz")
SMALLER_IS_BETTER, LARGER_IS_BETTER = frozenset({"loss", "perplexity", "error"}), frozenset({"accuracy"})


def read_long(path: Path, metric: str | None, mode: Mode | None) -> CurveTable:
    """Read a table with a row for each configuration and epoch.

    A cell of the metric that is empty or not finite is a value that is not finite: the configuration diverged there.

    Parameters
    ----------
    path : Path
    metric : str, optional
        May be left out if there is just one.
    mode : "min" or "max", optional
        May be left out if the metric's name tells: loss, perplexity, error, accuracy.

    Raises
    ------
    UserError
        If the file does not hold what it must, or does not tell what was left out.
    """
    records = _read_file(path)
    names = records.columns
    own = any(name.startswith("metric_") for name in names) and any(
        name == "trial" or (name.startswith("config_") and name != "config_id") for name in names
    )
    id_ = next((name for name in (OWN_IDS if own else IDS) if name in names), None)
    if id_ is None:
        raise _no_column(records, one_of(IDS), "config_id")
    if "epoch" not in names:
        raise _no_column(records, "epoch", "epoch")
    prefixes = ("config_", "metric_") if own else ("",)
    wanted = [name for name in names if name and name.startswith(prefixes) and name not in (id_, *RESERVED)]
    table = walk(records, id_, wanted)
    column = _metric(table, own, metric)
    name = column.removeprefix("metric_") if own else column
    measured = Metric(name, mode or _mode(path, name))
    curves, recorded, cut_notes = cut(_curves(table, column), table.recorded)
    hyperparameters, column_notes = _own_hyperparameters(table) if own else _hyperparameters(table, column)
    empty = [key for key, values in hyperparameters.items() if all(value is None for value in values)]
    seconds, second_notes = _mean_seconds(table)
    notes = [*records.notes, *column_notes, *second_notes, *cut_notes]
    if empty:
        notes.append(f"hyperparameters without a value are left out: {listed(empty)}")
    if table.from_zero:
        notes.append("epochs count from 0 in the file: its epoch 0 is epoch 1 here")
    return CurveTable(
        name=stem(path),
        metric=measured,
        curves=curves,
        recorded=recorded,
        hyperparameters={key: values for key, values in hyperparameters.items() if key not in empty},
        seconds=seconds,
        ids=table.ids,
        notes=tuple(notes),
    )


def stem(path: Path) -> str:
    """Return a file's name without its suffix, of two also the first: curves of curves.csv.gz."""
    return next((path.name[: -len(end)] for end in SUFFIXES if path.name.lower().endswith(end)), path.stem)


def _read_file(path: Path) -> Records:
    name = path.name.lower()
    if name.endswith(".parquet"):
        return read_parquet(path)
    if name.endswith(SUFFIXES):
        return read_csv(path)
    raise broken(path, f"must end in {one_of(SUFFIXES)}, found {shown(path.name)}; rename the file as what it holds")


def _no_column(records: Records, needed: str, likely: str) -> UserError:
    found = f"found {listed(records.columns)}{suggestion(likely, records.columns)}"
    return broken(records.path, f"must have a column {needed}, {found}; rename the column that it is")


def _metric(table: Walk, own: bool, given: str | None) -> str:
    """Return the column of the metric to replay."""
    prefix = "metric_" if own else ""
    candidates = [name for name in table.columns if _is_metric(table, own, name)]
    if given is not None:
        # also a metric that happens not to change, as where each configuration has one epoch
        choices = candidates if own else list(table.columns)
        for name in (prefix + given, given):
            if name in choices:
                return name
    names = [name.removeprefix(prefix) for name in candidates]
    path = table.records.path
    if given is not None:
        found = f"found the metrics {listed(names)}{suggestion(given, names)}"
        raise broken(path, f"must have a column of the metric {shown(given)}, {found}; choose another --metric")
    if not names:
        advice = f"choose the metric's column with --metric, of {listed(list(table.columns))}"
        raise broken(path, f"must have a column of numbers that changes from epoch to epoch, found none; {advice}")
    if len(names) > 1:
        raise broken(path, f"must have one metric, found {listed(names)}; choose one with --metric")
    return candidates[0]


def _is_metric(table: Walk, own: bool, name: str) -> bool:
    column = table.columns[name]
    return name.startswith("metric_") if own else column.changed is not None and column.some_number


def _mode(path: Path, metric: str) -> Mode:
    words = set("".join(letter if letter.isalpha() else " " for letter in metric.lower()).split())
    smaller, larger = bool(words & SMALLER_IS_BETTER), bool(words & LARGER_IS_BETTER)
    if smaller == larger:
        found = f"found the metric {shown(metric)}, whose name does not tell"
        raise broken(
            path, f"must be read with a mode, {found}; give --mode min if smaller is better, --mode max if larger"
        )
    return "min" if smaller else "max"


def _curves(table: Walk, metric: str) -> NDArray[np.float64]:
    """Return the metric of each configuration (row) and epoch (column), nan where there is none."""
    column = table.columns[metric]
    if column.text is not None:
        number, cell = column.text
        metric_in(table.records, number, metric, cell)
    curves = np.full((len(table.ids), int(table.recorded.max())), np.nan)
    curves[table.configurations, table.epochs] = np.array(column.values)
    return curves


Hyperparameters = dict[str, list[Scalar | None]]


def _own_hyperparameters(table: Walk) -> tuple[Hyperparameters, list[str]]:
    found: Hyperparameters = {}
    for name, column in table.columns.items():
        if not name.startswith("config_"):
            continue
        if column.changed is not None:
            number, cell = column.changed
            value = shown(cell)
            text = (
                f"must hold the same value in all rows of a configuration, found {value} after another one; correct it"
            )
            raise table.records.wrong(number, name, text)
        found[name.removeprefix("config_")] = _typed(table, name)
    return found, []


def _hyperparameters(table: Walk, metric: str) -> tuple[Hyperparameters, list[str]]:
    constant = [name for name, column in table.columns.items() if column.changed is None and name != metric]
    texts = [name for name, column in table.columns.items() if column.changed is not None and not column.some_number]
    notes = [f"columns of text that change within a configuration are left out: {listed(texts)}"] if texts else []
    return {name: _typed(table, name) for name in constant}, notes


def _typed(table: Walk, name: str) -> list[Scalar | None]:
    # a mistake is told with the first row of its configuration
    _, first = np.unique(table.configurations, return_index=True)
    return typed(table.records, name, table.numbers[first].tolist(), table.columns[name].firsts)


def _mean_seconds(table: Walk) -> tuple[NDArray[np.float64] | None, list[str]]:
    """Return each configuration's seconds an epoch, the mean of what is told, and notes."""
    # a clock that is too coarse tells 0, which no epoch takes
    if table.seconds is None or not (table.seconds > 0).any():
        return None, []
    told = table.seconds > 0
    configurations, seconds = table.configurations[told], table.seconds[told]
    count = np.bincount(configurations, minlength=len(table.ids))
    mean = np.bincount(configurations, seconds, len(table.ids)) / np.maximum(count, 1)
    silent = int((count == 0).sum())
    notes = [f"{silent} of {len(count)} rows have no seconds and get the mean of the others"] if silent else []
    return np.where(count > 0, mean, mean[count > 0].mean()), notes

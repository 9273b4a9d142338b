"""curves.parquet: all learning curves of a search in one table, a row for each trial and epoch.

Columns, in this order:

    study, bracket, slot, trial, status      where the trial comes from and what became of it (`standing.Fate`)
    config_<name>                            each hyperparameter; null where it is not active
    epoch                                    from 1
    metric_<name>                            each metric that the target reports, the study's first; nan if not finite
    seconds                                  how long the epoch took

The prefixes keep hyperparameters and metrics apart from each other and from the other columns, whatever their names.
The file's metadata say under `swift_hyperband` where it comes from: the study's definition, versions and machine.
"""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow

from swift_hyperband import __version__
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import RESERVED
from swift_hyperband.base.parquet import open_table, write_table
from swift_hyperband.results.history import History
from swift_hyperband.results.standing import fates
from swift_hyperband.study.space import FloatRange, IntRange

if TYPE_CHECKING:
    from swift_hyperband.study.model import HyperparameterKeys


def write_curves(history: History, path: Path) -> None:
    """Write the table of all curves (parquet, zstd); the file is replaced as a whole."""
    write_table(path, table(history))


def table(history: History) -> Any:
    """Return the table of all curves, as of pyarrow. Equal searches give equal tables but for `seconds`.

    Trials in the order of their brackets, then by id; a trial that never finished an epoch has no row.
    """
    types = {name: _type(keys) for name, keys in history.study.space.items()}
    metrics = _metrics(history)
    schema = pyarrow.schema(
        [
            ("study", pyarrow.string()),
            ("bracket", pyarrow.int64()),
            ("slot", pyarrow.int64()),
            ("trial", pyarrow.string()),
            ("status", pyarrow.string()),
            *((f"config_{name}", type_) for name, type_ in types.items()),
            ("epoch", pyarrow.int64()),
            *((f"metric_{name}", pyarrow.float64()) for name in metrics),
            ("seconds", pyarrow.float64()),
        ]
    )
    provenance = {b"swift_hyperband": json.dumps(_provenance(history)).encode()}
    return pyarrow.Table.from_pylist(list(_rows(history, types, metrics)), schema.with_metadata(provenance))


def read_values(path: Path, metric: str) -> dict[str, list[float | None]]:
    """Return a metric of each trial in a table of all curves, epoch by epoch; None where it was not finite.

    Raises
    ------
    UserError
        If the table is damaged.
    """
    values: dict[str, list[float | None]] = {}
    try:
        with open_table(path) as file:
            # all of it, as the checksums of the other columns are to hold, too
            found = file.read()
        for trial, value in zip(
            *(found.column(name).to_pylist() for name in ("trial", f"metric_{metric}")), strict=True
        ):
            values.setdefault(trial, []).append(value if value is not None and math.isfinite(value) else None)
    except (OSError, pyarrow.ArrowException, LookupError, TypeError, ValueError) as error:
        what = " ".join(str(error).split())[:200]
        raise UserError(f"{path}: must be a whole table of curves, found {what}; delete it") from None
    return values


def _provenance(history: History) -> dict[str, Any]:
    versions = {"swift-hyperband": __version__, "python": platform.python_version()}
    for package in ("torch", "numpy"):
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    machine = {"system": platform.system(), "processor": platform.machine()}
    return {"study": history.study.definition(), "versions": versions, "machine": machine}


def _type(keys: HyperparameterKeys) -> Any:
    """Return the type of a hyperparameter's column: text where its choices are of several types."""
    if isinstance(keys, FloatRange):
        return pyarrow.float64()
    if isinstance(keys, IntRange):
        return pyarrow.int64()
    types = {type(choice) for choice in keys.choices}
    if types == {bool}:
        return pyarrow.bool_()
    if types == {int}:
        return pyarrow.int64()
    return pyarrow.float64() if types <= {int, float} else pyarrow.string()


def _metrics(history: History) -> list[str]:
    names = {name for trial in history.trials.values() for row in trial.curve for name in row}
    first = history.study.target.metric
    return [first, *sorted(names.difference(RESERVED, [first]))]


def _rows(history: History, types: dict[str, Any], metrics: list[str]) -> Iterator[dict[str, Any]]:
    status = fates(history)
    for trial in history.trials.values():
        fixed = {
            "study": history.study.name,
            "bracket": trial.bracket,
            "slot": trial.slot,
            "trial": trial.trial,
            "status": status[trial.trial].value,
        }
        for name, value in trial.configuration.items():
            as_text = types[name] == pyarrow.string() and not isinstance(value, str)
            fixed[f"config_{name}"] = json.dumps(value) if as_text else value
        for row in trial.curve:
            values = {f"metric_{name}": row.get(name) for name in metrics}
            yield {**fixed, "epoch": int(row["epoch"]), **values, "seconds": row.get("seconds")}

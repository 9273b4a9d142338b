"""A target that replays recorded learning curves, for rehearsals of a search and for tests."""

from __future__ import annotations

import csv
import gzip
import math
import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from swift_hyperband.base.delimited import cells_of, names_of, printable
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import shown
from swift_hyperband.targets import Context
from swift_hyperband.targets.options import Options

Curves = dict[int, list[dict[str, float]]]
"""Metrics by name at epochs 1, 2, ..., by row."""


class CurveTable:
    """Replays curves of a CSV table with the columns row, epoch and metrics.

    The configuration's hyperparameter `row` says which curve; a metric is nan where its cell is empty, and behind that.
    Options: `table`, the path of the file; `seconds`, how long an epoch takes (default 0).
    """

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        """Find the configuration's curve."""
        self._table = _table(context.options)
        self._row = _row(configuration)
        self._table.check_row(self._row)
        self._seconds = _seconds(context.options)
        self._epoch = 0

    def train_epoch(self, epoch: int) -> None:
        """Let an epoch pass."""
        if self._seconds:
            time.sleep(self._seconds)
        self._epoch = epoch

    def validate(self) -> dict[str, float]:
        """Return what was recorded at this epoch."""
        return self._table.at(self._row, self._epoch)

    def state_dict(self) -> dict[str, int]:
        """Return the epoch."""
        return {"epoch": self._epoch}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go to the epoch of a state."""
        self._epoch = state["epoch"]


@dataclass(frozen=True)
class _Table:
    """A table that was read."""

    path: Path
    curves: Curves
    metrics: list[str]

    def check_row(self, row: int) -> None:
        """Raise a `UserError` if the table has no such row."""
        if row not in self.curves:
            held = f"{min(self.curves)} to {max(self.curves)}"
            raise UserError(
                f"space.row must draw rows that are in the table: row {row} is not in {self.path.name} ({held}); "
                "let low and high lie within it"
            )

    def check_epochs(self, row: int, epochs: int, metric: str) -> None:
        """Raise a `UserError` if a metric is finite to the end of a row, and that lies before an epoch."""
        curve = self.curves[row]
        if len(curve) >= epochs or any(not math.isfinite(values[metric]) for values in curve):
            return
        longest = max(map(len, self.curves.values()))
        where = (
            f"epoch {len(curve)}, where {self.path.name} ends"
            if longest == len(curve)
            else (f"epoch {len(curve)}, where row {row} of {self.path.name} ends without diverging")
        )
        raise UserError(
            f"search.max_epochs must be at most {where}, found {epochs}; record more epochs, or ask for fewer"
        )

    def at(self, row: int, epoch: int) -> dict[str, float]:
        """Return the metrics of a row at an epoch, nan behind its end."""
        curve = self.curves[row]
        if epoch <= len(curve):
            return curve[epoch - 1]
        for metric in self.metrics:
            self.check_epochs(row, epoch, metric)
        return dict.fromkeys(self.metrics, math.nan)


def check(
    options: Mapping[str, Any], configurations: Iterable[Mapping[str, Any]], max_epochs: int, metric: str
) -> None:
    """Check that a table has all that a search may ask for, before anything is trained.

    Parameters
    ----------
    options : mapping
        `target.options` of the study.
    configurations : iterable of mapping
        Those that it draws.
    max_epochs : int
    metric : str

    Raises
    ------
    UserError
        If the table cannot be read, or lacks a row, the metric, or epochs of a row that does not diverge before, or an
        option does not hold.
    """
    _seconds(options)
    table = _table(options)
    if metric not in table.metrics:
        found = ", ".join(map(shown, table.metrics))
        raise UserError(f"target.metric must be a column of {table.path.name}, found {shown(metric)}; it has {found}")
    for row in sorted({_row(configuration) for configuration in configurations}):
        table.check_row(row)
        table.check_epochs(row, max_epochs, metric)


def _row(configuration: Mapping[str, Any]) -> int:
    row = configuration.get("row")
    if not isinstance(row, int) or isinstance(row, bool):
        found = "found none" if row is None else f"found {shown(row)}"
        raise UserError(f"space must have an integer hyperparameter 'row' for the target curve-table, {found}")
    return row


def _seconds(options: Mapping[str, Any]) -> float:
    return Options("curve-table", options).number("seconds", 0.0, low=0, high=86400)


def _table(options: Mapping[str, Any]) -> _Table:
    if not isinstance(options.get("table"), str):
        raise UserError(f"target.options.table must be the path of a CSV file, found {shown(options.get('table'))}")
    path, stamp = options["table"], (0, 0)
    with suppress(OSError, ValueError):
        found = Path(path).stat()
        stamp = found.st_ino, found.st_mtime_ns
    return _read(path, stamp)


@lru_cache(maxsize=1)
def _read(path: str, _stamp: tuple[int, ...]) -> _Table:
    """Read a table; another one of that path has another stamp.

    Kept for check-target, which sets a target up several times in one process; a job's trials each read for themselves,
    in processes of their own.
    """
    number = 0
    try:
        opened = gzip.open if path.lower().endswith(".gz") else open
        with opened(path, "rt", newline="", encoding="utf-8-sig") as file:
            lines = cells_of(file)
            columns = names_of(next(lines, (1, []))[1])
            metrics = [column for column in columns if column not in ("row", "epoch")]
            if len(metrics) != len(columns) - 2 or not metrics or len(set(columns)) < len(columns):
                raise UserError(
                    f"{path}: must have the columns row, epoch and a metric, each once, found "
                    f"{', '.join(columns) or 'none'}"
                )
            found: dict[int, dict[int, tuple[int, dict[str, float]]]] = {}
            for number, cells in lines:
                if len(cells) != len(columns):
                    raise UserError(f"{path}: line {number} must have {len(columns)} cells, found {len(cells)}")
                line = dict(zip(columns, cells, strict=True))
                row, epoch = (_whole(path, number, column, line[column]) for column in ("row", "epoch"))
                if epoch < 1:
                    raise UserError(f"{path}: line {number}, column epoch must count from 1, found {epoch}")
                if epoch in found.setdefault(row, {}):
                    before = found[row][epoch][0]
                    raise UserError(
                        f"{path}: line {number} must be of another epoch than line {before}, found epoch {epoch} of "
                        f"row {row} again; remove one of the two"
                    )
                values = {metric: _number(path, number, metric, line[metric]) for metric in metrics}
                found[row][epoch] = number, values
    except FileNotFoundError:
        raise UserError(f"target.options.table must be the path of a CSV file, found no file {path}") from None
    except (UnicodeError, EOFError, zlib.error, gzip.BadGzipFile, csv.Error):
        raise UserError(f"{path}: must be a CSV file in UTF-8, found something else after line {number}") from None
    except OSError as error:
        raise UserError(
            f"target.options.table must be a CSV file that can be read, found {error.strerror}: {path}"
        ) from None
    if not found:
        raise UserError(f"{path}: must hold at least one row of a curve, found none")
    return _Table(Path(path), {row: _curve(path, row, epochs) for row, epochs in found.items()}, metrics)


def _curve(path: str, row: int, epochs: Mapping[int, tuple[int, dict[str, float]]]) -> list[dict[str, float]]:
    ordered = sorted(epochs)
    if ordered[-1] != len(ordered):
        missing = next(epoch for epoch in range(1, ordered[-1]) if epoch not in epochs)
        raise UserError(
            f"{path}: must have epoch {missing} of row {row}, found epoch {ordered[-1]} and no such line; add it (an "
            "empty cell is a value that is not finite)"
        )
    return [epochs[epoch][1] for epoch in ordered]


def _whole(path: str, number: int, column: str, cell: str) -> int:
    value = _number(path, number, column, cell)
    if not value.is_integer() or abs(value) > 2**53:
        raise UserError(f"{path}: line {number}, column {column} must hold a whole number, found {shown(cell)}")
    return int(value)


def _number(path: str, number: int, column: str, cell: str) -> float:
    if not cell.strip():
        return math.nan
    try:
        # Python reads "1_000" as a number
        if "_" not in cell:
            return float(cell)
    except ValueError:
        pass
    raise UserError(
        f"{path}: line {number}, column {printable(column)} must hold a number, found {shown(printable(cell))}; "
        "correct the cell, or empty it where nothing was recorded"
    )

"""The four published tables of curves, as their authors publish them: a row for each configuration.

What has misled readers of these files is handled here and told in notes: a left-over column, columns that never vary,
configurations that repeat, the row that the authors drop.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from swift_hyperband.base.metric import Metric, Mode
from swift_hyperband.base.wording import shown
from swift_hyperband.replay.tables.cells import (
    NOT_TEXT,
    Cell,
    Records,
    broken,
    check_file,
    is_empty,
    listed,
    metric_in,
    open_text,
    read_csv,
    typed,
)
from swift_hyperband.replay.tables.table import CurveTable, cut


@dataclass(frozen=True)
class Published:
    """A published table, and how its file names the columns of the epochs.

    Attributes
    ----------
    name : str
    metric : str
    mode : "min" or "max"
    max_epochs : int
        R, to which the table is replayed in publications; it may have more epochs.
    prefix : str
        What stands before an epoch's number.
    first : int
        The first epoch's number.
    """

    name: str
    metric: str
    mode: Mode
    max_epochs: int
    prefix: str
    first: int


PUBLISHED = {
    "mlpf": Published("MLPF", "loss", "min", 100, "loss_", 0),
    "cifar10": Published("CIFAR-10", "accuracy", "max", 100, "", 0),
    "ptb": Published("PTB", "perplexity", "min", 60, "ep_", 0),
    # not the table of the Swift-Hyperband paper, which is not to be had
    "svhn": Published("SVHN stand-in", "accuracy", "max", 20, "acc_", 1),
}
"""By format."""


def read_published(path: Path, format_: str) -> CurveTable:
    """Read a file in the format of a published table.

    An empty cell among the epochs is a missing value: at a row's end, its recording ends early; with recorded values
    behind it, it is a gap.

    Raises
    ------
    UserError
        If the file does not hold what it must.
    """
    published = PUBLISHED[format_]
    records = read_column_dict(path) if format_ == "cifar10" else read_csv(path)
    places = _epochs(records, published)
    of_epochs = set(places)
    others = [place for place, name in enumerate(records.columns) if place not in of_epochs and name]
    numbers: list[int] = []
    values: list[list[float]] = []
    recorded: list[int] = []
    configurations: list[list[Cell]] = []
    for number, cells in records.cells:
        curve = [cells[place] for place in places]
        numbers.append(number)
        values.append(
            [
                metric_in(records, number, records.columns[place], cell)
                for place, cell in zip(places, curve, strict=True)
            ]
        )
        recorded.append(max((epoch for epoch, cell in enumerate(curve, 1) if not is_empty(cell)), default=0))
        configurations.append([cells[place] for place in others])
    if not numbers:
        raise broken(path, "must hold at least one row of numbers, found none; get the file anew")
    hyperparameters = {
        records.columns[place]: typed(records, records.columns[place], numbers, cells)
        for place, *cells in zip(others, *configurations, strict=True)
    }
    left_out = [name for name, cells in hyperparameters.items() if _tells_nothing(name, cells, format_)]
    notes = list(records.notes)
    if left_out:
        notes.append(f"columns that tell nothing of a configuration are left out: {listed(left_out)}")
    curves, ends, cut_notes = cut(np.array(values), np.array(recorded, dtype=np.int64))
    table = CurveTable(
        name=published.name,
        metric=Metric(published.metric, published.mode),
        curves=curves,
        recorded=ends,
        hyperparameters={name: cells for name, cells in hyperparameters.items() if name not in left_out},
        seconds=None,
        ids=records.ids or [str(row) for row in range(1, len(numbers) + 1)],
        notes=(*notes, *cut_notes),
    )
    return table.without_worst() if format_ == "mlpf" else table


def _tells_nothing(name: str, cells: Sequence[object], format_: str) -> bool:
    # "index" is a left-over of pandas: the rows were joined from several files
    return (name == "index" and format_ == "cifar10") or (len(cells) > 1 and len(set(cells)) == 1)


def _epochs(records: Records, published: Published) -> list[int]:
    """Return the places of the columns of epochs 1, 2, ..."""
    pattern = re.compile(re.escape(published.prefix) + "([0-9]{1,9})")
    by_epoch: dict[int, int] = {}
    for place, name in enumerate(records.columns):
        if match := pattern.fullmatch(name):
            by_epoch[int(match[1])] = place
    last = max(by_epoch, default=published.first)
    for epoch in range(published.first, last + 1):
        if epoch not in by_epoch:
            raise broken(
                records.path,
                f"must have a column for each epoch, {published.prefix}{published.first}, "
                f"{published.prefix}{published.first + 1} and so on, found none named {published.prefix}{epoch} "
                f"(columns: {listed(records.columns)}); add it, or name the file's format with --format",
            )
    return [by_epoch[epoch] for epoch in range(published.first, last + 1)]


def read_column_dict(path: Path) -> Records:
    """Read a table as pandas writes it in JSON: {column: {row: value}}.

    Raises
    ------
    UserError
        If the file holds anything else.
    """
    check_file(path)
    try:
        with open_text(path) as file:
            content = json.load(file)
    except NOT_TEXT:
        raise broken(path, "must be JSON in UTF-8, found other bytes; get the file anew") from None
    except (ValueError, RecursionError) as error:
        raise broken(path, f"must be JSON, found {error}; get the file anew") from None
    except OSError as error:
        raise broken(path, f"must be a file that can be read, found {error.strerror}; mend the path") from None
    shape = "must be a mapping of columns to mappings of rows to values, as pandas writes a table in JSON"
    if not isinstance(content, dict) or not content:
        raise broken(path, f"{shape}, found {shown(content) if content else 'nothing'}; get the file anew")
    for column, cells in content.items():
        if not isinstance(cells, dict):
            raise broken(path, f"{shape}, found {shown(cells)} in column {column}; get the file anew")
    ids = list(next(iter(content.values())))
    records = Records(path, list(content), _rows(content, ids), "row", ids=ids)
    for column, cells in content.items():
        unlike = sorted(set(cells) ^ set(ids))
        if unlike:
            raise broken(
                path,
                f"column {column} must have the rows that the first column has, found row {shown(unlike[0])} in one "
                "of them only; write null where a value is missing",
            )
        for number, id_ in enumerate(ids):
            if isinstance(cells[id_], dict | list):
                text = f"must hold a number or text, found {shown(cells[id_])}; get the file anew"
                raise records.wrong(number, column, text)
    return records


def _rows(content: dict[str, dict[str, Cell]], ids: list[str]) -> Iterator[tuple[int, Sequence[Cell]]]:
    for number, id_ in enumerate(ids):
        yield number, [cells[id_] for cells in content.values()]

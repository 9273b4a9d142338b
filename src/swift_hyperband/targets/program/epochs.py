"""Rows of metrics merged by epoch, cell by cell, as the study's keys `target.metrics` say."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import RESERVED
from swift_hyperband.base.wording import shown
from swift_hyperband.targets.program.files import ProgramError
from swift_hyperband.targets.program.rows import NotANumberError, Row, Rows, number_in

Measured = dict[int, dict[str, float]]
"""Metrics by epoch, from 1, and by name."""


@dataclass(frozen=True)
class Keys:
    """The section `target.metrics` of a study; see there. Studies frozen before a key came have its default."""

    format: str = "jsonl"
    path: str | None = None
    epoch: str | None = None
    counts_from_zero: bool = False
    counts_anew: bool = False
    every: int = 1
    missing: Literal["error", "last", "diverged"] = "error"
    pattern: str | None = None
    only_new: bool = False

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> Keys:
        """Return the keys of a frozen study."""
        known = {key.name for key in fields(cls)}
        return cls(**{key: value for key, value in section.items() if key in known})


SEGMENT = Keys(format="jsonl", epoch="epoch", missing="diverged", only_new=True)
"""How a segment command writes: its own epochs alone; JSON has no word for what is not finite but null."""


@dataclass(frozen=True)
class Wanted:
    """The epochs that a start had to train, and the metric to find.

    Attributes
    ----------
    metric : str
        The study's metric.
    begin, end : int
        The epochs from begin+1 to end.
    last : dict
        The metrics of epoch `begin`, which count on where `missing: last` says so.
    alone : bool
        Whether no other trial writes to these files.
    """

    metric: str
    begin: int
    end: int
    last: Mapping[str, float] = field(default_factory=dict)
    alone: bool = False


@dataclass
class Merged:
    """Metrics by the program's epochs, from 1.

    Attributes
    ----------
    cells : Measured
    places : dict
        Where the study's metric stands, by epoch.
    empty : dict
        The last place by epoch in which the study's metric is not measured.
    fractions : list of float
        Epochs that are none, such as 0.5.
    appended : bool
        Whether earlier rows were left out, which are of earlier starts.
    """

    cells: Measured = field(default_factory=dict)
    places: dict[int, str] = field(default_factory=dict)
    empty: dict[int, str] = field(default_factory=dict)
    fractions: list[float] = field(default_factory=list)
    appended: bool = False


def merged(table: Rows, column: str, keys: Keys, wanted: Wanted) -> Merged:
    """Merge rows cell by cell: a later value of an epoch counts, an empty cell replaces none."""
    found, metric = Merged(appended=table.appended), wanted.metric
    end = wanted.end * keys.every
    numbered = _numbered(table, column, found)
    offset = int(keys.counts_from_zero)
    if keys.counts_anew:
        numbered = _last_run(numbered)
        offset += wanted.begin * keys.every
    latest, torn = 0, ""
    for number, row in numbered:
        epoch = number + offset
        cells = found.cells.setdefault(epoch, {})
        values = values_of(table, row, column, metric)
        if metric in values:
            if epoch < latest and metric in cells and not _same(cells[metric], values[metric]):
                before = f"after {cells[metric]:g} in {found.places[epoch]}"
                torn = f"{row.where} has {values[metric]:g} for epoch {epoch}, {before} and after epoch {latest}"
            elif epoch == end:
                torn = ""
            latest = max(latest, epoch)
            found.places[epoch] = row.where
        elif metric in row.cells:
            found.empty[epoch] = row.where
        cells.update(values)
    if torn:
        raise ProgramError(
            f"{table.path}: must hold one value of {metric} for each epoch, found that {torn}, as if there were two "
            f"trainings in it, of which the later one does not reach epoch {end}"
        )
    if keys.counts_anew and found.cells and (most := max(found.cells)) > end:
        raise ProgramError(
            f"{table.path}: must hold epochs up to {end}, found {most}, as the program's counter is taken to begin "
            "again with each start; if it goes on, set target.metrics.counts_anew: false"
        )
    return found


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _numbered(table: Rows, column: str, found: Merged) -> list[tuple[int, Row]]:
    """Return the rows of whole epochs; a row without one is of no epoch (a learning rate, a header in between)."""
    rows = []
    for row in table.rows:
        cell = row.cells.get(column)
        try:
            epoch = number_in(cell)
            if epoch is not None and not math.isfinite(epoch):
                raise NotANumberError
        except NotANumberError:
            raise _wrong(table, row, column, "epochs as numbers", cell) from None
        if epoch is None:
            continue
        if abs(epoch - round(epoch)) < 1e-9:
            rows.append((round(epoch), row))
        else:
            found.fractions.append(epoch)
    return rows


def _last_run(numbered: list[tuple[int, Row]]) -> list[tuple[int, Row]]:
    """Return the rows from where the epochs were counted from the beginning for the last time."""
    begin = 0
    for place in range(1, len(numbered)):
        (before, row_before), (epoch, row) = numbered[place - 1], numbered[place]
        if epoch < before or row.run != row_before.run:
            begin = place
    return numbered[begin:]


def values_of(table: Rows, row: Row, column: str | None, metric: str) -> dict[str, float]:
    """Return the numbers of a row; other cells are ignored, except in the study's metric."""
    values = {}
    for name, cell in row.cells.items():
        if name == column or name in RESERVED:
            continue
        try:
            number = number_in(cell)
        except NotANumberError:
            if name == metric:
                raise _wrong(table, row, name, "numbers", cell) from None
            continue
        if number is not None:
            values[name] = number
    return values


def _wrong(table: Rows, row: Row, column: str, what: str, cell: object) -> ProgramError:
    advice = ""
    if isinstance(cell, str) and re.fullmatch(r"\s*[-+]?\d{1,3}(,\d{3})+\.\d*\s*", cell):
        advice = "; write numbers without commas between thousands"
    elif isinstance(cell, str) and "," in cell:
        advice = "; write numbers with a point"
    elif isinstance(cell, str) and re.match(r"\s*[-+]?\.?\d[\d.]*\s*[^\d\s.]", cell) and "(" not in cell:
        advice = "; write the number alone"
    elif isinstance(cell, str) and "(" in cell:
        advice = "; write the number alone, as .item() gives it"
    return ProgramError(f"{table.path}: {row.where}, column {column} must hold {what}, found {shown(cell)}{advice}")


def joined(tables: Sequence[Merged], metric: str) -> Merged:
    """Join the metrics of several files, which must not contradict each other."""
    whole = Merged()
    for table in tables:
        for epoch, cells in table.cells.items():
            known = whole.cells.setdefault(epoch, {})
            if metric in known and metric in cells and not _same(known[metric], cells[metric]):
                raise UserError(
                    f"target.metrics.path: must fit one file, or files that agree, found {known[metric]:g} and "
                    f"{cells[metric]:g} for {metric} of epoch {epoch}; name the one that counts"
                )
            known.update(cells)
        whole.places |= table.places
        whole.empty |= table.empty
        whole.fractions += table.fractions
        whole.appended |= table.appended
    return whole

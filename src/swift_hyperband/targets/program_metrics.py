"""Metrics as programs leave them, by epoch: the rows of a start's files, merged cell by cell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from swift_hyperband.errors import UserError
from swift_hyperband.study_errors import shown, suggestion
from swift_hyperband.targets import metrics_rows
from swift_hyperband.targets.metrics_files import NothingMeasuredError, ProgramError, Written, paths_of
from swift_hyperband.targets.metrics_rows import NotANumberError, Row, Rows, number_in

__all__ = ["SEGMENT", "Keys", "NothingMeasuredError", "ProgramError", "Wanted", "measured"]

Measured = dict[int, dict[str, float]]
"""Metrics by epoch, from 1, and by name."""

RESERVED = ("epoch", "seconds")
SHOWN_COLUMNS = 12


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
    """What a start was to train, and what is looked for.

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


def measured(files: Sequence[Written], keys: Keys, wanted: Wanted) -> Measured:
    """Return the metrics of the epochs that a start trained, up to the first value that is not finite.

    Parameters
    ----------
    files : sequence of Written
        What the start wrote.
    keys : Keys
    wanted : Wanted

    Raises
    ------
    ProgramError
        If a file, a row or a cell does not hold what it must, or an epoch has no value: one line.
    UserError
        If the section `target.metrics` cannot be right.
    """
    try:
        return _measured(files, keys, wanted)
    except NothingMeasuredError:
        # a training from the first epoch that writes its log anew may begin with the very lines that were there
        if wanted.begin or not wanted.alone or not any(file.appended for file in files):
            raise
        return _measured([Written(file.path) for file in files], keys, wanted)


def _measured(files: Sequence[Written], keys: Keys, wanted: Wanted) -> Measured:
    if keys.format == "tensorboard":
        # a folder is a run: two of them may have the same tags, such as train and validation
        tables = [
            metrics_rows.from_events([file for file in files if file.path.parent == folder])
            for folder in dict.fromkeys(file.path.parent for file in files)
        ]
    else:
        tables = [_rows(file, keys, wanted.metric) for file in files]
    column = _epoch_column(keys)
    _check_columns(tables, column, keys, wanted)
    if column is None:
        if copied := [file for file in files if file.copied]:
            raise ProgramError(
                f"{copied[0].path} must be written by each start of the program, found what the state that it went on "
                "from has already; name the column of the epoch: target.metrics.epoch"
            )
        return _in_turn(tables, keys, wanted)
    found = _joined([_merged(table, column, keys, wanted) for table in tables], wanted.metric)
    if keys.only_new and wanted.begin and found.cells and (first := min(found.cells)) <= wanted.begin:
        raise ProgramError(
            f"the program must train from epoch {wanted.begin + 1} on, found epoch {first} in {paths_of(files)}; "
            "does it read --from? else set target.resumable: false"
        )
    return _picked(found, paths_of(files), keys, wanted)


def _rows(file: Written, keys: Keys, metric: str) -> Rows:
    match keys.format:
        case "csv":
            return metrics_rows.from_table(file)
        case "tsv":
            return metrics_rows.from_table(file, "\t")
        case "json":
            return metrics_rows.from_json(file, metric, keys.epoch)
        case "jsonl":
            return metrics_rows.from_jsonl(file, keys.pattern)
    return metrics_rows.from_text(file, keys.pattern or "")


def _epoch_column(keys: Keys) -> str | None:
    if keys.format == "tensorboard":
        return metrics_rows.STEP
    if keys.format != "regex" or keys.epoch is not None:
        return keys.epoch
    return "epoch" if "epoch" in metrics_rows.compiled(keys.pattern or "").groupindex else None


def _check_columns(tables: Sequence[Rows], column: str | None, keys: Keys, wanted: Wanted) -> None:
    """Check that there are rows with the columns that are looked for."""
    names = list(dict.fromkeys(name for table in tables for name in table.columns))
    path = tables[0].path
    counts_on = keys.missing == "last" and wanted.metric in wanted.last
    if not counts_on and not any(table.rows for table in tables):
        new = "new ones after those of earlier starts" if any(table.appended for table in tables) else "rows"
        what = "place where target.metrics.pattern fits" if keys.format == "regex" else new
        raise NothingMeasuredError(
            f"{path} must hold metrics of the epochs {wanted.begin + 1} to {wanted.end}, found no {what}"
        )
    for key, name in (("epoch", column), ("metric", wanted.metric)):
        if twice := [table for table in tables if name in table.twice]:
            raise ProgramError(f"{twice[0].path} must name each column once, found {name} several times")
        # a start may well report nothing where the last value counts on
        if name is not None and name not in names and not counts_on:
            what = f"the column {name} of epochs" if key == "epoch" else f"a column {name}, as target.metric says"
            others = f" and {len(names) - SHOWN_COLUMNS} more" if len(names) > SHOWN_COLUMNS else ""
            found = ", ".join(names[:SHOWN_COLUMNS]) + others
            raise ProgramError(f"{path} must have {what}, found {found or 'none'}{suggestion(name, names)}")


# --- rows with an epoch ------------------------------------------------------------------------------------------


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


def _merged(table: Rows, column: str, keys: Keys, wanted: Wanted) -> Merged:
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
        values = _values(table, row, column, metric)
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


def _values(table: Rows, row: Row, column: str | None, metric: str) -> dict[str, float]:
    """Return the numbers of a row; what else it holds does not count, but in the study's metric."""
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
    if isinstance(cell, str) and "," in cell:
        advice = "; write numbers with a point"
    elif isinstance(cell, str) and "(" in cell:
        advice = "; write the number alone, as .item() gives it"
    return ProgramError(f"{table.path}: {row.where}, column {column} must hold {what}, found {shown(cell)}{advice}")


def _joined(tables: Sequence[Merged], metric: str) -> Merged:
    """Join what several files hold, which must not differ."""
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


def _picked(found: Merged, path: str, keys: Keys, wanted: Wanted) -> Measured:
    """Return the search's epochs: each n-th of the program's, where it reports so."""
    metric, last = wanted.metric, dict(wanted.last)
    picked: Measured = {}
    carried = {}
    if keys.missing == "last":
        carried = _carried(found, last, wanted.begin * keys.every, wanted.end * keys.every)
    for epoch in range(wanted.begin + 1, wanted.end + 1):
        place = epoch * keys.every
        cells = {**carried.get(place, {}), **found.cells.get(place, {})}
        if metric not in cells:
            if keys.missing != "diverged" or place not in found.empty:
                raise NothingMeasuredError(_nothing(found, path, place, keys, wanted))
            cells[metric] = math.nan
        picked[epoch] = cells
        if not math.isfinite(cells[metric]):
            break
    return picked


def _carried(found: Merged, last: dict[str, float], begin: int, end: int) -> Measured:
    """Return what was measured last, by each of the program's epochs."""
    carried = {}
    for epoch in range(begin + 1, end + 1):
        last = {**last, **found.cells.get(epoch, {})}
        carried[epoch] = last
    return carried


def _nothing(found: Merged, path: str, epoch: int, keys: Keys, wanted: Wanted) -> str:
    """Return what to say of an epoch without a value."""
    metric, begin, end = wanted.metric, wanted.begin * keys.every, wanted.end * keys.every
    if keys.missing == "last":
        return f"{path} must hold {metric} before or at epoch {epoch}, from which it could count on, found none"
    if epoch in found.cells:
        place = f"{found.empty[epoch]} is empty there" if epoch in found.empty else "other columns of it alone"
        return (
            f"{path} must hold {metric} for epoch {epoch}, found that {place}; if the program reports it every n-th "
            "epoch, set target.metrics.every: n, or missing: last"
        )
    new = " in what this start wrote" if found.appended else ""
    needed = f"{path} must hold metrics of the epochs {begin + 1} to {end}{new}, found none of epoch {epoch}"
    if not found.cells:
        seen = ", ".join(f"{fraction:g}" for fraction in found.fractions[:3])
        return f"{needed}; its epochs are no whole ones ({seen} ...)" if seen else needed
    first, most = min(found.cells), max(found.cells)
    epochs = f"{needed}, but {f'{first} to {most}' if most > first else first}"
    if first == 0 and most == end - 1:
        return f"{epochs}; if its first epoch is 0, set target.metrics.counts_from_zero: true"
    if begin and not keys.counts_anew and most == end - begin and first == 1:
        return f"{epochs}; if each start counts its epochs anew, set target.metrics.counts_anew: true"
    return f"{epochs}; if the program reports every n-th epoch, set target.metrics.every: n, or missing: last"


# --- rows in turn ------------------------------------------------------------------------------------------------


def _in_turn(tables: Sequence[Rows], keys: Keys, wanted: Wanted) -> Measured:
    """Return the rows as epochs, where it is certain which these are: the start's own alone, or all from the first."""
    metric, begin, end = wanted.metric, wanted.begin, wanted.end
    if len(tables) > 1:
        files = ", ".join(str(table.path) for table in tables[:3])
        raise UserError(f"target.metrics.path: must fit one file where target.metrics.epoch is left out, found {files}")
    table = tables[0]
    values = list(_reports(table, keys, metric))
    count, wish = len(values), end - begin
    if count not in (wish, end):
        ended = bool(values) and not math.isfinite(values[-1].get(metric, 0.0))
        # a training that ends by itself where it diverges
        if not (ended and count < wish and (table.appended or not begin or count <= begin)):
            raise _not_in_turn(table, count, wanted)
    if keys.missing == "last":
        values = _counted_on(table, values, wanted)
    return dict(enumerate(values[-wish:], begin + 1))


def _reports(table: Rows, keys: Keys, metric: str) -> Iterator[dict[str, float]]:
    for row in table.rows:
        values = _values(table, row, None, metric)
        if metric in values or keys.missing == "last":
            yield values
        elif keys.missing == "diverged" and metric in row.cells:
            yield {**values, metric: math.nan}


def _counted_on(table: Rows, values: Sequence[dict[str, float]], wanted: Wanted) -> list[dict[str, float]]:
    last = dict(wanted.last)
    found = []
    for number, row in enumerate(values, 1):
        last = {**last, **row}
        if wanted.metric not in last:
            raise NothingMeasuredError(
                f"{table.path} must hold {wanted.metric} in its first row, found none in {number}"
            )
        found.append(last)
    return found


def _not_in_turn(table: Rows, count: int, wanted: Wanted) -> Exception:
    begin, end = wanted.begin, wanted.end
    or_all = f", or for all from 1 on ({end})" if begin else ""
    new = "new " if table.appended else ""
    text = (
        f"{table.path} must hold one {new}value of {wanted.metric} for each of the epochs {begin + 1} to {end} "
        f"({end - begin}){or_all}, found {count}"
    )
    if count < end - begin:
        return NothingMeasuredError(text)
    return UserError(f"{text}; name the column of the epoch: target.metrics.epoch")

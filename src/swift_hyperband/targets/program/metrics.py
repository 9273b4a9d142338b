"""Metrics of programs by epoch: the rows of a start's files, merged cell by cell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import suggestion
from swift_hyperband.targets.program.epochs import SEGMENT, Keys, Measured, Merged, Wanted, joined, merged, values_of
from swift_hyperband.targets.program.files import NothingMeasuredError, ProgramError, Written, paths_of
from swift_hyperband.targets.program.formats import events, json_files, tables, text
from swift_hyperband.targets.program.patterns import compiled
from swift_hyperband.targets.program.rows import Rows

__all__ = ["SEGMENT", "Keys", "Measured", "NothingMeasuredError", "ProgramError", "Wanted", "measured"]

SHOWN_COLUMNS = 12


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
            events.from_events([file for file in files if file.path.parent == folder], keys.epoch)
            for folder in dict.fromkeys(file.path.parent for file in files)
        ]
    else:
        tables = [_rows(file, keys, wanted.metric) for file in files]
    column = _epoch_column(keys)
    _check_columns(tables, column, keys, wanted)
    if column is None:
        return _in_turn(files, tables, keys, wanted)
    found = joined([merged(table, column, keys, wanted) for table in tables], wanted.metric)
    if keys.only_new and wanted.begin and found.cells and (first := min(found.cells)) <= wanted.begin:
        raise ProgramError(
            f"the program must train from epoch {wanted.begin + 1} on, found epoch {first} in {paths_of(files)}; "
            "does it read --from? else set target.resumable: false"
        )
    picked = _picked(found, paths_of(files), keys, wanted)
    _check_zero(found, paths_of(files), keys, wanted)
    return picked


def _rows(file: Written, keys: Keys, metric: str) -> Rows:
    match keys.format:
        case "csv":
            return tables.from_table(file)
        case "tsv":
            return tables.from_table(file, "\t")
        case "json":
            return json_files.from_json(file, metric, keys.epoch)
        case "jsonl":
            return json_files.from_jsonl(file, keys.pattern)
    return text.from_text(file, keys.pattern or "", {metric, keys.epoch or "epoch"})


def _epoch_column(keys: Keys) -> str | None:
    if keys.format == "tensorboard":
        return keys.epoch or events.STEP
    if keys.format != "regex" or keys.epoch is not None:
        return keys.epoch
    return "epoch" if "epoch" in compiled(keys.pattern or "").groupindex else None


def _check_columns(tables: Sequence[Rows], column: str | None, keys: Keys, wanted: Wanted) -> None:
    """Check that there are rows with the columns that are looked for."""
    names = list(dict.fromkeys(name for table in tables for name in table.columns))
    path = tables[0].path
    counts_on = keys.missing == "last" and wanted.metric in wanted.last
    if not counts_on and not any(table.rows for table in tables):
        needed = f"{path} must hold metrics of the epochs {wanted.begin + 1} to {wanted.end}"
        raise NothingMeasuredError(f"{needed}, found no {_rows_of(tables, names, keys)}")
    for key, name in (("epoch", column), ("metric", wanted.metric)):
        if twice := [table for table in tables if name in table.twice]:
            raise ProgramError(f"{twice[0].path} must name each column once, found {name} several times")
        # a start may well report nothing where the last value counts on
        if name is not None and name not in names and not counts_on:
            what = f"the column {name} of epochs" if key == "epoch" else f"a column {name}, as target.metric says"
            raise ProgramError(f"{path} must have {what}, found {_listed(names) or 'none'}{_cure(name, names, keys)}")


def _rows_of(tables: Sequence[Rows], names: Sequence[str], keys: Keys) -> str:
    """Say what was looked for in a file."""
    if keys.format == "regex":
        return "place where target.metrics.pattern fits"
    if any(table.appended for table in tables):
        return "new ones after those of earlier starts"
    if keys.format == "jsonl":
        return "line with a JSON object"
    return f"rows below the header {_listed(names)}" if names else "rows"


def _listed(names: Sequence[str]) -> str:
    others = f" and {len(names) - SHOWN_COLUMNS} more" if len(names) > SHOWN_COLUMNS else ""
    return ", ".join(names[:SHOWN_COLUMNS]) + others


def _cure(name: str, names: Sequence[str], keys: Keys) -> str:
    if keys.format in ("csv", "tsv") and len(names) == 1 and name in names[0]:
        by = "commas, semicolons or tabs" if keys.format == "csv" else "tabs"
        return f"; cells are to be separated by {by} (format regex reads others)"
    return suggestion(name, names)


# --- rows with an epoch ------------------------------------------------------------------------------------------


def _check_zero(found: Merged, path: str, keys: Keys, wanted: Wanted) -> None:
    """Refuse a count from 0 with an epoch too many: 0 may be before any training, and all values one epoch too late."""
    if not keys.counts_from_zero or keys.counts_anew or keys.every > 1 or max(found.cells, default=0) != wanted.end + 1:
        return
    last, more = (found.cells.get(epoch, {}).get(wanted.metric, math.nan) for epoch in (wanted.end, wanted.end + 1))
    # one that is validated once more after its training is sound
    if math.isfinite(last) and math.isfinite(more) and not math.isclose(last, more, rel_tol=1e-4):
        raise ProgramError(
            f"{path} must hold epochs from {wanted.begin} to {wanted.end - 1} in its own count from 0, found "
            f"{wanted.end}, too, with another {wanted.metric}; if epoch 0 is before any training, set "
            "target.metrics.counts_from_zero: false"
        )


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
        needed = f"{path} must hold {metric} for epoch {epoch}"
        if epoch in found.empty and keys.format == "regex":
            return f"{needed}, found none in {found.empty[epoch]}; one match of target.metrics.pattern must take both"
        if epoch in found.empty:
            found_there = f"found an empty cell in {found.empty[epoch]}"
            return f"{needed}, {found_there}; {_EVERY_NTH}; if it stands for a NaN, missing: diverged"
        return f"{needed}, found other columns alone; {_EVERY_NTH}"
    new = " in what this start wrote" if found.appended else ""
    needed = f"{path} must hold metrics of the epochs {begin + 1} to {end}{new}, found none of epoch {epoch}"
    if not found.cells:
        seen = ", ".join(f"{fraction:g}" for fraction in found.fractions[:3])
        return f"{needed}; its epochs are no whole ones ({seen} ...)" if seen else needed
    first, most = min(found.cells), max(found.cells)
    return f"{needed}, but {f'{first} to {most}' if most > first else first}; {_cure_of(found, begin, end, keys)}"


_EVERY_NTH = "if the program reports every n-th epoch, set target.metrics.every: n, or missing: last"


def _cure_of(found: Merged, begin: int, end: int, keys: Keys) -> str:
    """Return what to do about an epoch that is not there, by those that are."""
    first, most = min(found.cells), max(found.cells)
    if first == 0 and most == end - 1:
        return "if its first epoch is 0, set target.metrics.counts_from_zero: true"
    if keys.counts_from_zero and first == begin + 2:
        return "if its first epoch is 1, set target.metrics.counts_from_zero: false"
    if begin and not keys.counts_anew and most == end - begin and first == 1:
        return "if each start counts its epochs anew, set target.metrics.counts_anew: true"
    if begin < most < end and all(epoch in found.cells for epoch in range(begin + 1, most)):
        return "if the program ends by itself (early stopping), switch that off: the search alone ends trainings"
    return _EVERY_NTH


# --- rows in turn ------------------------------------------------------------------------------------------------


def _in_turn(files: Sequence[Written], tables: Sequence[Rows], keys: Keys, wanted: Wanted) -> Measured:
    """Return the rows as epochs, where it is certain which these are: the start's own alone, or all from the first."""
    metric, begin, end = wanted.metric, wanted.begin, wanted.end
    if len(tables) > 1:
        found = paths_of(files)
        raise UserError(f"target.metrics.path: must fit one file where target.metrics.epoch is left out, found {found}")
    table = tables[0]
    values = list(_reports(table, keys, metric))
    count, wish = len(values), end - begin
    if count not in (wish, end):
        ended = bool(values) and not math.isfinite(values[-1].get(metric, 0.0))
        # a training that ends by itself where it diverges
        if not (ended and count < wish and (table.appended or not begin or count <= begin)):
            raise _not_in_turn(table, count, wanted)
    if files[0].same and begin and count < end:
        raise ProgramError(
            f"{table.path} must be written by each start of the program, found the same values as before; where that "
            "is right, name the column of the epoch: target.metrics.epoch"
        )
    if keys.missing == "last":
        values = _counted_on(table, values, wanted)
    return dict(enumerate(values[-wish:], begin + 1))


def _reports(table: Rows, keys: Keys, metric: str) -> Iterator[dict[str, float]]:
    for row in table.rows:
        values = values_of(table, row, None, metric)
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

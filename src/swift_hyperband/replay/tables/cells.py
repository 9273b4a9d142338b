"""Files of tables, cell by cell: errors name the file, the row and the column."""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from swift_hyperband.base.delimited import cells_of, names_of, printable
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import shown
from swift_hyperband.space.constraints import Scalar

Cell = Scalar | None
"""What a file has in a cell: text in CSV, typed in parquet and JSON. None and "" where it is empty."""

SHOWN_COLUMNS = 8


@dataclass(frozen=True)
class Records:
    """A table of records, read as it is walked through, which can be done once.

    Attributes
    ----------
    path : Path
    columns : list of str
    cells : iterator of (int, sequence of cells)
        The number of each record as `numbered` counts it, and its cells in the order of `columns`.
    numbered : "line" or "row"
        Lines of a text file, its header line 1, or rows of a table, from 1.
    notes : tuple of str
        Columns that could not be taken.
    ids : list of str, optional
        What the file itself calls its records; they are then numbered from 0.
    """

    path: Path
    columns: list[str]
    cells: Iterator[tuple[int, Sequence[Cell]]]
    numbered: str
    notes: tuple[str, ...] = ()
    ids: list[str] | None = None

    def wrong(self, number: int, column: str, text: str) -> UserError:
        """Return what to raise about a cell: `text` says what it must hold, what was found, and what to do."""
        name = shown(self.ids[number]) if self.ids else number
        return broken(self.path, f"{self.numbered} {name}, column {column} {text}")


def broken(path: Path, text: str) -> UserError:
    """Return what to raise about a file: one line, whatever the file's own text in it holds."""
    return UserError(printable(f"{path}: {text}"))


def listed(columns: Sequence[str]) -> str:
    """Return columns as a message names them, of many the first."""
    if not columns:
        return "none"
    more = f" and {len(columns) - SHOWN_COLUMNS} more" if len(columns) > SHOWN_COLUMNS else ""
    return ", ".join(column[:40] for column in columns[:SHOWN_COLUMNS]) + more


def check_file(path: Path) -> None:
    """Check that there is a file with something in it.

    Raises
    ------
    UserError
        If not.
    """
    try:
        if path.is_dir():
            raise broken(path, "must be a file with a table of curves, found a folder; name a file in it")
        if path.stat().st_size == 0:
            raise broken(path, "must hold a table of curves, found an empty file; get the file anew")
    except FileNotFoundError:
        raise broken(path, "must be a file with a table of curves, found no such file; mend the path") from None
    except OSError as error:
        raise broken(path, f"must be a file that can be read, found {error.strerror}; mend the path") from None


def open_text(path: Path) -> TextIO:
    """Open a text file, compressed if its name ends in .gz. A byte order mark, as Excel writes it, is skipped."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", newline="", encoding="utf-8-sig")
    return path.open(newline="", encoding="utf-8-sig")


NOT_TEXT = (UnicodeError, EOFError, zlib.error, gzip.BadGzipFile)
"""What reading raises if a file is neither text nor compressed text."""


def read_csv(path: Path) -> Records:
    """Read a CSV file with a header; blank lines are skipped.

    Raises
    ------
    UserError
        If the file is not there, is no CSV or its header names a column twice. While the cells are read, if a line
        has more or fewer cells than the header.
    """
    check_file(path)
    lines = _csv_lines(path)
    _, header = next(lines, (1, []))
    columns = names_of(header)
    _check_columns(path, columns)
    return Records(path, columns, _checked(path, lines, len(columns)), "line")


def _csv_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        with open_text(path) as file:
            for number, cells in cells_of(file):
                yield number, cells
    except NOT_TEXT:
        raise broken(
            path, f"must be a CSV file in UTF-8, found other bytes after line {number}; get the file anew"
        ) from None
    except csv.Error as error:
        raise broken(path, f"must be a CSV file, found {error} after line {number}; mend it there") from None
    except OSError as error:
        raise broken(path, f"must be a file that can be read, found {error.strerror}; mend the path") from None


def _checked(path: Path, lines: Iterator[tuple[int, list[str]]], width: int) -> Iterator[tuple[int, Sequence[Cell]]]:
    for number, cells in lines:
        if len(cells) != width:
            raise broken(
                path,
                f"line {number} must have {width} cells as the header has, found {len(cells)}; mend the line "
                "(text with a comma in it stands in quotes)",
            )
        yield number, cells


def read_parquet(path: Path) -> Records:
    """Read a parquet file, a batch of rows at a time.

    Columns that hold neither numbers nor text nor true and false (times, lists) are left out, with a note.

    Raises
    ------
    UserError
        If the file is not there, is no parquet or has two columns of one name.
    """
    # costs a third of a second, which readers of CSV need not wait for
    import pyarrow.parquet

    types = pyarrow.types
    check_file(path)
    # what a broken file raises; a broken page only when it is read
    errors = (pyarrow.ArrowException, OSError, UnicodeError)
    wrong = broken(
        path, "must be a parquet file, found something else or a part of one, or a damaged page; get the file anew"
    )
    try:
        file = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True)
        schema = file.schema_arrow
    except errors:
        raise wrong from None
    kinds = (
        types.is_integer,
        types.is_floating,
        types.is_decimal,
        types.is_boolean,
        types.is_string,
        types.is_large_string,
        types.is_null,
    )

    def plain(type_: object) -> bool:
        if types.is_dictionary(type_):
            type_ = type_.value_type  # type: ignore[attr-defined]
        return any(kind(type_) for kind in kinds)

    taken = [place for place, field in enumerate(schema) if plain(field.type)]
    left_out = [field.name for field in schema if not plain(field.type)]

    def rows() -> Iterator[tuple[int, Sequence[Cell]]]:
        number = 0
        try:
            for batch in file.iter_batches(batch_size=10_000):
                columns = [batch.column(place).to_pylist() for place in taken]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield number, [_plain(cell) for cell in cells]
        except errors:
            raise wrong from None

    columns = [schema[place].name for place in taken]
    _check_columns(path, columns)
    notes = (f"columns that hold neither numbers nor text are left out: {listed(left_out)}",) if left_out else ()
    return Records(path, columns, rows(), "row", notes)


def _plain(cell: object) -> Cell:
    # decimals and half floats become floats
    return cell if cell is None or isinstance(cell, bool | int | float | str) else float(cell)  # type: ignore[arg-type]


def _check_columns(path: Path, columns: list[str]) -> None:
    # columns without a name, as pandas writes its index, are left out later
    name, count = max(Counter(filter(None, columns)).items(), key=lambda item: item[1], default=("", 0))
    if count == 0:
        raise broken(path, "must begin with the names of its columns, found none; get the file anew")
    if count > 1:
        raise broken(path, f"must name each column once, found {shown(name)} {count} times; rename or remove one")


def is_empty(cell: Cell) -> bool:
    """Return whether a cell holds nothing."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def number_in(cell: Cell) -> float:
    """Return the number in a cell, nan if the cell is empty.

    Raises
    ------
    ValueError
        If it holds something else.
    """
    if is_empty(cell) or cell is None:
        return math.nan
    # Python reads "1_000" as a number, and true as 1
    if isinstance(cell, bool) or (isinstance(cell, str) and "_" in cell):
        raise ValueError
    try:
        return float(cell)
    except OverflowError:
        return math.copysign(math.inf, int(cell))


def metric_in(records: Records, number: int, column: str, cell: Cell) -> float:
    """Return the number in a cell of a curve, nan if the cell is empty.

    Raises
    ------
    UserError
        If it holds something else.
    """
    try:
        return number_in(cell)
    except ValueError:
        text = f"must hold a number, found {shown(cell)}; correct the cell, or empty it where nothing was recorded"
        raise records.wrong(number, column, text) from None


def typed(records: Records, column: str, numbers: Sequence[int], cells: Sequence[Cell]) -> list[Scalar | None]:
    """Return a hyperparameter's values: numbers, or true and false, if all cells hold such, else text.

    Empty cells become None, as do values that are no number (nan) among numbers.

    Parameters
    ----------
    records : Records
    column : str
    numbers : sequence of int
        The number of each cell's record.
    cells : sequence of cells

    Raises
    ------
    UserError
        If a value is infinite.
    """
    filled = [cell for cell in cells if not is_empty(cell)]
    if filled and all(isinstance(cell, bool) or cell in ("True", "False", "true", "false") for cell in filled):
        return [None if is_empty(cell) else str(cell).lower() == "true" for cell in cells]
    try:
        values = [number_in(cell) for cell in cells]
    except ValueError:
        return [None if is_empty(cell) else cell if isinstance(cell, str) else shown(cell) for cell in cells]
    for number, value, cell in zip(numbers, values, cells, strict=True):
        if math.isinf(value):
            text = f"must hold a finite number for the hyperparameter, found {shown(cell)}; correct or empty the cell"
            raise records.wrong(number, column, text)
    whole = all(_is_whole(cell) for cell in filled)
    return [
        None if math.isnan(value) else int(cell) if whole and cell is not None else value
        for value, cell in zip(values, cells, strict=True)
    ]


def _is_whole(cell: Cell) -> bool:
    return isinstance(cell, int) or (isinstance(cell, str) and cell.strip().lstrip("+-").isdecimal())

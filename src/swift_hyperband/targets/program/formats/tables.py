"""Tables with a header: comma- or tab-separated values."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from swift_hyperband.base.delimited import cells_of, names_of
from swift_hyperband.targets.program.files import ProgramError, Written, count_lines
from swift_hyperband.targets.program.rows import Row, Rows


def from_table(file: Written, between: str | None = None) -> Rows:
    """Read a table with a header, which may be repeated."""
    path, text = file.path, file.text()
    old = count_lines(file.old_text())
    columns: list[str] = []
    rows: list[Row] = []
    run = number = 0
    try:
        for number, cells in cells_of(io.StringIO(text, newline=""), between):
            if not columns:
                columns = names_of(cells)
            elif cells[0].strip() == columns[0] and names_of(cells) == columns:
                run += 1
            elif number > old:
                rows.append(
                    Row(f"line {number}", dict(zip(columns, _fitted(path, number, cells, columns), strict=True)), run)
                )
    except csv.Error as error:
        raise ProgramError(f"{path}: must be a table, found {error} after line {number}") from None
    count = Counter(columns)
    twice = [name for name in count if count[name] > 1 and name]
    kept = [Row(row.where, _without(row.cells, twice), row.run) for row in rows] if twice or "" in count else rows
    return Rows(path, kept, [name for name in count if name], twice, file.appended)


def _fitted(path: Path, number: int, cells: list[str], columns: Sequence[str]) -> list[str]:
    if any(cell.strip() for cell in cells[len(columns) :]) or len(cells) < len(columns):
        why = "does the program write decimal commas, or was it killed in the middle of a line?"
        if columns[0].startswith("#") or cells[0].lstrip().startswith("#"):
            why = "a table has no lines of comment (#): leave them out"
        raise ProgramError(
            f"{path}: line {number} must have {len(columns)} cells as the header has, found {len(cells)}; {why}"
        )
    return cells[: len(columns)]


def _without(cells: Mapping[str, Any], twice: Sequence[str]) -> dict[str, Any]:
    return {name: cell for name, cell in cells.items() if name and name not in twice}

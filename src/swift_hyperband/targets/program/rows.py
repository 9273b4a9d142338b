"""Rows of metrics, whatever the format of their file: their place, their cells by name, and the numbers in them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

NOT_MEASURED = frozenset({"", "na", "n/a", "#n/a", "<na>", "none", "null"})
NAN = re.compile(r"[-+]?(nan(\(\w*\))?|1\.#(QNAN|SNAN|IND|INF)\d*)", re.IGNORECASE)
"""Other words for not a number: those of C, and of Microsoft's old libraries."""


class Row(NamedTuple):
    """A row or record: its place in the file, its cells, and the number of its run, by repeated headers."""

    where: str
    cells: Mapping[str, Any]
    run: int = 0


@dataclass(frozen=True)
class Rows:
    """The rows of a file that are of this start.

    Attributes
    ----------
    path : Path
    rows : sequence of Row
    columns : sequence of str
        All names, also of cells that are empty.
    twice : sequence of str
        Names of several columns, which tell nothing: they are left out of the rows.
    appended : bool
        Whether earlier rows were left out, so that these are certainly of this start.
    """

    path: Path
    rows: Sequence[Row]
    columns: Sequence[str]
    twice: Sequence[str] = field(default_factory=tuple)
    appended: bool = False


class NotANumberError(ValueError):
    """A cell holds text that is no number."""


def number_in(cell: object) -> float | None:
    """Return the number in a cell, also nan and infinity; None if nothing was measured.

    Raises
    ------
    NotANumberError
        If it holds something else.
    """
    if cell is None:
        return None
    if isinstance(cell, str):
        return _number_in_text(cell.strip())
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise NotANumberError
    try:
        return float(cell)
    except OverflowError:
        return math.copysign(math.inf, cell)


def _number_in_text(text: str) -> float | None:
    if not text:
        return None
    # Python reads "1_000" as a number
    if "_" not in text:
        with suppress(ValueError):
            return float(text)
    if text.lower() in NOT_MEASURED:
        return None
    if NAN.fullmatch(text):
        return math.nan
    raise NotANumberError


def names_in(rows: Sequence[Row]) -> list[str]:
    """Return the names of all cells, each once, in the order in which they come."""
    return list(dict.fromkeys(name for row in rows for name in row.cells))

"""Tables of figures: Markdown for people, CSV for programs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

LONG = 1e7
"""From this size on numbers are written with their power of ten."""


def plus_minus(mean: float, half: float | None, unit: str = "") -> str:
    """Return a mean with half its interval, to two digits of the latter: 442.42 ± 0.24.

    Parameters
    ----------
    mean : float
    half : float or None
        0, nan or None: the mean alone.
    unit : str
        Set behind both.
    """
    if half is None or not half > 0 or not math.isfinite(half):
        return f"{_short(mean)}{unit}"
    if max(abs(mean), half) >= LONG:
        return f"{mean:.1e} ± {half:.0e}{unit}"
    digits = max(0, 1 - math.floor(math.log10(half)))
    return f"{mean:.{digits}f} ± {half:.{digits}f}{unit}"


def _short(value: float) -> str:
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.5g}"


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a table in Markdown with aligned columns; all but the first `left` are aligned to the right."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in [columns, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(columns))]

    def line(row: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * (width + 2) if column < left else "-" * (width + 1) + ":" for column, width in enumerate(widths)]
    return "\n".join([line(cells[0]), f"|{'|'.join(rule)}|", *map(line, cells[1:])]) + "\n"


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows of the same keys, at least one, as CSV; a missing value is an empty cell."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()

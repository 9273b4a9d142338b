"""Text in which an expression finds the metrics."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Collection, Sequence
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import shown
from swift_hyperband.targets.program.files import Written, count_lines
from swift_hyperband.targets.program.patterns import compiled, longer_number, patience
from swift_hyperband.targets.program.rows import Row, Rows

PAIR = ("name", "value")
"""Named groups of a pattern that finds the metrics of a line one by one, whatever their names."""


def from_text(file: Written, pattern: str, numbers: Collection[str] = ()) -> Rows:
    """Read what an expression finds: named groups are cells; or `name` and `value` are, each pair of a line in turn.

    Parameters
    ----------
    file : Written
    pattern : str
    numbers : collection of str
        Groups that must not hold a piece of a longer number.
    """
    old = count_lines(file.old_text())
    lines = [(number, line) for number, line in enumerate(re.split(r"\r\n?|\n", file.text(strict=False)), 1)]
    lines = [(number, line) for number, line in lines if number > old and line.strip()]
    text = "\n".join(line for _, line in lines)
    starts = list(itertools.accumulate((len(line) + 1 for _, line in lines), initial=0))[:-1]
    expression = compiled(pattern)
    with patience(file.path, len(text)):
        matches = list(expression.finditer(text))
    found = [(bisect.bisect_right(starts, match.start()) - 1, match.groupdict()) for match in matches]
    whole = [name for name in (*numbers, PAIR[1]) if name in expression.groupindex]
    for name, match in itertools.product(whole, matches):
        if match[name] and (longer := longer_number(text, *match.span(name))) is not None:
            number = lines[bisect.bisect_right(starts, match.start(name)) - 1][0]
            found_there = f"that {name} takes {shown(match[name])} of {shown(longer)} in line {number} of {file.path}"
            raise UserError(
                f"target.metrics.pattern: must take whole numbers, found {found_there}; \\S+ takes all up to a blank"
            )
    cells: list[tuple[int, dict[str, Any]]] = found
    columns = list(expression.groupindex)
    if set(PAIR) <= set(columns):
        cells = _pairs(found)
        columns = list(dict.fromkeys(itertools.chain.from_iterable(row for _, row in cells)))
    rows = [Row(f"line {lines[place][0]}", row) for place, row in cells]
    return Rows(file.path, rows, columns, appended=file.appended)


def _pairs(found: Sequence[tuple[int, dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
    """Return a row for each line in which pairs of name and value follow on what tells its epoch."""
    rows: list[tuple[int, dict[str, Any]]] = []
    for place, groups in found:
        rest = {name: value for name, value in groups.items() if name not in PAIR and value is not None}
        if rest:
            rows.append((place, rest))
        if groups["name"] is not None and rows and rows[-1][0] == place:
            rows[-1][1][groups["name"].strip()] = groups["value"]
    return rows

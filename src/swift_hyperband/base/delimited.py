"""Tables in text with a header, for all who read such: what separates their cells, how their names are written."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

SEPARATORS = (",", ";", "\t")


def separator(header: str) -> str:
    """Return what separates the names of a header: what stands there most often, outside of quotes; else a comma."""
    bare = re.sub(r'"[^"]*"?', "", header)
    return max(SEPARATORS, key=bare.count)


def cells_of(lines: Iterable[str], between: str | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line that is not blank, from 1, and its cells; a blank before a cell does not count.

    Parameters
    ----------
    lines : iterable of str
        With their ends, as a file opened with `newline=""` has them.
    between : str, optional
        What separates the cells; guessed from the first line if left out.

    Raises
    ------
    csv.Error
        If a quote does not fit.
    """
    rest = iter(lines)
    blank = 0
    for first in rest:
        if first.strip():
            break
        blank += 1
    else:
        return
    reader = csv.reader(
        itertools.chain([first], rest), delimiter=between or separator(first), skipinitialspace=True, strict=True
    )
    for cells in reader:
        # a line of blanks is no row
        if cells and (len(cells) > 1 or cells[0].strip()):
            yield blank + reader.line_num, cells


def names_of(header: Sequence[str]) -> list[str]:
    """Return the names of columns, without the blanks with which some writers pad them."""
    return [name.strip() for name in header]


def printable(text: str) -> str:
    """Return a text as one line that a terminal shows as it is."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in " ".join(text.split())
    )

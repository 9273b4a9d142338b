"""Walking once through a table with a row for each configuration and epoch: 8 bytes of memory a cell."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.base.wording import shown
from swift_hyperband.replay.tables.cells import Cell, Records, broken, is_empty, number_in

LARGEST_EPOCH = 2**31
"""No table has more; larger whole numbers would not fit in what holds them."""


@dataclass
class Column:
    """What is known of a column, as far as the table was walked through.

    Attributes
    ----------
    firsts : list of cells
        The first cell of each configuration.
    values : array of float
        The numbers in the cells, nan where there is none.
    some_number : bool
        Whether any cell holds a number.
    changed : tuple of int and cell, or None
        The first record in which a configuration's cell is another one than in its first record.
    text : tuple of int and cell, or None
        The first record whose cell is neither empty nor a number.
    """

    firsts: list[Cell] = field(default_factory=list)
    values: array[float] = field(default_factory=lambda: array("d"))
    some_number: bool = False
    changed: tuple[int, Cell] | None = None
    text: tuple[int, Cell] | None = None

    def add(self, number: int, configuration: int, cell: Cell) -> None:
        """Take the next record's cell."""
        if configuration == len(self.firsts):
            self.firsts.append(cell)
        elif self.changed is None and not _are_equal(cell, self.firsts[configuration]):
            self.changed = number, cell
        try:
            value = number_in(cell)
        except ValueError:
            self.text = self.text or (number, cell)
            value = math.nan
        self.some_number = self.some_number or not math.isnan(value)
        self.values.append(value)


def _are_equal(one: Cell, other: Cell) -> bool:
    return one == other or (_is_missing(one) and _is_missing(other))


def _is_missing(cell: Cell) -> bool:
    return is_empty(cell) or (isinstance(cell, float) and math.isnan(cell))


@dataclass(frozen=True, eq=False)
class Walk:
    """A table of records, sorted out by configuration and epoch.

    Attributes
    ----------
    records : Records
        Used up.
    ids : list of str
        The configurations, in the order of their first records.
    columns : dict of str to Column
        By name, but for id, epoch and seconds.
    numbers, configurations, epochs : NDArray of int
        Of each record: its number in the file, its configuration's place in `ids` and its epoch, from 0.
    seconds : NDArray of float or None
        Of each record, nan where it does not tell; None if there is no such column.
    recorded : NDArray of int
        How many epochs each configuration has.
    from_zero : bool
        Whether the file counts epochs from 0.
    """

    records: Records
    ids: list[str]
    columns: dict[str, Column]
    numbers: NDArray[np.int64]
    configurations: NDArray[np.int64]
    epochs: NDArray[np.int64]
    seconds: NDArray[np.float64] | None
    recorded: NDArray[np.int64]
    from_zero: bool


def walk(records: Records, id_: str, wanted: list[str]) -> Walk:
    """Read all records.

    Parameters
    ----------
    records : Records
        With a column `epoch`.
    id_ : str
        The column that names the configuration.
    wanted : list of str
        The columns to keep.

    Raises
    ------
    UserError
        If a cell of `id_`, `epoch` or `seconds` is broken, an epoch of a configuration is there twice or missing, or
        there are no records.
    """
    names = records.columns
    columns = {name: Column() for name in wanted}
    places = [(names.index(name), column) for name, column in columns.items()]
    id_place, epoch_place = names.index(id_), names.index("epoch")
    seconds_place = names.index("seconds") if "seconds" in names else None
    ids: dict[str, int] = {}
    numbers, configurations, epochs, seconds = array("q"), array("q"), array("q"), array("d")
    for number, cells in records.cells:
        if is_empty(cells[id_place]):
            raise records.wrong(
                number, id_, "must name the configuration that the row is of, found nothing; fill the cell"
            )
        configuration = ids.setdefault(str(cells[id_place]).strip(), len(ids))
        numbers.append(number)
        configurations.append(configuration)
        epochs.append(_epoch(records, number, cells[epoch_place]))
        if seconds_place is not None:
            seconds.append(_seconds(records, number, cells[seconds_place]))
        for place, column in places:
            column.add(number, configuration, cells[place])
    if not ids:
        raise broken(records.path, "must hold at least one row of a curve, found none; record curves first")
    first = min(1, min(epochs))
    found = Walk(
        records,
        list(ids),
        columns,
        np.array(numbers),
        np.array(configurations),
        np.array(epochs) - first,
        np.array(seconds) if seconds_place is not None else None,
        np.bincount(np.array(configurations)),
        from_zero=first == 0,
    )
    _check_epochs(found)
    return found


def _epoch(records: Records, number: int, cell: Cell) -> int:
    try:
        value = number_in(cell)
    except ValueError:
        value = math.nan
    if not (value.is_integer() and 0 <= value < LARGEST_EPOCH):
        found = "nothing" if is_empty(cell) else shown(cell)
        raise records.wrong(number, "epoch", f"must hold a whole number from 1 on, found {found}; count epochs from 1")
    return int(value)


def _seconds(records: Records, number: int, cell: Cell) -> float:
    try:
        value = number_in(cell)
    except ValueError:
        value = -1.0
    if value < 0 or math.isinf(value):
        text = f"must hold a number of at least 0, found {shown(cell)}; correct or empty the cell"
        raise records.wrong(number, "seconds", text)
    return value


def _check_epochs(found: Walk) -> None:
    """Check that the epochs of each configuration, in whatever order, follow on one another from the first on."""
    order = np.lexsort((found.numbers, found.epochs, found.configurations))
    configurations, epochs, numbers = found.configurations[order], found.epochs[order], found.numbers[order]
    expected = np.arange(len(order)) - (np.cumsum(found.recorded) - found.recorded)[configurations]
    wrong = epochs != expected
    if not wrong.any():
        return
    place = int(wrong.argmax())
    name, number = shown(found.ids[configurations[place]]), int(numbers[place])
    first = 0 if found.from_zero else 1
    epoch, missing = int(epochs[place]) + first, int(expected[place]) + first
    if epoch < missing:
        raise found.records.wrong(
            number,
            "epoch",
            f"must hold each epoch of configuration {name} once, found {epoch} again (it is in "
            f"{found.records.numbered} {numbers[place - 1]} too); remove one of the two",
        )
    raise found.records.wrong(
        number,
        "epoch",
        f"must have a row for epoch {missing} of configuration {name} before it, found epoch {epoch} and no such row; "
        f"add it (an empty cell is a value that is not finite) or number the epochs {first}, {first + 1}, ...",
    )

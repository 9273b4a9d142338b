"""Reading a file of recorded learning curves: a published table, our own curves.parquet, or another table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import At, Mode
from swift_hyperband.base.wording import one_of, shown, suggestion
from swift_hyperband.replay.tables.cells import NOT_TEXT, broken, check_file, listed, open_text, read_csv
from swift_hyperband.replay.tables.long import read_long
from swift_hyperband.replay.tables.published import PUBLISHED, Published, read_published
from swift_hyperband.replay.tables.table import CurveTable

__all__ = ["FORMATS", "PUBLISHED", "Published", "guess", "published_epochs", "read"]

FORMATS = (*PUBLISHED, "long")


def read(
    path: Path,
    format: str | None = None,  # noqa: A002
    metric: str | None = None,
    mode: str | None = None,
    at: At = "last",
) -> CurveTable:
    """Read a table of learning curves.

    Parameters
    ----------
    path : Path
    format : one of FORMATS, optional
        Guessed from the file if left out.
    metric, mode : str, optional
        Known for the published formats. In a long table, the metric may be left out if there is just one, the mode
        ("min" or "max") if the metric's name tells.
    at : {"last", "best"}
        Which epoch of a curve counts.

    Raises
    ------
    UserError
        If the file does not hold what it must: one line with the file, the row and the column.
    """
    if format not in (None, *FORMATS):
        raise UserError(f"--format must be {one_of(FORMATS)}, found {shown(format)}{suggestion(format, FORMATS)}")
    known: Mode | None = next((name for name in get_args(Mode) if name == mode), None)
    if mode is not None and known is None:
        raise UserError(f"--mode must be min or max, found {shown(mode)}")
    format_ = format or guess(path)
    if format_ == "long":
        table = read_long(path, metric, known)
    else:
        published = PUBLISHED[format_]
        for given, holds, what in ((metric, published.metric, "metric"), (known, published.mode, "mode")):
            if given not in (None, holds):
                text = (
                    f"--{what} must be {holds} for a table of the format {format_}, found {shown(given)}; leave it out"
                )
                raise broken(path, f"{text} or give another --format")
        table = read_published(path, format_)
    table = replace(table, metric=replace(table.metric, at=at))
    if repeats := int(table.repeats.sum()):
        note = f"{repeats} of {table.rows} rows repeat the configuration of an earlier one"
        return replace(table, notes=(*table.notes, note))
    return table


def published_epochs(table: CurveTable) -> int | None:
    """Return the epochs to which publications replay a table; None if it is no published one, or ends before."""
    for published in PUBLISHED.values():
        if (published.name, published.metric, published.mode) == (table.name, table.metric.name, table.metric.mode):
            return published.max_epochs if published.max_epochs <= table.epochs else None
    return None


def guess(path: Path) -> str:
    """Return the format that a file has by its name and its first bytes.

    Raises
    ------
    UserError
        If it looks like none.
    """
    check_file(path)
    if path.suffix.lower() == ".parquet":
        return "long"
    try:
        with open_text(path) as file:
            begin = file.read(1000).lstrip()
    except (*NOT_TEXT, OSError):
        # read_csv tells what is wrong
        begin = ""
    if begin.startswith(("{", "[")):
        return "cifar10"
    columns = read_csv(path).columns
    if "epoch" in columns:
        return "long"
    if "acc_1" in columns and "net" in columns:
        return "svhn"
    for format_ in ("mlpf", "ptb"):
        if f"{PUBLISHED[format_].prefix}0" in columns:
            return format_
    raise broken(
        path,
        "must be a table of curves, with a column epoch and a row for each configuration and epoch, or in one of the "
        f"published formats, found columns {listed(columns)}; give --format {one_of(FORMATS)} if it is one",
    )

"""`swift-hyperband trials`: the table of the trials of a search."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.markup import escape

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import number
from swift_hyperband.cli.arguments import at_least
from swift_hyperband.cli.console import console, table
from swift_hyperband.cli.where import add_where, started
from swift_hyperband.report.tables import csv_text
from swift_hyperband.report.trials import Row, flat, rows
from swift_hyperband.results.history import History
from swift_hyperband.results.standing import Fate

SHOWN = 20
"""Trials that are shown, unless the user says how many."""
COLUMNS = ("rank", "value", "epochs", "seconds", "bracket", "trial", "status")
"""Columns to sort by, besides hyperparameters."""
STATUS = {str(fate.value).replace(" ", "-"): fate for fate in Fate}
PADDING = 3
"""Letters between two columns."""
SHORT = {Fate.STOPPED: "stopped"}
"""Fates in the table, where hyperparameters need the room."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `trials` takes."""
    parser.description = (
        "Print the trials of a search, the best first: the winner leads, then come those that trained further, then "
        "the better ones."
    )
    add_where(parser)
    shown = f"how many to print (default: {SHOWN}, with --json and --csv all)"
    parser.add_argument("--top", type=int, action=at_least(1), metavar="N", help=shown)
    parser.add_argument(
        "--sort",
        metavar="COLUMN",
        default="rank",
        help=f"{', '.join(COLUMNS)}, the metric or a hyperparameter; better values and smaller others come first",
    )
    parser.add_argument("--reverse", action="store_true", help="sort the other way round")
    parser.add_argument(
        "--status", action="append", choices=list(STATUS), help="only trials with this fate; may be given several times"
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--json", action="store_true", help="print JSON")
    kind.add_argument("--csv", action="store_true", help="print CSV")
    parser.set_defaults(run=_trials)


def _trials(options: argparse.Namespace) -> int:
    history = History(started(options.where))
    names = list(history.study.space)
    found = _ordered(rows(history), options, history)
    whole = len(found)
    top = options.top or (whole if options.json or options.csv else SHOWN)
    found = found[:top]
    if options.json:
        print(json.dumps([row.to_json() for row in found], indent=1))
    elif options.csv:
        lines = flat(found, names)
        # a table without rows has its head
        head = flat([Row(0, "", Fate.RUNNING, 0, 0, None, None, {})], names)
        print(csv_text(lines) if lines else csv_text(head).partition("\n")[0] + "\n", end="")
    elif not found:
        print("no trial yet" if not history.trials else "no trial with this status")
    else:
        _show(found, whole, names, history)
    return 0


def _ordered(found: Sequence[Row], options: argparse.Namespace, history: History) -> list[Row]:
    """Return the wanted rows in the wanted order; those that lack the value come last."""
    wanted = {STATUS[status] for status in options.status or STATUS}
    found = [row for row in found if row.status in wanted]
    key = _key(options.sort, history)
    have = [row for row in found if key(row) is not None]
    lack = [row for row in found if key(row) is None]
    try:
        have.sort(key=key, reverse=options.reverse)
    except TypeError:
        # choices of several types
        have.sort(key=lambda row: str(key(row)), reverse=options.reverse)
    return have + lack


def _key(column: str, history: History) -> Callable[[Row], Any]:
    metric = history.study.metric
    if column in ("value", metric.name) and column not in history.study.space:
        return lambda row: None if row.value is None else metric.loss(row.value)
    # a hyperparameter may have the name of a column, which then stands for itself
    if column in COLUMNS:
        return lambda row: getattr(row, column)
    if column in history.study.space:
        return lambda row: row.configuration.get(column)
    known = ", ".join([*COLUMNS, metric.name, *history.study.space])
    raise UserError(f"--sort must be one of {known}; found {column!r}")


def _show(found: Sequence[Row], whole: int, names: Sequence[str], history: History) -> None:
    screen = console()
    columns: dict[str, list[str]] = {
        "#": [str(row.rank) for row in found],
        "trial": [row.trial for row in found],
        "status": [SHORT.get(row.status, row.status.value) for row in found],
        "epochs": [str(row.epochs) for row in found],
        _word(history.study.metric.name): [_cell(row.value) for row in found],
    }
    # hyperparameters before what can be missed; these may have the same names
    more = [(_word(name), [_cell(row.configuration.get(name)) for row in found]) for name in names]
    more += [("bracket", [str(row.bracket) for row in found]), ("seconds", [_cell(row.seconds) for row in found])]
    left, room = [], screen.width - sum(_width(name, cells) for name, cells in columns.items())
    shown = list(columns.items())
    for name, cells in more:
        if (width := _width(name, cells)) <= room:
            room -= width
            shown.append((name, cells))
        else:
            left.append(name)
    printed = table(*(escape(name) for name, _ in shown))
    for place in (1, 2):
        printed.columns[place].justify = "left"
    for column in printed.columns:
        column.no_wrap = True
    for line in zip(*(cells for _, cells in shown), strict=True):
        printed.add_row(*map(escape, line))
    screen.print(printed)
    if len(found) < whole:
        print(f"{len(found)} of {whole} trials; --top {whole} shows all")
    if left:
        print(f"no room for {', '.join(left)}; --json and --csv have all columns")


def _width(name: str, cells: Sequence[str]) -> int:
    return max(map(cell_len, (name, *cells))) + PADDING


def _cell(value: object) -> str:
    return "" if value is None else _word(number(value))


def _word(text: str) -> str:
    """Return a user's text on one line, without what a terminal would obey."""
    line = " ".join(text.split())
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)
    return line if len(line) <= 24 else f"{line[:23]}…"

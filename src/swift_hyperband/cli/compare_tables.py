"""The end of `swift-hyperband compare`: it writes figure and tables, and prints the tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from swift_hyperband.cli import console
from swift_hyperband.compare import units as compare
from swift_hyperband.compare.comparison import Comparison
from swift_hyperband.compare.pool import Rows
from swift_hyperband.compare.summaries import Summary, over_tables
from swift_hyperband.compare.units import Pair, Unit
from swift_hyperband.replay.model_draws import flattered
from swift_hyperband.report import verdicts
from swift_hyperband.report.compare import summary
from swift_hyperband.report.compare.report import write_report


def report(comparison: Comparison, units: Sequence[Unit], rows: Rows, folder: Path) -> None:
    """Write figure and tables into a folder, and print the means and verdicts of each search."""
    found = write_report(comparison, units, rows, folder)
    screen = console.console()
    for name in dict.fromkeys(one.table for one in found):
        of_table = [one for one in found if one.table == name]
        screen.print(_table(of_table))
        for one in of_table:
            if one.beaten_by:
                line = f"{name}: {verdicts.beaten(one.search, one.beaten_by)}"
                screen.print(line, style="yellow", markup=False, soft_wrap=True)
        if caution := _flattered(name, units):
            screen.print(caution, style="yellow", markup=False, soft_wrap=True)
        screen.print()
    if any(one.verdict for one in found):
        screen.print(_over_tables(found, len(comparison.sources)))
        screen.print()
    screen.print(f"figure and tables: {folder}", soft_wrap=True)


def _flattered(name: str, units: Sequence[Unit]) -> str | None:
    """Return a line about a table that flatters the searches whose configurations a model draws."""
    pairs = [
        unit for unit in units if isinstance(unit, Pair) and unit.source.name == name and unit.sampling != "random"
    ]
    found = flattered(compare.table(pairs[0].source)) if pairs else None
    return None if found is None else f"{name}: {', '.join(pair.recipe.label for pair in pairs)}: {found}"


def _table(found: Sequence[Summary]) -> Table:
    """Return the figures of all searches on one table."""
    shown = console.table()
    shown.add_column(found[0].table)
    for column in (found[0].metric, "epochs", "saved", "verdict", "worse/\nbetter", "kill risk\n(predicted)"):
        shown.add_column(column, justify="right", no_wrap=True)
    for one in found:
        saved = "" if one.saved is None else verdicts.percent(one.saved.mean)
        epochs = "" if one.epochs is None else f"{one.epochs.mean:.0f}"
        figures = summary.text(one.best), epochs, saved, *verdicts.short(one.verdict)
        shown.add_row(one.search, *figures, verdicts.kill_risk(one.kill_risk, one.kill_risk_predicted))
    return shown


def _over_tables(found: Sequence[Summary], tables: int) -> Table:
    """Return the verdicts on all searches over all tables."""
    shown = console.table()
    shown.add_column(f"against Hyperband,\nover {tables} table{'s' if tables > 1 else ''}")
    for column in verdicts.COLUMNS:
        shown.add_column(column, justify="right")
    for one in over_tables(found):
        shown.add_row(*verdicts.row(one))
    return shown

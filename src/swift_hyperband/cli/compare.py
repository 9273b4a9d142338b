"""`swift-hyperband compare`: several searches over several tables of curves, with figure and tables."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from swift_hyperband.base.errors import UserError

if TYPE_CHECKING:
    from swift_hyperband.compare.comparison import Comparison
    from swift_hyperband.compare.pool import Rows
    from swift_hyperband.compare.summaries import Summary
    from swift_hyperband.compare.units import Unit

DEFAULT = Path("config/compare.yaml")
EXAMPLE = """examples:
  swift-hyperband compare                                     what config/compare.yaml says
  swift-hyperband compare --curves ~/curves --seeds 10        the tables lie elsewhere; a quick look
  snakemake compare --cores 2                                 the same as a workflow
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `compare`."""
    parser = commands.add_parser(
        "compare",
        help="several searches over several tables of curves: figure and tables of the paper",
        description="Replay several searches over several tables of recorded learning curves, with the same seeds, and "
        "draw the paper's figure 3 and table 1. What is done is kept: the same command goes on, and more seeds only "
        "add those that are missing.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, nargs="?", default=DEFAULT, metavar="FILE", help=f"default: {DEFAULT}")
    parser.add_argument("--curves", type=Path, metavar="DIR", help="where the tables lie (default: as the file says)")
    parser.add_argument("--seeds", type=int, metavar="N", help="seeds 0 to N-1 (default: as the file says)")
    parser.add_argument("-c", "--cores", type=int, metavar="N", help="processes side by side (default: all cores)")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: results/compare/<name>")
    parser.add_argument(
        "--only",
        metavar="PAIR",
        help="make one file of runs, such as runs/mlpf--hyperband, or all of a table (predictions/mlpf), and no "
        "pictures",
    )
    parser.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> int:
    from swift_hyperband.compare.pool import single_threaded

    single_threaded()
    for name in ("seeds", "cores"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            raise UserError(f"--{name} must be at least 1, found {getattr(options, name)}")
    from swift_hyperband.compare import units as compare
    from swift_hyperband.compare.comparison import load
    from swift_hyperband.compare.pool import Rows

    comparison = load(options.file, options.curves, options.seeds)
    folder: Path = options.output or Path("results/compare") / comparison.name
    units = compare.units(comparison)
    if options.only is not None:
        units = [unit for unit in units if options.only in (unit.key, unit.key.partition("--")[0])]
        if not units:
            raise UserError(f"--only must name runs of {options.file}, found {options.only!r}; see {folder}")
    else:
        for line in comparison.absent:
            print(line, file=sys.stderr)
    _check(comparison, units)
    rows = Rows(units, folder)
    if not _make(rows, options.cores or os.cpu_count() or 1, comparison.name):
        done = rows.wanted - len(rows.missing())
        print(f"stopped: {done} of {rows.wanted} runs are kept in {folder}; the same command goes on", file=sys.stderr)
        return 130
    if options.only is None:
        _report(comparison, units, rows, folder)
    return 0


def _check(comparison: Comparison, units: Sequence[Unit]) -> None:
    """Read the tables, and say what is wrong with them, before anything starts."""
    places = {table.name: number for number, table in enumerate(comparison.keys.tables)}
    for unit in units:
        try:
            unit.check()
        except UserError as error:
            raise UserError(f"{comparison.where}: tables[{places[unit.source.name]}]: {error}") from None


def _make(rows: Rows, cores: int, what: str) -> bool:
    """Make what is missing, with a bar; return whether it was not stopped by Ctrl-C."""
    from swift_hyperband.cli.replay import bar

    missing = len(rows.missing())
    if not missing:
        return True
    try:
        with bar() as shown:
            task = shown.add_task(what, total=rows.wanted, completed=rows.wanted - missing)
            rows.make(cores, lambda: shown.advance(task))
    except KeyboardInterrupt:
        return False
    return True


def _report(comparison: Comparison, units: Sequence[Unit], rows: Rows, folder: Path) -> None:
    from swift_hyperband.base.files import write_text
    from swift_hyperband.compare import summaries
    from swift_hyperband.compare import units as compare
    from swift_hyperband.compare.units import Accuracy, Pair
    from swift_hyperband.report import style
    from swift_hyperband.report.compare import figure3, table1
    from swift_hyperband.report.compare import summary as summary

    pairs = [(unit, rows[place]) for place, unit in enumerate(units) if isinstance(unit, Pair)]
    judged = [(unit, rows[place]) for place, unit in enumerate(units) if isinstance(unit, Accuracy)]
    found = [summaries.summary(pair, compare.table(pair.source), runs) for pair, runs in pairs]
    data_sets = [
        summaries.data_set(compare.table(source), [(unit, rows) for unit, rows in judged if unit.source == source])
        for source in comparison.sources
    ]
    compare.write_runs(pairs, folder / "runs.parquet")
    asked = comparison.keys.predictions
    write_text(folder / "summary.csv", summary.as_csv(found))
    write_text(folder / "summary.md", summary.as_markdown(found, comparison.name, comparison.cluster is not None))
    write_text(folder / "table1.csv", table1.as_csv(data_sets))
    write_text(folder / "table1.md", table1.as_markdown(data_sets, asked.trained, asked.seen, asked.splits))
    with style.style():
        style.save(figure3.draw(found), folder / "figure3.png")
    _print(found, folder)


def _print(found: Sequence[Summary], folder: Path) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from swift_hyperband.report.compare.summary import percent, text

    console = Console(highlight=False)
    for name in dict.fromkeys(one.table for one in found):
        rows = [one for one in found if one.table == name]
        shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
        shown.add_column(name)
        for column in (rows[0].metric, "epochs", "saved"):
            shown.add_column(column, justify="right", no_wrap=True)
        for one in rows:
            shown.add_row(one.search, text(one.best), text(one.epochs), percent(one.saved))
        console.print(shown)
        console.print()
    console.print(f"figure and tables: {folder}", soft_wrap=True)

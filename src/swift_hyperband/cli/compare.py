"""`swift-hyperband compare`: several searches over several tables of curves, with figure and tables."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.cli.arguments import COMPARISON_FILE, at_least
from swift_hyperband.cli.progress_bar import bar
from swift_hyperband.compare import units as compare
from swift_hyperband.compare.comparison import Comparison, load
from swift_hyperband.compare.pool import Rows, single_threaded
from swift_hyperband.compare.units import Unit
from swift_hyperband.processes.exit_codes import INTERRUPTED
from swift_hyperband.results.layout import RESULTS

EXAMPLE = """examples:
  swift-hyperband compare                                     what config/compare.yaml says
  swift-hyperband compare --curves ~/curves --seeds 10        the tables lie elsewhere; a quick look
  snakemake compare --cores 2                                 the same as a workflow
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `compare` takes."""
    parser.description = (
        "Replay several searches over several tables of recorded learning curves, with the same seeds, and draw the "
        "paper's figure 3 and table 1. What is done is kept: the same command goes on, and more seeds only add those "
        "that are missing."
    )
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    where = f"default: {COMPARISON_FILE}"
    parser.add_argument("file", type=Path, nargs="?", default=COMPARISON_FILE, metavar="FILE", help=where)
    parser.add_argument("--curves", type=Path, metavar="DIR", help="where the tables lie (default: as the file says)")
    parser.add_argument(
        "--seeds", type=int, action=at_least(1), metavar="N", help="seeds 0 to N-1 (default: as the file says)"
    )
    parser.add_argument(
        "-c", "--cores", type=int, action=at_least(1), metavar="N", help="processes side by side (default: all cores)"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: results/compare/<name>")
    parser.add_argument(
        "--only",
        metavar="PAIR",
        nargs="+",
        help="make some files of runs, such as runs/mlpf--hyperband, or all of a table (predictions/mlpf), and no "
        "pictures",
    )
    parser.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> int:
    single_threaded()
    comparison = load(options.file, options.curves, options.seeds)
    folder: Path = options.output or RESULTS / "compare" / comparison.name
    units = compare.units(comparison)
    if options.only is not None:
        names = [{unit.key, unit.key.partition("--")[0]} for unit in units]
        if unknown := [name for name in options.only if not any(name in known for known in names)]:
            raise UserError(f"--only must name runs of {options.file}, found {unknown[0]!r}; see {folder}")
        units = [unit for unit, known in zip(units, names, strict=True) if known & set(options.only)]
    else:
        for line in [*comparison.absent, *comparison.notes]:
            print(line, file=sys.stderr)
    _check(comparison, units)
    rows = Rows(units, folder)
    if not _make(rows, options.cores or os.cpu_count() or 1, comparison.name):
        done = rows.wanted - len(rows.missing())
        print(f"stopped: {done} of {rows.wanted} runs are kept in {folder}; the same command goes on", file=sys.stderr)
        return INTERRUPTED
    if options.only is None:
        # matplotlib and numpy, which is of one thread only where it comes after `single_threaded`
        from swift_hyperband.cli import compare_tables

        compare_tables.report(comparison, units, rows, folder)
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

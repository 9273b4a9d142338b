"""Figure and tables of a comparison: figure 3, table 1 and the summary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow

from swift_hyperband.base.files import write_text
from swift_hyperband.base.parquet import write_table
from swift_hyperband.compare import summaries
from swift_hyperband.compare import units as compare
from swift_hyperband.compare.comparison import Comparison
from swift_hyperband.compare.pool import Rows
from swift_hyperband.compare.store import Row, schema
from swift_hyperband.compare.summaries import Summary
from swift_hyperband.compare.units import Accuracy, Pair, Unit
from swift_hyperband.report import style, verdicts
from swift_hyperband.report.compare import figure3, summary, table1


def write_report(comparison: Comparison, units: Sequence[Unit], rows: Rows, folder: Path) -> list[Summary]:
    """Write the figure, the tables and all runs of a comparison into a folder; return a summary of each search."""
    pairs = [(unit, rows[place]) for place, unit in enumerate(units) if isinstance(unit, Pair)]
    judged = [(unit, rows[place]) for place, unit in enumerate(units) if isinstance(unit, Accuracy)]
    found = [_summary(pair, runs, pairs) for pair, runs in pairs]
    data_sets = [
        summaries.data_set(compare.table(source), [(unit, rows) for unit, rows in judged if unit.source == source])
        for source in comparison.sources
    ]
    _write_runs(pairs, folder / "runs.parquet")
    asked = comparison.keys.predictions
    write_text(folder / "summary.csv", summary.as_csv(found))
    write_text(folder / "summary.md", summary.as_markdown(found, comparison.name, comparison.cluster is not None))
    write_text(folder / "verdicts.csv", verdicts.as_csv(summaries.over_tables(found)))
    write_text(folder / "table1.csv", table1.as_csv(data_sets))
    write_text(folder / "table1.md", table1.as_markdown(data_sets, asked.trained, asked.seen, asked.splits))
    with style.style():
        style.save(figure3.draw(found), folder / "figure3.png")
    return found


def _summary(pair: Pair, runs: Sequence[Row], pairs: Sequence[tuple[Pair, Sequence[Row]]]) -> Summary:
    """Return the summary of a pair; neither baselines nor Hyperband itself are compared with baselines."""
    baselines = {other.recipe.label: rows for other, rows in pairs if other.baseline and other.source == pair.source}
    return summaries.summary(
        pair, compare.table(pair.source), runs, {} if pair.baseline or pair.is_plain else baselines
    )


def _write_runs(found: Sequence[tuple[Pair, Sequence[Row]]], path: Path) -> None:
    """Write the runs of all pairs in one table, in their order: the columns of a pair behind table and search."""
    rows = [
        {"table": pair.source.name, "search": pair.recipe.label, "algorithm": pair.recipe.algorithm, **row}
        for pair, runs in found
        for row in runs
    ]
    columns = {"table": str, "search": str, "algorithm": str, **Pair.columns}
    write_table(path, pyarrow.Table.from_pylist(rows, schema(columns)))

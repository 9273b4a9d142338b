"""Summary of a comparison: the figures of each search, compared with Hyperband and with the published ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from swift_hyperband.base.metric import Metric
from swift_hyperband.compare.means import Mean
from swift_hyperband.compare.summaries import MEANS, Summary, over_tables
from swift_hyperband.compare.verdicts import Verdict
from swift_hyperband.report import verdicts
from swift_hyperband.report.tables import csv_text, markdown, plus_minus

_EXPLAINED = """\
All searches have the same draws, so differences to Hyperband are taken seed by seed.
Regret is (best - optimum) / (median - optimum) over the table: 0 is its best row, 1 a middling one. "Same winner" is
the share of seeds in which the winner's value is that of Hyperband's. "Kill risk" is the share of seeds in which a
prediction stopped the trial that wins Hyperband; in brackets, the chance of that by the predictions and their errors.
Published figures are those of the authors' result files (their source: compare/published_results.py).
"""


def as_markdown(found: Sequence[Summary], name: str, on_cluster: bool) -> str:
    """Return the summary of a comparison.

    Parameters
    ----------
    found : sequence of Summary
        At least one.
    name : str
        Name of the comparison.
    on_cluster : bool
        Whether a cluster was simulated, so that makespan and utilisation mean something.
    """
    seeds = max(one.runs for one in found)
    parts = [f"# Comparison {name}\n\nMeans over {seeds} seeds ± 95 %. {_EXPLAINED}"]
    if judged := over_tables(found):
        count = len({one.table for one in found})
        title = f"Against Hyperband, over {count} table{'s' if count > 1 else ''}"
        parts.append(f"\n## {title}\n\n{verdicts.EXPLAINED}\n{verdicts.as_markdown(judged)}")
    for table in dict.fromkeys(one.table for one in found):
        rows = [one for one in found if one.table == table]
        metric = Metric(rows[0].metric, rows[0].mode)
        parts.append(f"\n## {table}: {metric.name}, {metric.better}\n\n{_section(rows, on_cluster)}")
    return "".join(parts)


def _section(rows: Sequence[Summary], on_cluster: bool) -> str:
    published = any(one.published for one in rows)
    head = ["search", rows[0].metric, "difference to Hyperband", "regret"]
    head += ["verdict", "difference of regrets", "worse in", "better in", "epochs", "epochs saved", "same winner"]
    killing = any(one.kill_risk is not None for one in rows)
    head += [verdicts.KILL_RISK] if killing else []
    head += ["makespan, s", "utilisation"] if on_cluster else []
    head += ["fits", "CPU s", *(["published"] if published else [])]
    lines = []
    for one in rows:
        line = [one.search, *map(text, (one.best, one.difference, one.regret)), *_verdict(one.verdict)]
        line += [text(one.epochs), percent(one.saved), verdicts.percent(one.same)]
        line += [verdicts.kill_risk(one.kill_risk, one.kill_risk_predicted)] if killing else []
        line += [text(one.makespan), percent(one.utilisation)] if on_cluster else []
        line += [text(one.fits), "" if one.cpu_s is None else f"{one.cpu_s.mean:.2g}"]
        lines.append([*line, *([_published(one)] if published else [])])
    section = markdown(head, lines)
    for one in rows:
        if one.beaten_by:
            section += f"\n{verdicts.beaten(one.search, one.beaten_by)}.\n"
        if one.failed:
            section += f"\n{one.search}: in {one.failed} of {one.runs} seeds no trial reached the last epoch.\n"
    return section


def _verdict(found: Verdict | None) -> list[str]:
    if found is None:
        return ["", "", "", ""]
    return [found.word, verdicts.difference(found.regret), *map(verdicts.percent, (found.worse, found.better))]


def text(mean: Mean | None) -> str:
    """Return a mean with its interval; nothing if there is none."""
    return "" if mean is None else plus_minus(mean.mean, mean.half)


def percent(mean: Mean | None) -> str:
    """Return a mean share in percent with its interval; nothing if there is none."""
    if mean is None:
        return ""
    # a constant share has no interval to round to
    return plus_minus(100 * mean.mean, 100 * mean.half, " %") if mean.half > 0 else f"{100 * mean.mean:.2g} %"


def _published(one: Summary) -> str:
    if one.published is None:
        return ""
    best, epochs = one.published.best, one.published.epochs
    figures = [f"{mean:g}" + ("" if half is None else f" ± {half:g}") for mean, half in (best, epochs)]
    return f"{figures[0]} at {figures[1]} epochs ({one.published.how})"


def as_csv(found: Sequence[Summary]) -> str:
    """Return all figures of a comparison, a line for each table and search."""
    rows = []
    for one in found:
        row: dict[str, Any] = {}
        for field in fields(one):
            value = getattr(one, field.name)
            if field.name == "published":
                row["published_best"] = value.best.mean if value else None
                row["published_epochs"] = value.epochs.mean if value else None
            elif field.name == "verdict":
                row["verdict"] = value.word if value else None
                row |= _columns("regret_difference", value and value.regret)
                row["worse_in"], row["better_in"] = (value.worse, value.better) if value else (None, None)
            elif field.name == "beaten_by":
                row["beaten_by"] = "; ".join(value)
            elif field.name in (*MEANS, "saved", "difference"):
                row |= _columns(field.name, value)
            else:
                row[field.name] = value
        rows.append(row)
    return csv_text(rows)


def _columns(name: str, mean: Mean | None) -> dict[str, float | None]:
    parts = (("mean", ""), ("half", "_half_interval"), ("low", "_min"), ("high", "_max"))
    return {name + suffix: None if mean is None else getattr(mean, part) for part, suffix in parts}

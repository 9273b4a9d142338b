"""figure3.png: metric of the winner and epochs of each algorithm on each data set: mean, best and worst.

The counterpart of figure 3 of García Amboage et al., EPJ Web of Conferences 295, 12005 (2024).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator, ScalarFormatter

from swift_hyperband.base.metric import Metric
from swift_hyperband.compare.means import Mean
from swift_hyperband.compare.summaries import Summary
from swift_hyperband.report import style
from swift_hyperband.report.compare import COLOURS
from swift_hyperband.report.tables import LONG

COLUMNS = 4
"""Data sets side by side; further ones come below."""

SHORT = 40
"""Most letters of a name in a panel."""

ROW = 0.2
"""Height of a search in a panel, in inches."""


def draw(found: Sequence[Summary]) -> Figure:
    """Return the picture.

    Parameters
    ----------
    found : sequence of Summary
        At least one. It defines the order of data sets and searches.
    """
    data_sets = list(dict.fromkeys(one.table for one in found))
    searches = list(dict.fromkeys(one.search for one in found))
    columns = min(COLUMNS, len(data_sets))
    blocks = math.ceil(len(data_sets) / columns)
    height = blocks * 2 * (0.75 + ROW * len(searches)) + 0.7
    picture = style.figure(height)
    panels = picture.subplots(2 * blocks, columns, squeeze=False)
    for place, data_set in enumerate(data_sets):
        rows = {one.search: one for one in found if one.table == data_set}
        block, column = divmod(place, columns)
        metric, epochs = panels[2 * block][column], panels[2 * block + 1][column]
        metric.set_title(style.name(data_set, SHORT))
        _metric(metric, rows, searches)
        _epochs(epochs, rows, searches)
        for panel in (metric, epochs):
            _names(panel, searches, column == 0)
    for place in range(len(data_sets), blocks * columns):
        block, column = divmod(place, columns)
        panels[2 * block][column].set_axis_off()
        panels[2 * block + 1][column].set_axis_off()
    runs = sorted({one.runs for one in found})
    seeds = f"{runs[0]} runs" if len(runs) == 1 else f"{runs[0]} to {runs[-1]} runs"
    picture.legend(handles=_legend(seeds), loc="outside lower center", ncols=4, handlelength=1.8, columnspacing=1.2)
    return picture


def _metric(ax: Axes, rows: dict[str, Summary], searches: Sequence[str]) -> None:
    first = next(iter(rows.values()))
    metric = Metric(first.metric, first.mode)
    means = {search: rows[search].best for search in searches if search in rows}
    if not any(means.values()):
        style.message(ax, "no trial reached\nthe last epoch")
        return
    values = [value for mean in means.values() if mean is not None for value in (mean.low, mean.mean, mean.high)]
    _panel(ax, means, rows, searches, style.value_range(values, metric), first.hyperband_best)
    _label(ax, f"{style.name(metric.name, SHORT)}  {'← better' if metric.minimised else 'better →'}")


def _epochs(ax: Axes, rows: dict[str, Summary], searches: Sequence[str]) -> None:
    first = next(iter(rows.values()))
    means = {search: rows[search].epochs for search in searches if search in rows}
    values = [value for mean in means.values() if mean is not None for value in (mean.low, mean.high)]
    # epochs are bounded, so nothing is cut off
    margin = 0.04 * (max(values) - min(values)) or 1.0
    shown = style.ValueRange(min(values) - margin, max(values) + margin, log=False)
    _panel(ax, means, rows, searches, shown, first.hyperband_epochs)
    _label(ax, "epochs  ← better")


def _label(ax: Axes, text: str) -> None:
    """Name an axis, in letters small enough not to meet its neighbours'."""
    ax.set_xlabel(text, fontsize=8)


def _panel(
    ax: Axes,
    means: dict[str, Mean | None],
    rows: dict[str, Summary],
    searches: Sequence[str],
    shown: style.ValueRange,
    hyperband: Mean | None,
) -> None:
    if hyperband is not None:
        ax.axvline(shown.clip(hyperband.mean), color=style.DARK, lw=0.8, ls=(0, (2, 2)), zorder=1)
    for place, search in enumerate(searches):
        mean = means.get(search)
        if mean is not None:
            _whisker(ax, place, mean, COLOURS[rows[search].algorithm], shown)
    if shown.log:
        ax.set_xscale("log")
    ax.set_xlim(shown.low, shown.high)
    ax.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    ax.xaxis.set_minor_locator(NullLocator())
    plain = ScalarFormatter(useOffset=False)
    plain.set_scientific(max(abs(shown.low), abs(shown.high)) >= LONG)
    ax.xaxis.set_major_formatter(plain)
    ax.grid(axis="x")


def _whisker(ax: Axes, place: int, mean: Mean, colour: str, shown: style.ValueRange) -> None:
    low, high = shown.clip(mean.low), shown.clip(mean.high)
    ax.plot([low, high], [place, place], color=colour, lw=1.0, solid_capstyle="butt", zorder=2)
    for end, value in ((low, mean.low), (high, mean.high)):
        if shown.outside(value):
            beyond = "<" if value < shown.low else ">"
            ax.plot(end, place, beyond, color=colour, ms=4.5, clip_on=False, zorder=3)
        else:
            ax.plot(end, place, "|", color=colour, ms=6, mew=1.0, zorder=2)
    if mean.half > 0:
        sides = [shown.clip(mean.mean - mean.half), shown.clip(mean.mean + mean.half)]
        ax.plot(sides, [place, place], color=colour, lw=4.5, alpha=0.55, solid_capstyle="butt", zorder=3)
    ax.plot(shown.clip(mean.mean), place, "o", mfc=colour, mec="white", mew=0.5, ms=4, zorder=4, clip_on=False)


def _names(ax: Axes, searches: Sequence[str], named: bool) -> None:
    ax.set_ylim(len(searches) - 0.5, -0.5)
    ax.set_yticks(
        range(len(searches)), [style.name(search, SHORT) for search in searches] if named else [""] * len(searches)
    )
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", labelsize=8)


def _legend(runs: str) -> list[Line2D]:
    grey = style.DARK
    return [
        Line2D([], [], color=grey, marker="o", mec="white", ls="", ms=4.5, label=f"mean of {runs}"),
        Line2D([], [], color=grey, lw=4.5, alpha=0.55, label="its 95 % interval"),
        Line2D([], [], color=grey, lw=1, marker="|", ms=6, label="best to worst run (▸: beyond)"),
        Line2D([], [], color=grey, lw=0.8, ls=(0, (2, 2)), label="mean of Hyperband"),
    ]

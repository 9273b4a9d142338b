"""figure4.png: searches that really trained: their winners' metric, epochs and minutes.

The counterpart of figure 4 of García Amboage et al., EPJ Web of Conferences 295, 12005 (2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from swift_hyperband.compare.real_runs import PARALLEL, Result
from swift_hyperband.report import style
from swift_hyperband.report.compare import COLOURS as ALGORITHM_COLOURS
from swift_hyperband.report.tables import markdown
from swift_hyperband.search.algorithms import ALGORITHMS

LABELS = {**{name: row.label for name, row in ALGORITHMS.items()}, PARALLEL: "Swift-Hyperband\nin parallel"}
COLOURS = {**ALGORITHM_COLOURS, PARALLEL: style.SKY}


def save(results: Sequence[Result], reported: str, path: Path) -> None:
    """Draw the picture into a file, see `draw`."""
    with style.style():
        style.save(draw(results, reported), path)


def draw(results: Sequence[Result], reported: str) -> Figure:
    """Return the picture: a row for each search, its mean as a bar or line, each seed as a point.

    Parameters
    ----------
    results : sequence of Result
        At least one.
    reported : str
        The winner's metric in the picture.
    """
    searches = list(dict.fromkeys(result.search for result in results))
    seeds = len({result.seed for result in results})
    picture = style.figure(1.5 + 0.42 * len(searches))
    picture.suptitle(f"Real training, {seeds} seed{'s' if seeds > 1 else ''}: mean, and each seed as a point")
    quality, epochs, minutes = picture.subplots(1, 3, sharey=True)
    _found(quality, results, searches)
    quality.set_xlabel(f"{style.name(reported.replace('_', ' '))} of the winner")
    _bars(epochs, results, searches, "epochs", 1.0)
    epochs.set_xlabel("epochs trained")
    _bars(minutes, results, searches, "seconds", 60.0)
    _bars(minutes, results, searches, "training", 60.0, whole=False)
    minutes.set_xlabel("minutes (pale: nothing trains)")
    quality.set_yticks(range(len(searches)), [LABELS[search] for search in searches])
    quality.set_ylim(len(searches) - 0.5, -0.5)
    return picture


def table(results: Sequence[Result], reported: str) -> str:
    """Return the means as a table in Markdown."""
    rows = []
    for search in dict.fromkeys(result.search for result in results):
        found = [result for result in results if result.search == search]
        seconds, training = (mean(getattr(result, name) for result in found) for name in ("seconds", "training"))
        rows.append(
            [
                LABELS[search].replace("\n", " "),
                f"{mean(result.reported for result in found):.3f}",
                f"{min(result.reported for result in found):.3f} - {max(result.reported for result in found):.3f}",
                f"{mean(result.epochs for result in found):.0f}",
                f"{seconds / 60:.1f}",
                f"{(seconds - training) / 60:.1f}",
            ]
        )
    return markdown(["search", reported, "worst - best", "epochs", "minutes", "of which nothing trains"], rows)


def _found(ax: Axes, results: Sequence[Result], searches: Sequence[str]) -> None:
    for row, search in enumerate(searches):
        values = [result.reported for result in results if result.search == search]
        ax.plot([mean(values)] * 2, [row - 0.3, row + 0.3], color=COLOURS[search], lw=2.5)
        ax.plot(values, [row] * len(values), "o", mfc="white", mec=COLOURS[search], ms=4.5)
    ax.grid(axis="x")
    ax.margins(x=0.15)


def _bars(
    ax: Axes, results: Sequence[Result], searches: Sequence[str], what: str, unit: float, whole: bool = True
) -> None:
    for row, search in enumerate(searches):
        values = [getattr(result, what) / unit for result in results if result.search == search]
        pale = what == "seconds"
        ax.barh(row, mean(values), 0.6, color=COLOURS[search], alpha=0.3 if pale else 1.0, lw=0)
        if whole:
            ax.plot(values, [row] * len(values), "o", mfc="white", mec=style.DARK, ms=3.5, mew=0.8, zorder=5)
            ax.annotate(f"{mean(values):.3g}", (max(values), row), (5, 0), textcoords="offset points", va="center")
    ax.set_xlim(0, 1.25 * max(getattr(result, what) / unit for result in results) if whole else None)
    ax.grid(axis="x")

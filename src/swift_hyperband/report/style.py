"""How all pictures look: colours that the colour-blind can tell apart, sizes, axes, saving."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from swift_hyperband.base.files import whole
from swift_hyperband.base.metric import Metric
from swift_hyperband.report.numbers import Kind
from swift_hyperband.results.history import History

LARGEST, SMALLEST = 1e100, 1e-100
"""Of values that are shown, the latter on a logarithmic axis; what lies beyond lies outside of every picture."""

LONGEST = 48
"""Letters of a user's name in a picture."""

FURTHER_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Noto Sans",
    "Unifont",
)
"""Fonts for letters that the first one does not have, where they are installed."""

DPI = 150
WIDTH = 7.2
"""Of a picture, in inches: a page's text."""

Look = dict[str, Any]
"""Keywords of matplotlib: how a line or a mark looks."""

# Okabe and Ito (2008)
BLUE, SKY, ORANGE, GREEN, RED, YELLOW = "#0072B2", "#56B4E9", "#E69F00", "#009E73", "#D55E00", "#F0E442"
GREY, LIGHT, DARK = "#8A8A8A", "#C8C8C8", "#333333"

HUES = (BLUE, ORANGE, GREEN, SKY, YELLOW, "#CC79A7")
"""Of groups, as long as there are enough; red is left to what is lost."""

TIME_UNITS = ((86_400, "days"), (3600, "hours"), (60, "minutes"))

KINDS: dict[Kind, tuple[str, str]] = {
    "full": (BLUE, "trained in full"),
    "partial": (ORANGE, "until the decision point"),
    "complete": (GREEN, "beyond the decision point"),
    "saved": (GREY, "stopped by prediction"),
}
"""Colour and name of each kind of stretch, the same in all pictures."""


def style() -> AbstractContextManager[None]:
    """Return the context in which pictures are drawn."""
    installed = {font.name for font in fontManager.ttflist}
    return matplotlib.rc_context(
        {
            "font.family": ["DejaVu Sans", *(name for name in FURTHER_FONTS if name in installed)],
            # names are a user's: a dollar is a dollar
            "text.parse_math": False,
            "text.usetex": False,
            "font.size": 9,
            "axes.titlesize": 10,
            "figure.titlesize": 11,
            "axes.labelsize": 9,
            "axes.edgecolor": GREY,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "grid.color": "#E4E4E4",
            "grid.linewidth": 0.6,
            "legend.frameon": False,
            "legend.fontsize": 9,
            "legend.columnspacing": 1.6,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
        }
    )


def figure(height: float) -> Figure:
    """Return an empty picture of the common width; the height is in inches."""
    return Figure(figsize=(WIDTH, height), dpi=DPI, layout=ConstrainedLayoutEngine(h_pad=0.07))


def save(picture: Figure, path: Path) -> None:
    """Write a picture whole, as PNG."""
    with whole(path) as temporary, warnings.catch_warnings():
        # a letter that no font has is shown as a box
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        # ticks of an axis over hundreds of orders of magnitude, of which some are beyond what a number can hold
        warnings.simplefilter("ignore", RuntimeWarning)
        picture.savefig(temporary, format="png", dpi=DPI)


def name(text: str, most: int = LONGEST) -> str:
    """Return a user's name as a picture can show it: on one line, what no font shows replaced, its middle left out."""
    line = " ".join(text.split())
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)
    return line if len(line) <= most else f"{line[: most // 2]}…{line[len(line) - most // 2 + 1 :]}"


def title(history: History, what: str) -> str:
    """Return the title of a picture: what is shown, the study, and that the search is not finished if it is not."""
    over = sum(found.promoted is not None for found in history.rounds.values())
    left = "" if history.finished else f", unfinished: {over} of {len(history.rounds)} rounds are over"
    return f"{what}\nstudy {name(history.study.name)}{left}"


def log_scale(ax: Axes, which: Literal["x", "y"]) -> None:
    """Make an axis logarithmic, its ticks plain numbers: powers of ten would be mathematical text."""
    (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def epoch_axis(ax: Axes, history: History, start: float = 0) -> None:
    """Make x an axis of epochs on which early rounds are as visible as late ones, ticks at the ends of rounds."""
    # log(1 + epoch): unlike a logarithm it has a place for 0, where all training starts
    ax.set_xscale("function", functions=(np.log1p, np.expm1))
    ends = {round_.end for round_ in history.schedule.rounds}
    ax.set_xlim(start, history.schedule.max_epochs * 1.03)
    ax.xaxis.set_major_locator(FixedLocator(sorted({math.ceil(start), *ends})))
    ax.xaxis.set_minor_locator(NullLocator())


@dataclass(frozen=True)
class ValueRange:
    """Which values of a metric to show.

    Attributes
    ----------
    low, high : float
    log : bool
        Whether on a logarithmic axis.
    """

    low: float
    high: float
    log: bool

    def outside(self, value: float) -> bool:
        """Whether a value is not shown; nan, which has no place at all, does not count."""
        return value < self.low or value > self.high

    def clip(self, value: float) -> float:
        """Return the nearest value that is shown."""
        return min(max(value, self.low), self.high)


def value_range(values: Sequence[float], metric: Metric) -> ValueRange:
    """Return a range that shows all good values and cuts off the worst where they would squeeze the others.

    Parameters
    ----------
    values : sequence of float
        Finite, at least one.
    metric : Metric

    Notes
    -----
    Nine tenths of the values fill at least two thirds of the range. Metrics that are minimised and span more than a
    factor of 30 are shown on a logarithmic axis.
    """
    losses = np.clip(metric.loss(np.asarray(values, dtype=float)), -LARGEST, LARGEST)
    log = metric.minimised and losses.min() > 0 and np.quantile(losses, 0.9) > 30 * losses.min()
    if log:
        losses = np.log(np.maximum(losses, SMALLEST))
    good = losses.min()
    most = np.quantile(losses, 0.9)
    bad = losses[losses <= most + (most - good) / 2].max()
    # wide enough for ticks that differ
    margin = max(0.04 * (bad - good), 1e-9 * abs(good)) if bad > good else 0.05 * abs(good) or 0.05
    ends = np.array([good - margin, bad + margin])
    low, high = sorted(np.exp(ends) if log else metric.value(ends))
    return ValueRange(float(low), float(high), bool(log))


def drawn(values: Sequence[float]) -> list[float]:
    """Return values as they can be drawn: what is too large for any axis is still outside of it."""
    return [min(max(value, -2 * LARGEST), 2 * LARGEST) for value in values]


def hues(count: int) -> Sequence[object]:
    """Return colours for so many groups."""
    if count <= len(HUES):
        return HUES[:count]
    # groups are mostly an order, of which the eye needs neighbours only
    return [matplotlib.colormaps["viridis"](share) for share in np.linspace(0.05, 1, count)]


def time_unit(seconds: float) -> tuple[int, str]:
    """Return the unit in which people read a time, in seconds, and its name."""
    return next(((size, name) for size, name in TIME_UNITS if seconds > 2 * size), (1, "seconds"))


def number(value: float) -> str:
    """Return a metric's value as people read it."""
    return f"{value:.4g}"


def message(ax: Axes, text: str) -> None:
    """Say in the middle of empty axes why they are empty."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, color=DARK, wrap=True)

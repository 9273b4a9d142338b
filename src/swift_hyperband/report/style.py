"""The style of all pictures: colours that the colour-blind can tell apart, sizes, axes, saving."""

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
"""Limits of the values in a picture, the latter on a logarithmic axis; values beyond lie outside every picture."""

LONGEST = 48
"""Most letters of a user's name in a picture."""

FURTHER_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Noto Sans",
    "Unifont",
)
"""Fonts for letters that the first one lacks, if they are installed."""

DPI = 150
WIDTH = 7.2
"""Width of a picture in inches: that of a page's text."""

Look = dict[str, Any]
"""Matplotlib's keywords for the look of a line or a mark."""

# Okabe and Ito (2008)
BLUE, SKY, ORANGE, GREEN, RED, YELLOW = "#0072B2", "#56B4E9", "#E69F00", "#009E73", "#D55E00", "#F0E442"
PURPLE = "#CC79A7"
GREY, LIGHT, DARK = "#8A8A8A", "#C8C8C8", "#333333"

HUES = (BLUE, ORANGE, GREEN, SKY, YELLOW, PURPLE)
"""Colours of groups, if there are enough; red is reserved for lost work."""

TIME_UNITS = ((86_400, "days"), (3600, "hours"), (60, "minutes"))

KINDS: dict[Kind, tuple[str, str]] = {
    "full": (BLUE, "trained in full"),
    "partial": (ORANGE, "until the decision point"),
    "complete": (GREEN, "beyond the decision point"),
    "thawed": (PURPLE, "thawed after all brackets"),
    "saved": (GREY, "stopped by prediction"),
}
"""Colour and name of each kind of stretch, the same in all pictures."""


def style() -> AbstractContextManager[None]:
    """Return the context in which pictures are drawn."""
    installed = {font.name for font in fontManager.ttflist}
    return matplotlib.rc_context(
        {
            "font.family": ["DejaVu Sans", *(name for name in FURTHER_FONTS if name in installed)],
            # users' names may contain dollars, which are no formulas
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
        # a letter that no font has becomes a box
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        # ticks of an axis over hundreds of orders of magnitude may overflow
        warnings.simplefilter("ignore", RuntimeWarning)
        picture.savefig(temporary, format="png", dpi=DPI)


def name(text: str, most: int = LONGEST) -> str:
    """Return a user's name for a picture: on one line, unknown letters replaced, shortened in the middle."""
    line = " ".join(text.split())
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)
    return line if len(line) <= most else f"{line[: most // 2]}…{line[len(line) - most // 2 + 1 :]}"


def title(history: History, what: str) -> str:
    """Return the title of a picture: its subject, the study, and a note if the search is not finished."""
    over = sum(found.promoted is not None for found in history.all_rounds)
    left = "" if history.finished else f", unfinished: {over} of {len(history.all_rounds)} rounds are over"
    if history.rungs is not None and left:
        left = f", unfinished: {len(history.rungs.running)} trainings run"
    return f"{what}\nstudy {name(history.study.name)}{left}"


def log_scale(ax: Axes, which: Literal["x", "y"]) -> None:
    """Make an axis logarithmic, with plain numbers as ticks: powers of ten would need mathematical text."""
    (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def epoch_axis(ax: Axes, history: History, start: float = 0) -> None:
    """Make x an axis of epochs that shows early rounds as well as late ones, with ticks at the ends of rounds."""
    # log(1 + epoch) is defined at 0, where all training starts
    ax.set_xscale("function", functions=(np.log1p, np.expm1))
    ends = {round_.end for round_ in history.schedule.rounds}
    ax.set_xlim(start, history.schedule.max_epochs * 1.03)
    ax.xaxis.set_major_locator(FixedLocator(sorted({math.ceil(start), *ends})))
    ax.xaxis.set_minor_locator(NullLocator())


@dataclass(frozen=True)
class ValueRange:
    """The range of a metric's values in a picture.

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
        """Whether a value is outside the range; nan does not count."""
        return value < self.low or value > self.high

    def clip(self, value: float) -> float:
        """Return the nearest value in the range."""
        return min(max(value, self.low), self.high)


def value_range(values: Sequence[float], metric: Metric) -> ValueRange:
    """Return a range that shows all good values and cuts off the worst if they would squeeze the others.

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
    """Return values that can be drawn: those too large for any axis are cut, and stay outside the range."""
    return [min(max(value, -2 * LARGEST), 2 * LARGEST) for value in values]


def hues(count: int) -> Sequence[object]:
    """Return colours for a number of groups."""
    if count <= len(HUES):
        return HUES[:count]
    # groups are mostly ordered, so only neighbours must be told apart
    return [matplotlib.colormaps["viridis"](share) for share in np.linspace(0.05, 1, count)]


def time_unit(seconds: float) -> tuple[int, str]:
    """Return a readable unit for a time, in seconds, and its name."""
    return next(((size, name) for size, name in TIME_UNITS if seconds > 2 * size), (1, "seconds"))


def number(value: float) -> str:
    """Return a metric's value as readable text."""
    return f"{value:.4g}"


def message(ax: Axes, text: str) -> None:
    """Write into the middle of empty axes why they are empty."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, color=DARK, wrap=True)

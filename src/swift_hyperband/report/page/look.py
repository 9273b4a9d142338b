"""What the figures of the page share: their material, layout, axes, and how text of users gets into them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any, TypeVar

import plotly.graph_objects as go

from swift_hyperband.base.wording import number, plain
from swift_hyperband.report import style
from swift_hyperband.report.trials import LOST, Row, rows
from swift_hyperband.results.history import History
from swift_hyperband.space.parameters import Categorical, Hyperparameter

GRID = "rgba(128, 128, 128, 0.25)"
"""Of grids, which must be seen on white and on black."""
MOST_NAMED = 12
"""Hyperparameters in the text that the mouse shows."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes
    ----------
    name : str
        Its place in the page's address.
    title : str
    text : str
        What it shows, in HTML.
    figure : Figure or None
        None where there is nothing to draw; the notes say why.
    notes : sequence of str
        What to beware of; plain text.
    """

    name: str
    title: str
    text: str
    figure: go.Figure | None
    notes: Sequence[str] = field(default=())


@dataclass(frozen=True)
class Material:
    """What all figures are made of.

    Attributes
    ----------
    history : History
    rows : sequence of Row
        Its trials, the best first.
    """

    history: History

    @cached_property
    def rows(self) -> list[Row]:
        return rows(self.history)

    @cached_property
    def row(self) -> dict[str, Row]:
        return {row.trial: row for row in self.rows}

    @cached_property
    def space(self) -> Mapping[str, Hyperparameter]:
        return self.history.study.search_space().hyperparameters

    @cached_property
    def metric(self) -> str:
        """The metric's name for figures."""
        return text(self.history.study.metric.name)

    @cached_property
    def values(self) -> style.ValueRange | None:
        """The range of the trials' values where they stand; None without any."""
        found = [row.value for row in self.rows if row.value is not None and row.status not in LOST]
        return style.value_range(found, self.history.study.metric) if found else None

    def about(self, trial: str) -> str:
        """Return what the mouse shows of a trial."""
        row = self.row[trial]
        named = list(row.configuration.items())
        lines = [f"{text(name)} = {text(number(value))}" for name, value in named[:MOST_NAMED]]
        lines += [f"… and {len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
        head = f"<b>trial {text(trial)}</b>, place {row.rank}"
        return "<br>".join([head, f"bracket {row.bracket}, {row.epochs} epochs, {row.status.value}", *lines])


def text(words: str, most: int = style.LONGEST) -> str:
    """Return a user's text for a figure: on one line, shortened, without tags that plotly would follow."""
    # nor the places that it would fill with numbers
    return escape(style.name(words, most), quote=False).replace("{", "&#123;")


def figure(height: int, **layout: Any) -> go.Figure:
    """Return an empty figure, of a height in pixels; the page gives it the colour of its text."""
    found = go.Figure(
        layout={
            "template": go.layout.Template(),
            "height": height,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": "system-ui, sans-serif", "size": 13},
            "margin": {"l": 60, "r": 20, "t": 50, "b": 50},
            "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "traceorder": "normal"},
            "hovermode": "closest",
            "hoverlabel": {"align": "left", "namelength": -1},
            **layout,
        }
    )
    return axes(found)


def axes(found: go.Figure) -> go.Figure:
    """Give all axes of a figure their look; return it."""
    found.update_xaxes(gridcolor=GRID, zeroline=False, automargin=True, linecolor=GRID, exponentformat="e")
    found.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True, linecolor=GRID, exponentformat="e")
    return found


def thin(found: Sequence[Item], most: int, first: int = 0) -> list[Item]:
    """Return at most so many: the first ones, and an even sample of the others; in their order."""
    if len(found) <= most:
        return list(found)
    rest = len(found) - first
    return [*found[:first], *(found[first + place * rest // (most - first)] for place in range(most - first))]


def thinned(drawn: int, whole: int, which: str = "an even sample") -> list[str]:
    """Return a note on what is not drawn, if anything is not."""
    return (
        [f"{drawn:,} of {whole:,} trials are drawn: {which}. The table and curves.parquet have all."]
        if drawn < whole
        else []
    )


def finite(values: Sequence[float]) -> list[float | None]:
    """Return values as a figure takes them: none where one is not finite, very large ones cut."""
    return [style.drawn([value])[0] if math.isfinite(value) else None for value in values]


def value_axis(values: style.ValueRange | None, title: str) -> dict[str, Any]:
    """Return an axis of the metric that shows all good values."""
    axis: dict[str, Any] = {"title": {"text": title}}
    if values is None:
        return axis
    if values.log:
        return axis | {"type": "log", "range": [math.log10(values.low), math.log10(values.high)]}
    return axis | {"range": [values.low, values.high]}


def choices(keys: Categorical) -> list[str]:
    """Return the choices of a hyperparameter as texts for a figure."""
    return [text(plain(choice)) for choice in keys.choices]

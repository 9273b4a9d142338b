"""Slices: the metric against each hyperparameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from plotly.subplots import make_subplots

from swift_hyperband.base.wording import plain
from swift_hyperband.report import style
from swift_hyperband.report.page import look
from swift_hyperband.report.trials import LOST, Row
from swift_hyperband.space.parameters import Categorical

MOST, FIRST = 500, 200
MOST_PANELS = 12
IN_A_ROW = 3
SCALE = [[0.0, style.GREY], [0.5, style.SKY], [1.0, style.ORANGE]]
"""Of epochs; to be seen on white and on black."""
TEXT = (
    "Each point is a trial where it stands: a grey one trained few epochs, an orange one most. Values of few epochs "
    "do not compare with those of many. Red crosses are trials that failed or diverged; they have no value, and lie "
    "at the edge."
)


def section(material: look.Material, names: Sequence[str]) -> look.Section:
    """Return a panel for each hyperparameter with these names; there may be too many for all."""
    found = [row for row in material.rows if row.value is not None or row.status in LOST]
    values = material.values
    if values is None:
        return look.Section("slices", "Slices", TEXT, None, ("No trial has a value.",))
    rows, shown = look.thin(found, MOST, FIRST), names[:MOST_PANELS]
    columns = min(IN_A_ROW, len(shown))
    lines = math.ceil(len(shown) / columns)
    figure = make_subplots(lines, columns, shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=0.22 / lines)
    figure.update_layout(look.figure(60 + 270 * lines).layout)
    lost = [row for row in rows if row.status in LOST]
    stand = [row for row in rows if row.status not in LOST]
    for place, name in enumerate(shown):
        where = {"row": place // columns + 1, "col": place % columns + 1}
        figure.add_trace(_points(material, name, stand, values), **where)
        if lost:
            figure.add_trace(_lost(material, name, lost, values, showlegend=place == 0), **where)
        figure.update_xaxes(_axis(material, name), **where)
        left = place % columns == 0
        figure.update_yaxes(look.value_axis(values, material.metric if left else ""), **where)
    look.axes(figure)
    ends = sorted({row.epochs for row in stand})
    some = look.thin(ends, 6)
    figure.update_layout(
        coloraxis={
            "colorscale": SCALE,
            "colorbar": {
                "title": {"text": "epochs"},
                "tickvals": [math.log(end) for end in some],
                "ticktext": [str(end) for end in some],
                "thickness": 12,
            },
        }
    )
    notes = look.thinned(len(rows), len(found), f"the first {FIRST} of the table and an even sample of the others")
    if len(names) > MOST_PANELS:
        notes.append(f"The {MOST_PANELS} most important of {len(names)} hyperparameters are shown.")
    return look.Section("slices", "Slices", TEXT, figure, notes)


def _points(material: look.Material, name: str, rows: Sequence[Row], values: style.ValueRange) -> dict[str, Any]:
    active = [row for row in rows if name in row.configuration]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": _places(material, name, active),
        "y": [values.clip(row.value or 0.0) for row in active],
        "customdata": [style.number(row.value or 0.0) for row in active],
        "marker": {
            "color": [math.log(row.epochs) for row in active],
            "coloraxis": "coloraxis",
            "size": 7,
            "opacity": 0.85,
            "line": {"width": 0.5, "color": look.GRID},
        },
        "text": [material.about(row.trial) for row in active],
        "hovertemplate": f"{material.metric} %{{customdata}}<br>%{{text}}<extra></extra>",
        "showlegend": False,
    }


def _lost(
    material: look.Material, name: str, rows: Sequence[Row], values: style.ValueRange, *, showlegend: bool
) -> dict[str, Any]:
    active = [row for row in rows if name in row.configuration]
    edge = values.high if material.history.study.metric.minimised else values.low
    return {
        "type": "scatter",
        "mode": "markers",
        "x": _places(material, name, active),
        "y": [edge] * len(active),
        "marker": {"symbol": "x-thin", "size": 8, "line": {"width": 2, "color": style.RED}},
        "cliponaxis": False,
        "text": [material.about(row.trial) for row in active],
        "hovertemplate": "%{text}<extra></extra>",
        "name": "failed or diverged",
        "legendgroup": "lost",
        "showlegend": showlegend,
    }


def _places(material: look.Material, name: str, rows: Sequence[Row]) -> list[Any]:
    if isinstance(material.space[name], Categorical):
        return [look.text(plain(row.configuration[name])) for row in rows]
    return [row.configuration[name] for row in rows]


def _axis(material: look.Material, name: str) -> dict[str, Any]:
    keys = material.space[name]
    axis: dict[str, Any] = {"title": {"text": look.text(name)}}
    if isinstance(keys, Categorical):
        labels = look.choices(keys)
        return axis | {"type": "category", "categoryarray": labels, "range": [-0.6, len(labels) - 0.4]}
    return axis | {"type": "log" if keys.log else "linear"}

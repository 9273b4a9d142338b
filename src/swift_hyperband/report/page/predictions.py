"""Predicted against reached values, beside the simplest prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plotly.subplots import make_subplots

from swift_hyperband.report import style
from swift_hyperband.report.numbers import Prediction, predictions, r2, spearman
from swift_hyperband.report.page import look
from swift_hyperband.report.search.predictions import FEWEST, predictor, score, why_none

MOST = 2000
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "star", "cross", "x")
TEXT = (
    "Predictions at the decision points for the ends of the rounds, against the values reached there; on the "
    "right the same for the simplest prediction, the value at the decision point. Only trials that continued can "
    "be checked, so the worst are mostly missing. The predictor was fitted without any of these points. R² is 1 "
    "for perfect predictions and 0 for those no better than the mean; Spearman's correlation compares the ranks, "
    "which decide who continues."
)


def section(material: look.Material) -> look.Section:
    """Return the two panels; a note where there are too few predictions."""
    history = material.history
    pairs = predictions(history)
    title = "Predicted and reached"
    if len(pairs) < FEWEST:
        return look.Section("predictions", title, TEXT, None, (why_none(history, len(pairs)).replace("\n", " "),))
    values = style.value_range([value for pair in pairs for value in (pair.seen, pair.reached)], history.study.metric)
    panels = {
        look.text(predictor(history)): [pair.predicted for pair in pairs],
        "value at the decision point": [pair.seen for pair in pairs],
    }
    reached = [pair.reached for pair in pairs]
    names = [
        f"{name}: R² {score(r2(guesses, reached))}, Spearman {score(spearman(guesses, reached))}"
        for name, guesses in panels.items()
    ]
    figure = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.04, subplot_titles=names)
    figure.update_annotations(font_size=13)
    legend = {"orientation": "h", "yanchor": "bottom", "y": 1.08, "x": 0}
    figure.update_layout(look.figure(480, margin={"l": 60, "r": 20, "t": 80, "b": 50}, legend=legend).layout)
    ends = [values.low, values.high]
    kept = set(look.thin(range(len(pairs)), MOST))
    brackets = sorted({pair.bracket for pair in pairs}, reverse=True)
    for column, guesses in enumerate(panels.values(), 1):
        diagonal = {"type": "scatter", "x": ends, "y": ends, "mode": "lines", "line": {"color": style.GREY, "width": 1}}
        figure.add_trace({**diagonal, "hoverinfo": "skip", "showlegend": False}, row=1, col=column)
        for place, bracket in enumerate(brackets):
            chosen = [row for row, pair in enumerate(pairs) if pair.bracket == bracket and row in kept]
            of_bracket = [pairs[row] for row in chosen], [guesses[row] for row in chosen]
            found = _points(material, values, *of_bracket, place)
            figure.add_trace({**found, "name": f"bracket {bracket}", "showlegend": column == 1}, row=1, col=column)
        axis = look.value_axis(values, f"reached {material.metric}")
        figure.update_xaxes(axis, row=1, col=column)
        figure.update_yaxes(
            look.value_axis(values, f"predicted {material.metric}" if column == 1 else ""), row=1, col=column
        )
    look.axes(figure)
    return look.Section("predictions", title, TEXT, figure, look.thinned(len(kept), len(pairs)))


def _points(
    material: look.Material,
    values: style.ValueRange,
    pairs: Sequence[Prediction],
    guesses: Sequence[float],
    place: int,
) -> dict[str, Any]:
    outside = [
        values.outside(pair.reached) or values.outside(guess) for pair, guess in zip(pairs, guesses, strict=True)
    ]
    symbol = SYMBOLS[place % len(SYMBOLS)]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [values.clip(pair.reached) for pair in pairs],
        "y": [values.clip(guess) for guess in guesses],
        # hollow ones lie beyond the range
        "marker": {
            "symbol": [f"{symbol}-open" if one else symbol for one in outside],
            "size": 8,
            "color": style.HUES[place % len(style.HUES)],
        },
        "legendgroup": str(place),
        "cliponaxis": False,
        "customdata": [
            [style.number(guess), style.number(pair.reached)] for pair, guess in zip(pairs, guesses, strict=True)
        ],
        "text": [material.about(pair.trial) for pair in pairs],
        "hovertemplate": "predicted %{customdata[0]}, reached %{customdata[1]}<br>%{text}<extra></extra>",
    }

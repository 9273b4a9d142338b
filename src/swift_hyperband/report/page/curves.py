"""Learning curves with the trial under the mouse."""

from __future__ import annotations

import math

from swift_hyperband.report import style
from swift_hyperband.report.page import look
from swift_hyperband.report.search.learning_curves import LOOKS
from swift_hyperband.report.trials import LOST
from swift_hyperband.results.standing import best

MOST, FIRST = 300, 100
"""Curves that are drawn at most, and how many of the best are among them."""
MOST_EPOCHS = 120
"""Points of a curve at most."""
TEXT = (
    "The learning curves of the trials, and how each of them ended. Point at a curve for its trial; a click on an"
    " entry of the legend hides such curves, a double click all others."
)


def section(material: look.Material) -> look.Section:
    """Return the learning curves; values beyond the shown range are reached by zooming out (double click)."""
    history = material.history
    metric, study = history.study.metric.name, history.study
    losses = [
        [study.metric.loss(value) for value in trial.values(metric) if math.isfinite(value)]
        for trial in history.trials.values()
    ]
    losses = [of_trial for of_trial in losses if of_trial]
    if not losses:
        return look.Section("curves", "Learning curves", TEXT, None, (f"No trial reported a finite {metric}.",))
    worst = [max(of_trial) for of_trial in losses]
    shown = style.value_range([study.metric.value(loss) for loss in (min(map(min, losses)), *worst)], study.metric)
    trained = [row for row in material.rows if row.epochs]
    rows = look.thin(trained, MOST, FIRST)
    winner = best(history)
    ends = sorted({round_.end for round_ in history.schedule.rounds})
    figure = look.figure(520)
    figure.update_xaxes(
        title_text="epoch (logarithmic)", type="log", tickvals=ends, ticktext=[str(end) for end in ends]
    )
    figure.update_layout(yaxis=look.value_axis(shown, f"{material.metric} ({study.metric.better})"))
    places = {fate: place for place, fate in enumerate(LOOKS)}
    said = f"epoch %{{x}}: {material.metric} %{{y:.5~g}}"
    named: set[str] = set()
    data = []
    for row in sorted(rows, key=lambda row: places[row.status]):
        name, looks = LOOKS[row.status]
        is_best = winner is not None and winner.trial == row.trial
        line = {"color": looks["color"], "width": 1.2, "dash": "dot" if isinstance(looks.get("ls"), tuple) else "solid"}
        if is_best:
            name = "best" if history.finished else "best so far"
            line = {"color": style.ORANGE, "width": 3.5}
        epochs, values = _points(_until_lost(history.trials[row.trial].values(metric)), set(ends))
        ended = ["circle"] * (len(epochs) - 1) + ["x" if row.status in LOST else "circle"]
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if row.status in LOST or len(epochs) == 1 else "lines",
                "marker": {"symbol": ended, "size": [3] * (len(epochs) - 1) + [7]},
                "x": epochs,
                "y": look.finite(values),
                "line": line,
                "name": name,
                "legendgroup": name,
                "showlegend": name not in named,
                "zorder": 1 if is_best else 0,
                # one text for all points: plotly fills %{text} from lists only
                "hovertemplate": f"{said}<br>{material.about(row.trial)}<extra></extra>",
            }
        )
        named.add(name)
    figure.add_traces(data)
    notes = look.thinned(len(rows), len(trained), f"the first {FIRST} of the table and an even sample of the others")
    beyond = sum(any(shown.outside(value) for value in history.trials[row.trial].values(metric)) for row in rows)
    if beyond:
        side = "above" if study.metric.minimised else "below"
        notes.append(f"{beyond} curves reach {side} this range; a double click shows all.")
    return look.Section("curves", "Learning curves", TEXT, figure, notes)


def _until_lost(values: list[float]) -> list[float]:
    """Return a curve up to its last finite value; all of one that has none."""
    last = max((place for place, value in enumerate(values, 1) if math.isfinite(value)), default=len(values))
    return values[:last]


def _points(values: list[float], ends: set[int]) -> tuple[list[int], list[float]]:
    """Return epochs and values of a curve, of a long one only some: those at the ends of rounds are among them."""
    epochs = range(1, len(values) + 1)
    if len(values) > MOST_EPOCHS:
        kept = {round(len(values) ** (place / (MOST_EPOCHS - 1))) for place in range(MOST_EPOCHS)}
        return _points_at(values, sorted(kept | {end for end in ends if end <= len(values)}))
    return _points_at(values, list(epochs))


def _points_at(values: list[float], epochs: list[int]) -> tuple[list[int], list[float]]:
    return epochs, [values[epoch - 1] for epoch in epochs]

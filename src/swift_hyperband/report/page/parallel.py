"""Parallel coordinates: a line for each trial through its hyperparameters, its epochs and its value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from swift_hyperband.base.wording import plain
from swift_hyperband.report import style
from swift_hyperband.report.numbers import ranks
from swift_hyperband.report.page import look
from swift_hyperband.report.trials import LOST, Row
from swift_hyperband.space.parameters import Categorical, Hyperparameter

MOST, FIRST = 500, 200
MOST_AXES = 12
LETTERS, MOST_LETTERS = 130, 20
"""For the names of all axes side by side, and of one."""
INACTIVE_AT = -0.12
"""Where a line crosses the axis of a hyperparameter that is not active, which is from 0 to 1."""
SCALE = [[0.0, style.GREY], [0.75, style.BLUE], [0.9, style.ORANGE], [1.0, style.ORANGE]]
"""From the worst to the best; plotly draws the lines in this order."""
TEXT = (
    "Each line is a trial. Orange ones are the best tenth, grey ones the worst, by the value where each stands. "
    "Drag along an axis to choose a part of it, such as the trials with most epochs; drag the name of an axis to "
    "move it."
)


def section(material: look.Material, names: Sequence[str]) -> look.Section:
    """Return the figure of the hyperparameters with these names; there may be too many for all."""
    standing = [row for row in material.rows if row.value is not None and row.status not in LOST]
    if len(standing) < 2:
        why = f"{len(standing)} trials have a value; two are needed."
        return look.Section("parallel", "Parallel coordinates", TEXT, None, (why,))
    rows = look.thin(standing, MOST, FIRST)
    metric = material.history.study.metric
    order = ranks([metric.loss(row.value or 0.0) for row in rows])
    letters = min(MOST_LETTERS, LETTERS // (len(names[:MOST_AXES]) + 2))
    dimensions = [_of_hyperparameter(name, material.space[name], rows, letters) for name in names[:MOST_AXES]]
    dimensions += [_of_epochs(rows), _of_values(material, rows)]
    figure = look.figure(460, margin={"l": 70, "r": 70, "t": 70, "b": 30})
    figure.add_traces(
        [
            {
                "type": "parcoords",
                "dimensions": dimensions,
                "labelfont": {"size": 14},
                "tickfont": {"size": 12},
                "line": {
                    "color": [(len(rows) - rank) / max(1, len(rows) - 1) for rank in order],
                    "colorscale": SCALE,
                    "cmin": 0,
                    "cmax": 1,
                },
            }
        ]
    )
    notes = look.thinned(len(rows), len(standing), f"the first {FIRST} of the table and an even sample of the others")
    if left := len(material.rows) - len(standing):
        notes.append(f"{left} trials that failed, diverged or have no value are not drawn.")
    if len(names) > MOST_AXES:
        notes.append(f"The {MOST_AXES} most important of {len(names)} hyperparameters are shown.")
    return look.Section("parallel", "Parallel coordinates", TEXT, figure, notes)


def _of_hyperparameter(name: str, keys: Hyperparameter, rows: Sequence[Row], letters: int) -> dict[str, Any]:
    if isinstance(keys, Categorical):
        found = list(keys.choices)
        steps = max(1, len(found) - 1)
        # plain text: these labels are not read as tags
        ticks = {place / steps: style.name(plain(choice), letters) for place, choice in enumerate(found)}
        places = {choice: place / steps for place, choice in enumerate(found)}
        values = [places[row.configuration[name]] if name in row.configuration else INACTIVE_AT for row in rows]
    else:
        ticks = {keys.place(value): style.number(value) for value in _ticks(keys.low, keys.high, keys.log)}
        values = [keys.place(row.configuration[name]) if name in row.configuration else INACTIVE_AT for row in rows]
    low = 0.0
    if INACTIVE_AT in values:
        ticks[INACTIVE_AT], low = "inactive", INACTIVE_AT
    return {
        "label": look.text(name, letters),
        "values": values,
        "range": [low - 0.02, 1.02],
        "tickvals": list(ticks),
        "ticktext": list(ticks.values()),
    }


def _ticks(low: float, high: float, log: bool) -> list[float]:
    """Return the ends of a range and round numbers between."""
    if high <= low:
        return [low]
    if log:
        powers = [10.0**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
        return sorted({float(low), float(high), *powers[:: math.ceil(len(powers) / 6) or 1]})
    step = 10 ** math.floor(math.log10(high - low))
    step = next(part for part in (step / 5, step / 2, step, 2 * step) if (high - low) / part <= 6)
    first = math.ceil(low / step)
    return sorted({float(low), float(high), *(place * step for place in range(first, math.floor(high / step) + 1))})


def _of_epochs(rows: Sequence[Row]) -> dict[str, Any]:
    ends = sorted({row.epochs for row in rows})
    shown = look.thin(ends, 7)
    return {
        "label": "epochs",
        "values": [math.log(row.epochs) for row in rows],
        "tickvals": [math.log(end) for end in {*shown, ends[-1]}],
        "ticktext": [str(end) for end in {*shown, ends[-1]}],
    }


def _of_values(material: look.Material, rows: Sequence[Row]) -> dict[str, Any]:
    shown = material.values
    assert shown is not None
    values = [shown.clip(row.value or 0.0) for row in rows]
    ends = [shown.low, shown.high]
    ticks = [tick for tick in _ticks(shown.low, shown.high, shown.log) if shown.low < tick < shown.high]
    if not shown.log:
        labels = [style.number(tick) for tick in ticks]
        return {"label": material.metric, "values": values, "range": ends, "tickvals": ticks, "ticktext": labels}
    return {
        "label": material.metric,
        "values": [math.log10(value) for value in values],
        "range": [math.log10(end) for end in ends],
        "tickvals": [math.log10(tick) for tick in ticks],
        "ticktext": [style.number(tick) for tick in ticks],
    }

"""Brackets, and the rungs of a search without rounds: how far each trial trained, and where it was stopped."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import plotly.graph_objects as go

from swift_hyperband.report import style
from swift_hyperband.report.numbers import Kind, Stretch, stretches, thaws
from swift_hyperband.report.page import look
from swift_hyperband.report.search import brackets, rungs
from swift_hyperband.results.rungs import Rungs
from swift_hyperband.results.standing import best, lost, winners

MOST, LEAST = 1000, 20
"""Trials that are drawn at most, and of each bracket if it has them."""
GAP = 2
"""Empty rows between brackets."""
NAMES = 40
"""Names of brackets that have room above each other."""
TEXT = (
    "How far each trial trained. Each line is a trial; those that trained further are higher up in their bracket. "
    "Thin upright lines are the ends of rounds, dotted ones decision points. What is grey was not trained: a "
    "prediction stopped the trial there. Blue trials train to the end of a round without a decision. Trials that were "
    "left behind and could still win may train on after all brackets (thawed)."
)
TEXT_OF_RUNGS = "How many trials reached each rung and trained on, and what became of the others."


def section(material: look.Material) -> look.Section:
    """Return the brackets; of a search without rounds its rungs."""
    history = material.history
    if history.rungs is not None:
        return _of_rungs(history.rungs)
    total = max(1, len(history.trials))
    orders = {bracket: brackets.order(history, bracket) for bracket in history.schedule.brackets}
    kept = {
        bracket: look.thin(order, max(LEAST, MOST * len(order) // total), LEAST // 2)
        for bracket, order in orders.items()
    }
    drawn = sum(map(len, kept.values()))
    figure = look.figure(200, barmode="overlay", bargap=0.15)
    row = 0.0
    lines: dict[Kind, list[tuple[float, Stretch, str]]] = defaultdict(list)
    ticks: dict[float, str] = {}
    marks: list[tuple[float, float, str, bool]] = []
    later = thaws(history)
    found, won = best(history), winners(history)
    for bracket, trials in kept.items():
        top = row
        for trial in trials:
            for part in _parts(material, bracket, trial, later):
                lines[part.kind].append((row, part, trial))
            if lost(history, history.trials[trial]):
                marks.append((row, len(history.trials[trial].curve), trial, True))
            if bracket in won and won[bracket].trial == trial:
                marks.append((row, won[bracket].epoch, trial, False))
            row += 1
        _ends(figure, material, bracket, top - 0.7, max(row, top + 1) - 0.3)
        # high enough for its name
        row = max(row, top + 1 + drawn / NAMES)
        count = f": {len(orders[bracket])} trials" if orders[bracket] else ""
        ticks[(top + row - 1) / 2] = f"bracket {bracket}{count}"
        row += GAP
    figure.add_traces([_bars(material, kind, lines[kind]) for kind in style.KINDS if kind in lines])
    figure.add_traces(_marks(material, marks, None if found is None else found.trial))
    _axes(figure, material, row, ticks)
    figure.update_layout(height=round(min(900, 150 + max(6.0, 420 / (row + 1)) * row)))
    which = "of each bracket those that trained furthest and an even sample of the others"
    return look.Section("brackets", "Brackets", TEXT, figure, look.thinned(drawn, len(history.trials), which))


def _parts(material: look.Material, bracket: int, trial: str, later: dict[str, Stretch]) -> list[Stretch]:
    history = material.history
    found = []
    for round_ in history.schedule.brackets[bracket]:
        here = history.rounds[round_.key]
        if trial in here.competitors:
            found += stretches(history, here, history.trials[trial])
    return [*found, *([later[trial]] if trial in later else [])]


def _bars(material: look.Material, kind: Kind, lines: list[tuple[float, Stretch, str]]) -> dict[str, Any]:
    colour, name = style.KINDS[kind]
    saved = kind == "saved"
    return {
        "type": "bar",
        "orientation": "h",
        "y": [row for row, _, _ in lines],
        "base": [math.log1p(part.start) for _, part, _ in lines],
        "x": [math.log1p(part.end) - math.log1p(part.start) for _, part, _ in lines],
        "width": 0.45 if saved else 0.85,
        "marker": {"color": colour, "opacity": 0.45 if saved else 1.0, "line": {"width": 0}},
        "name": name,
        "customdata": [f"epochs {part.start + 1} to {part.end}: {name}" for _, part, _ in lines],
        "text": [material.about(trial) for _, _, trial in lines],
        "textposition": "none",
        "hovertemplate": "%{customdata}<br>%{text}<extra></extra>",
    }


def _marks(
    material: look.Material, marks: list[tuple[float, float, str, bool]], winner: str | None
) -> list[dict[str, Any]]:
    """Return crosses at lost trials, circles at winners of brackets and a star at the best trial."""
    star = "best of the search" if material.history.finished else "best so far"
    kinds = {
        "diverged or failed": ("x", 8, style.RED, [mark for mark in marks if mark[3]]),
        "winner of a bracket": (
            "circle",
            9,
            style.YELLOW,
            [mark for mark in marks if not mark[3] and mark[2] != winner],
        ),
        star: ("star", 16, style.YELLOW, [mark for mark in marks if not mark[3] and mark[2] == winner]),
    }
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [math.log1p(epoch) for _, epoch, _, _ in found],
            "y": [row for row, _, _, _ in found],
            "marker": {"symbol": symbol, "size": size, "color": colour, "line": {"width": 1, "color": "black"}},
            "name": name,
            "text": [material.about(trial) for _, _, trial, _ in found],
            "hovertemplate": f"{name}<br>%{{text}}<extra></extra>",
            "cliponaxis": False,
        }
        for name, (symbol, size, colour, found) in kinds.items()
        if found
    ]


def _ends(figure: go.Figure, material: look.Material, bracket: int, top: float, bottom: float) -> None:
    """Draw the ends of a bracket's rounds, and its decision points."""
    lines = []
    for round_ in material.history.schedule.brackets[bracket]:
        lines.append((round_.end, "solid"))
        if round_.decision_epoch is not None:
            lines.append((round_.decision_epoch, "dot"))
    for epoch, dash in lines:
        x, look_ = math.log1p(epoch), {"width": 1, "color": style.GREY, "dash": dash}
        figure.add_shape(type="line", x0=x, x1=x, y0=top, y1=bottom, line=look_)


def _axes(figure: go.Figure, material: look.Material, rows: float, ticks: dict[float, str]) -> None:
    schedule = material.history.schedule
    ends = [0, *sorted({round_.end for round_ in schedule.rounds})]
    figure.update_xaxes(
        title_text="epochs of a trial (logarithmic)",
        tickvals=[math.log1p(end) for end in ends],
        ticktext=[str(end) for end in ends],
        range=[0, math.log1p(schedule.max_epochs) * 1.02],
    )
    figure.update_yaxes(
        range=[rows - GAP + 0.5, -1.5], tickvals=list(ticks), ticktext=list(ticks.values()), showgrid=False
    )


def _of_rungs(found: Rungs) -> look.Section:
    names = [f"epoch {rung.epoch}" for rung in found.rungs]
    bars = [rungs.parts(rung) for rung in found.rungs]
    figure = look.figure(170 + 34 * len(names), barmode="stack")
    figure.add_traces(
        [
            {
                "type": "bar",
                "orientation": "h",
                "y": names,
                "x": [bar[part] for bar in bars],
                "name": name,
                "marker": {"color": colour},
                "hovertemplate": f"%{{y}}: %{{x}} {name}<extra></extra>",
            }
            for part, (colour, name) in rungs.LOOKS.items()
            if any(bar[part] for bar in bars)
        ]
    )
    figure.update_xaxes(title_text="trials")
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return look.Section("brackets", "Rungs", TEXT_OF_RUNGS, figure)

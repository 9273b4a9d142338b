"""Epochs spent and saved, beside those of Hyperband."""

from __future__ import annotations

from typing import Any

from swift_hyperband.report import style
from swift_hyperband.report.numbers import Spending, spending
from swift_hyperband.report.page import look
from swift_hyperband.report.search.epochs import PARTS, THAW, what
from swift_hyperband.results.history import History
from swift_hyperband.results.rungs import Rungs, of_hyperband, trained_to
from swift_hyperband.search.algorithms import ALGORITHMS

TEXT = (
    "The epochs that the search trained in the rounds that are over, and those that predictions saved. A whole "
    "bar is what Hyperband trains if no trial fails, unless more was trained. Epochs are lost if trials diverge "
    "or fail."
)
TEXT_OF_RUNGS = "The epochs trained on the way to each rung, beside those of one Hyperband of this size."


def section(material: look.Material) -> look.Section:
    """Return the bars of each bracket, or of each rung of a search without rounds."""
    history = material.history
    if history.rungs is not None:
        return _of_rungs(history, history.rungs)
    found = spending(history)
    total = sum(found.values(), Spending())
    names = [f"bracket {key}" if key in history.schedule.brackets else THAW for key in found]
    data: list[dict[str, Any]] = []
    for part, (colour, name) in PARTS.items():
        lengths = [getattr(spent, part) for spent in found.values()]
        if any(lengths):
            gone = part in ("saved", "lost")
            marker = {"color": style.LIGHT if gone else colour}
            pattern = {"shape": "/" if part == "saved" else ".", "fgcolor": style.DARK, "size": 6} if gone else {}
            data.append(_bar(names, lengths, name, marker | ({"pattern": pattern} if gone else {})))
    return look.Section("epochs", "Epochs", f"<b>{what(history, total)}.</b> {TEXT}", _stacked(names, data, "stack"))


def _of_rungs(history: History, rungs: Rungs) -> look.Section:
    trained = trained_to(rungs.rungs, {name: len(trial.curve) for name, trial in history.trials.items()})
    plain = of_hyperband(history.schedule, list(trained))
    names = [f"to epoch {epoch}" for epoch in trained]
    bars = [
        _bar(names, list(trained.values()), ALGORITHMS[history.study.search.algorithm].label, {"color": style.BLUE}),
        _bar(names, [plain[epoch] for epoch in trained], "Hyperband", {"color": style.LIGHT}),
    ]
    return look.Section("epochs", "Epochs", TEXT_OF_RUNGS, _stacked(names, bars, "group"))


def _bar(names: list[str], lengths: list[int], name: str, marker: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "x": lengths,
        "name": name,
        "marker": marker,
        "hovertemplate": f"%{{y}}: %{{x}} epochs, {name}<extra></extra>",
    }


def _stacked(names: list[str], data: list[dict[str, Any]], mode: str) -> Any:
    figure = look.figure(170 + 34 * len(names), barmode=mode)
    figure.add_traces(data)
    figure.update_xaxes(title_text="epochs")
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure

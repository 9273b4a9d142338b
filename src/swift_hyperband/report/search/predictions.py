"""predictions.png: predicted against reached values, compared with the last seen value as a baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from swift_hyperband.report import style
from swift_hyperband.report.numbers import Prediction, predictions, r2, spearman
from swift_hyperband.results.history import History
from swift_hyperband.search.algorithms import ALGORITHMS

FEWEST = 3
"""Fewest predictions for a picture."""

MARKERS = "osD^vP<>X"
NAMES = {"linear": "linear regression", "svr": "SVR", "qsvr": "QSVR", "last-value": "last value"}


def draw(history: History) -> Figure:
    """Return the picture."""
    pairs = predictions(history)
    if len(pairs) < FEWEST:
        picture = style.figure(1.7)
        picture.suptitle(style.title(history, "Predictions"))
        style.message(picture.subplots(), why_none(history, len(pairs)))
        return picture
    picture = style.figure(4.9)
    picture.suptitle(
        style.title(history, "Predictions at decision points, checked at the rounds' ends" + _outside(history))
    )
    # real values only: a prediction may be far off, or negative where the metric never is
    shown = style.value_range([value for pair in pairs for value in (pair.seen, pair.reached)], history.study.metric)
    left, right = picture.subplots(1, 2, sharex=True, sharey=True)
    _panel(left, history, pairs, [pair.predicted for pair in pairs], shown, f"predictor: {predictor(history)}")
    _panel(right, history, pairs, [pair.seen for pair in pairs], shown, "baseline: value at the decision point")
    left.set_ylabel(f"predicted {style.name(history.study.target.metric)}")
    brackets = sorted({pair.bracket for pair in pairs}, reverse=True)
    handles = [Line2D([], [], label=f"bracket {bracket}", **_mark(history, bracket)) for bracket in brackets]
    if any(shown.outside(value) for pair in pairs for value in (pair.seen, pair.predicted, pair.reached)):
        handles.append(Line2D([], [], label="outside this range", ls="", marker="o", mfc="white", mec=style.DARK))
    picture.legend(handles=handles, loc="outside lower center", ncols=min(5, len(handles)))
    return picture


def _outside(history: History) -> str:
    count = len(history.outside)
    return f"\n{count} trial{'s' if count > 1 else ''} far outside counted as diverged" if count else ""


def predictor(history: History) -> str:
    """Name the predictor, its sampler, and the number of rounds with a fallback."""
    name = history.study.predictor.name
    told = NAMES.get(name, name)
    if name == "qsvr":
        told += f", {style.name(history.study.predictor.sampler.name)}"
        told += ", not reproducible" if history.unrepeatable is not None else ""
    decided = [found.decided for found in history.rounds.values() if found.decided is not None]
    if failed := sum(found.fallback is not None for found in decided):
        told += f"\n(simulated annealing in {failed} of {len(decided)} rounds)"
    return told


def _mark(history: History, bracket: int, outside: bool = False) -> style.Look:
    """Return the look of a bracket's points; points outside the range are hollow."""
    brackets = list(history.schedule.brackets)
    place = brackets.index(bracket)
    colour = colormaps["viridis"](0.9 * place / max(1, len(brackets) - 1))
    face, edge, width = ("white", colour, 1.2) if outside else (colour, "white", 0.4)
    return {"marker": MARKERS[place % len(MARKERS)], "ls": "", "ms": 5.5, "mfc": face, "mec": edge, "mew": width}


def why_none(history: History, count: int) -> str:
    """Return why there are so few predictions that can be checked."""
    if history.rungs is not None and ALGORITHMS[history.study.search.algorithm].predicts:
        count = len(history.rungs.stopped)
        return f"{count} trials were stopped by prediction; the predicted values are not kept without rounds."
    if not history.schedule.decides:
        name = ALGORITHMS[history.study.search.algorithm].label
        return f"{name} predicts nothing: every trial trains to the end of its round."
    made = sum(
        verdict.predicted is not None
        for found in history.rounds.values()
        for verdict in (found.verdicts or {}).values()
    )
    if made == 0:
        return "Nothing was predicted."
    return (
        f"Of {made} predictions, {count} can be checked, too few to show:\n"
        "only partial trials that continued reach the end of their round."
    )


def _panel(
    ax: Axes,
    history: History,
    pairs: Sequence[Prediction],
    guesses: Sequence[float],
    shown: style.ValueRange,
    name: str,
) -> None:
    reached = [pair.reached for pair in pairs]
    if shown.log:
        style.log_scale(ax, "x")
        style.log_scale(ax, "y")
    ends = (shown.low, shown.high)
    ax.set(xlim=ends, ylim=ends, box_aspect=1, xlabel=f"reached {style.name(history.study.target.metric)}")
    ax.grid()
    ax.plot(ends, ends, color=style.GREY, lw=1, zorder=1)
    for pair, guess in zip(pairs, guesses, strict=True):
        mark = _mark(history, pair.bracket, outside=shown.outside(pair.reached) or shown.outside(guess))
        ax.plot(shown.clip(pair.reached), shown.clip(guess), clip_on=False, zorder=3, **mark)
    scores = f"R² {score(r2(guesses, reached))}, Spearman {score(spearman(guesses, reached))}"
    ax.set_title(f"{name}\n{scores}, n = {len(pairs)}")


def score(score: float) -> str:
    """Return R² or a correlation as text."""
    return (
        "undefined" if math.isnan(score) else (f"{score:.2f}" if abs(score) < 100 else f"{score:.0e}").replace("-", "−")
    )

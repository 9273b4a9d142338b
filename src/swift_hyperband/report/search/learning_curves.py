"""learning_curves.png: the learning curves of all trials."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from swift_hyperband.report import style
from swift_hyperband.results.history import History, TrialHistory
from swift_hyperband.results.standing import Fate, best, fates

LOOKS: dict[Fate, tuple[str, style.Look]] = {
    Fate.NOT_PROMOTED: ("not promoted", {"color": style.SKY, "lw": 0.8}),
    Fate.STOPPED: ("stopped by prediction", {"color": style.GREY, "lw": 0.9, "ls": (0, (2.5, 1.5))}),
    Fate.PROMOTED: ("running", {"color": style.GREEN, "lw": 1.0}),
    Fate.RUNNING: ("running", {"color": style.GREEN, "lw": 1.0}),
    Fate.FINISHED: ("trained to the last epoch", {"color": style.BLUE, "lw": 1.3}),
    Fate.DIVERGED: ("diverged", {"color": style.RED, "lw": 0.9}),
    Fate.FAILED: ("failed", {"color": style.RED, "lw": 0.9, "ls": (0, (1, 1))}),
}
"""Name in the legend and look of the curves, by the trial's fate; the first are drawn below the others."""


def draw(history: History) -> Figure:
    """Return the picture."""
    metric = history.study.metric
    losses = [[metric.loss(value) for value in _finite(trial, metric.name)] for trial in history.trials.values()]
    losses = [of_trial for of_trial in losses if of_trial]
    picture = style.figure(4.8 if losses else 1.7)
    picture.suptitle(style.title(history, f"Learning curves of {len(history.trials)} trials"))
    ax = picture.subplots()
    if not losses:
        style.message(ax, f"No trial reported a finite {style.name(metric.name)}.")
        return picture
    # nine of ten trials from end to end, and the best of all
    worst = [max(of_trial) for of_trial in losses]
    shown = style.value_range([metric.value(loss) for loss in (min(map(min, losses)), *worst)], metric)
    style.epoch_axis(ax, history, start=0.8)
    if shown.log:
        style.log_scale(ax, "y")
    ax.set_ylim(shown.low, shown.high)
    ax.grid()
    ax.set_xlabel("epoch (logarithmic)")
    ax.set_ylabel(f"{style.name(metric.name)} ({metric.better})")
    handles = _curves(ax, history, metric.name)
    handles += _best(ax, history, metric.name, shown)
    cut = sum(any(shown.outside(value) for value in trial.values(metric.name)) for trial in history.trials.values())
    if cut:
        side = "above" if metric.minimised else "below"
        ax.set_title(f"{cut} trials reach {side} this range", loc="right", fontsize=9, color=style.DARK)
    picture.legend(handles=handles, loc="outside lower center", ncols=3)
    return picture


def _finite(trial: TrialHistory, metric: str) -> list[float]:
    return style.drawn([value for value in trial.values(metric) if math.isfinite(value)])


def _curves(ax: Axes, history: History, metric: str) -> list[Line2D]:
    status = fates(history)
    handles: dict[str, Line2D] = {}
    for fate, (name, look) in LOOKS.items():
        for trial in history.trials.values():
            if status[trial.trial] == fate:
                _curve(ax, trial, metric, look)
                mark = "x" if fate in (Fate.DIVERGED, Fate.FAILED) else ""
                handles[name] = Line2D([], [], marker=mark, label=name, **look)
    return list(handles.values())


def _curve(ax: Axes, trial: TrialHistory, metric: str, look: style.Look) -> None:
    values = _finite(trial, metric)
    if look["color"] == style.RED and values:
        ax.plot(len(values), values[-1], "x", color=style.RED, ms=5, mew=1.3)
    if len(values) == 1:
        ax.plot(1, values[0], ".", color=look["color"], ms=4)
    ax.plot(range(1, len(values) + 1), values, **look)


def _best(ax: Axes, history: History, metric: str, shown: style.ValueRange) -> list[Line2D]:
    winner = best(history)
    if winner is None:
        return []
    values = style.drawn(history.trials[winner.trial].values(metric))
    look: style.Look = {"color": "black", "lw": 2.2, "zorder": 5}
    ax.plot(range(1, len(values) + 1), values, **look)
    ax.plot(winner.epoch, shown.clip(winner.value), "*", ms=13, mfc=style.YELLOW, mec="black", zorder=6, clip_on=False)
    name = "best" if history.finished else "best so far"
    label = f"{name}: {style.number(winner.value)} at epoch {winner.epoch}"
    return [Line2D([], [], marker="*", ms=11, mfc=style.YELLOW, label=label, **look)]

"""brackets.png: how far each trial trained and where it was stopped: figure 1 of the paper, from this search."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Set

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from swift_hyperband.report import style
from swift_hyperband.report.numbers import Kind, spending, stretches, thaws
from swift_hyperband.report.search import rungs
from swift_hyperband.results.history import History
from swift_hyperband.results.standing import Best, best, lost, winners
from swift_hyperband.search.algorithms import ALGORITHMS

# in inches: pitch of the lines, most height of all lines, space above a panel, above and below all, at the sides
PITCH, TALLEST = 0.085, 8.0
HEAD, TOP, BOTTOM, LEGEND_ROW, SIDE = 0.46, 0.5, 0.55, 0.19, 0.3


def draw(history: History) -> Figure:
    """Return the picture; of a search without rounds that of its rungs."""
    if history.rungs is not None:
        return rungs.draw(history, history.rungs)
    brackets = history.schedule.brackets
    pitch = min(PITCH, TALLEST / history.schedule.configurations)
    heights = [max(0.3, rounds[0].trials * pitch) for rounds in brackets.values()]
    line = min(3.0, max(0.6, pitch * 72 * 0.5))
    kinds = {
        part.kind
        for found in history.rounds.values()
        for trial in found.competitors
        for part in stretches(history, found, history.trials[trial])
    }
    kinds |= {part.kind for part in thaws(history).values()}
    legend = _legend(history, kinds)
    bottom = BOTTOM + LEGEND_ROW * math.ceil(len(legend) / 3)
    # placed by hand: the automatic layout fails with many panels
    total = TOP + sum(heights) + HEAD * len(heights) + bottom
    picture = Figure(figsize=(style.WIDTH, total))
    picture.text(0.5, 1 - 0.1 / total, style.title(history, what(history, kinds)), size=11, ha="center", va="top")
    edge = total - TOP
    for bracket, height in zip(brackets, heights, strict=True):
        edge -= HEAD + height
        width = style.WIDTH - 2 * SIDE
        ax = picture.add_axes((SIDE / style.WIDTH, edge / total, width / style.WIDTH, height / total))
        _panel(ax, history, bracket, line)
        ax.tick_params(axis="x", length=2, labelbottom=bracket == min(brackets))
    ax.set_xlabel("epochs of a trial (logarithmic)")
    picture.legend(handles=legend, loc="lower center", ncols=3, borderaxespad=0.2)
    return picture


def what(history: History, kinds: Set[Kind]) -> str:
    """Return what the picture shows, in a line."""
    if not history.schedule.decides:
        return f"Brackets of {ALGORITHMS[history.study.search.algorithm].label}, which stops nobody by prediction"
    if "saved" not in kinds:
        return "Brackets; nobody was stopped by prediction"
    return "Brackets, and who was stopped by prediction"


def _panel(ax: Axes, history: History, bracket: int, width: float) -> None:
    """Draw a bracket: its trials, its epochs and its winner."""
    rows = _lines(ax, history, bracket, width)
    style.epoch_axis(ax, history)
    trained = sum(len(trial.curve) for trial in history.trials.values() if trial.bracket == bracket)
    later = sum(part.end - part.start for trial, part in thaws(history).items() if trial in rows)
    saved = spending(history)[bracket].saved
    cost = f"{trained - later} epochs" + (f", {saved} saved" if saved else "") + (f", {later} thawed" if later else "")
    ax.set_title(f"bracket {bracket}: {cost}", loc="left", pad=14)
    winner, found = winners(history).get(bracket), best(history)
    is_best = found is not None and history.finished and found.trial in rows
    if is_best:
        # it may have gone on after its bracket was over
        winner = found
    if winner is not None:
        _mark(ax, winner, rows[winner.trial], width, is_best)
        text = (
            f"{'best' if is_best else 'winner'}: {style.name(history.study.target.metric)} {style.number(winner.value)}"
        )
        ax.set_title(text, loc="right", pad=14, fontweight="bold" if is_best else "normal")
    elif history.rounds[history.schedule.brackets[bracket][-1].key].promoted is not None:
        ax.set_title("no winner: no trial reached the last epoch", loc="right", pad=14)


def _lines(ax: Axes, history: History, bracket: int, width: float) -> dict[str, int]:
    """Draw the trials of a bracket; return the row of each."""
    rows = {trial: row for row, trial in enumerate(order(history, bracket))}
    lines: dict[Kind, list[list[tuple[float, float]]]] = defaultdict(list)
    for round_ in history.schedule.brackets[bracket]:
        found = history.rounds[round_.key]
        for trial in found.competitors:
            for part in stretches(history, found, history.trials[trial]):
                lines[part.kind].append([(part.start, rows[trial]), (part.end, rows[trial])])
        height = len(found.competitors) or round_.trials
        ax.vlines(round_.end, -0.8, height - 0.2, color=style.DARK, lw=0.8, zorder=3)
        if round_.decision_epoch is not None:
            ax.vlines(round_.decision_epoch, -0.8, height - 0.2, color=style.DARK, lw=0.8, ls=":", zorder=3)
        middle = ((1 + round_.start) * (1 + round_.end)) ** 0.5 - 1
        text = f"{height} trials" if round_.index == 0 else str(height)
        ax.annotate(
            text, (middle, 1), (0, 2), ("data", "axes fraction"), "offset points", ha="center", color=style.DARK
        )
    for trial, part in thaws(history).items():
        if trial in rows:
            lines[part.kind].append([(part.start, rows[trial]), (part.end, rows[trial])])
    for kind, drawn in lines.items():
        dashes = (0, (2.5, 1.5)) if kind == "saved" else "solid"
        thickness = width * 0.6 if kind == "saved" else width
        ax.add_collection(LineCollection(drawn, colors=style.KINDS[kind][0], linewidths=thickness, linestyles=dashes))
    gone = [trial for trial in rows if lost(history, history.trials[trial])]
    ends = [len(history.trials[trial].curve) for trial in gone]
    ax.plot(ends, [rows[trial] for trial in gone], "x", color=style.RED, ms=4.5, mew=1.3, zorder=5, clip_on=False)
    ax.set_ylim(max(len(rows), history.schedule.brackets[bracket][0].trials) - 0.2, -0.8)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    return rows


def _mark(ax: Axes, winner: Best, row: int, width: float, is_best: bool) -> None:
    """Give the line of a bracket's winner a dark edge and a mark at its end."""
    ax.plot([0, winner.epoch], [row, row], color="black", lw=width + 2, solid_capstyle="butt", zorder=1.9)
    marker, size = ("*", 14.0) if is_best else ("o", 6.5)
    ax.plot(winner.epoch, row, marker, ms=size, mfc=style.YELLOW, mec="black", mew=0.9, zorder=6, clip_on=False)


def order(history: History, bracket: int) -> list[str]:
    """Return a bracket's trials from top to bottom: those that trained further first, then the better ones."""
    metric = history.study.metric
    rounds = [history.rounds[round_.key] for round_ in history.schedule.brackets[bracket]]
    reached = {trial: found.schedule.index for found in rounds for trial in found.competitors}
    won = [trial for found in rounds for trial in found.promoted or ()]

    def place(trial: str) -> tuple[float, ...]:
        known = history.trials[trial]
        has_no_loss = lost(history, known) or not known.curve
        loss = float("inf") if has_no_loss else metric.losses(known.values(metric.name))[-1]
        return -reached[trial], -won.count(trial), -len(known.curve), loss

    return sorted(reached, key=place)


def _legend(history: History, kinds: Set[Kind]) -> list[Line2D | Patch]:
    """Return the legend of this search."""
    handles: list[Line2D | Patch] = [
        Line2D(
            [],
            [],
            color=colour,
            lw=1.8 if kind == "saved" else 2.5,
            ls=(0, (2.5, 1.5)) if kind == "saved" else "-",
            label=name,
        )
        for kind, (colour, name) in style.KINDS.items()
        if kind in kinds
    ]
    if any(round_.decision_epoch is not None for round_ in history.schedule.rounds):
        handles.append(Line2D([], [], color=style.DARK, lw=0.8, ls=":", label="decision point"))
    handles.append(Line2D([], [], color=style.DARK, lw=0.8, label="end of a round"))
    mark: style.Look = {"ls": "", "mfc": style.YELLOW, "mec": "black"}
    if winners(history):
        handles.append(Line2D([], [], marker="o", ms=6, label="winner of a bracket", **mark))
        if history.finished:
            handles.append(Line2D([], [], marker="*", ms=13, label="best of the search", **mark))
    if any(lost(history, trial) for trial in history.trials.values()):
        handles.append(Line2D([], [], marker="x", ls="", color=style.RED, mew=1.3, label="diverged or failed"))
    return handles

"""epochs.png: epochs spent, against those of Hyperband."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from swift_hyperband.report import style
from swift_hyperband.report.numbers import Spending, spending
from swift_hyperband.results.history import History
from swift_hyperband.results.rungs import Rungs, of_hyperband, trained_to
from swift_hyperband.search.algorithms import ALGORITHMS

PARTS: dict[str, tuple[str, str]] = {
    **{kind: look for kind, look in style.KINDS.items() if kind != "saved"},
    "saved": (style.LIGHT, "saved: stopped by prediction"),
    "lost": ("white", "lost: diverged or failed"),
}
THAW = "thaw"
"""The row of the trials that go on when all brackets are over."""
NARROW = 0.022
"""Share of the axis that a digit takes: only wide enough parts have their number written on them."""


def draw(history: History) -> Figure:
    """Return the picture."""
    if history.rungs is not None:
        return _of_rungs(history, history.rungs)
    found = spending(history)
    total = sum(found.values(), Spending())
    picture = style.figure(2.3 + 0.36 * (len(found) + 1))
    picture.suptitle(style.title(history, what(history, total)))
    above, below = picture.subplots(2, 1, height_ratios=[1.2, len(found)])
    _bars(above, {"in all": total})
    brackets = history.schedule.brackets
    _bars(below, {f"bracket {key}" if key in brackets else THAW: spent for key, spent in found.items()})
    over = any(found[bracket].spent > found[bracket].hyperband for bracket in brackets)
    whole = " (the whole bar: Hyperband" + (", where no more was trained)" if over else ")")
    is_random = ALGORITHMS[history.study.search.algorithm].random
    below.set_xlabel(f"epochs in the rounds that are over{'' if is_random else whole}")
    handles, labels = above.get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside lower center", ncols=3)
    return picture


def _of_rungs(history: History, rungs: Rungs) -> Figure:
    """Return the picture of a search without rounds: epochs on the way to each rung, beside those of Hyperband."""
    trained = trained_to(rungs.rungs, {name: len(trial.curve) for name, trial in history.trials.items()})
    plain = of_hyperband(history.schedule, list(trained))
    bars = {"in all": (sum(trained.values()), sum(plain.values()))}
    bars |= {f"to epoch {epoch}": (trained[epoch], plain[epoch]) for epoch in trained}
    picture = style.figure(2.0 + 0.45 * len(bars))
    name = ALGORITHMS[history.study.search.algorithm].label
    total, whole = bars["in all"]
    picture.suptitle(style.title(history, f"Epochs trained: {total}. One Hyperband of this size trains {whole}"))
    above, below = picture.subplots(2, 1, height_ratios=[1.2, len(trained)])
    for ax, shown in ((above, ["in all"]), (below, list(bars)[1:])):
        rows = range(len(shown))
        for shift, which, colour, label in ((-0.19, 0, style.BLUE, name), (0.19, 1, style.LIGHT, "Hyperband")):
            lengths = [bars[bar][which] for bar in shown]
            ax.barh([row + shift for row in rows], lengths, 0.36, color=colour, label=label)
            for row, length in zip(rows, lengths, strict=True):
                ax.annotate(str(length), (length, row + shift), (5, 0), textcoords="offset points", va="center")
        ax.set_yticks(rows, shown)
        ax.set_ylim(len(shown) - 0.5, -0.5)
        ax.set_xlim(0, 1.15 * max(1, *(max(bars[bar]) for bar in shown)))
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
    below.set_xlabel("epochs trained on the way to each rung")
    picture.legend(*above.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return picture


def what(history: History, total: Spending) -> str:
    """Return what was spent, in a line."""
    if not history.schedule.decides:
        name = ALGORITHMS[history.study.search.algorithm].label
        return f"Epochs trained: {total.spent}. {name} stops nobody by prediction"
    return f"Epochs trained: {total.spent}, against {total.hyperband} of Hyperband"


def _balance(spent: Spending) -> str:
    if spent.saved:
        return f", {spent.saved / spent.hyperband:.0%} saved"
    return f", {spent.spent - spent.hyperband} more" if spent.spent > spent.hyperband else ""


def _bars(ax: Axes, bars: Mapping[str, Spending]) -> None:
    longest = max(1, *(max(spent.hyperband, spent.spent + spent.lost) for spent in bars.values()))
    rows = range(len(bars))
    left = [0] * len(bars)
    for part, (colour, name) in PARTS.items():
        lengths = [getattr(spent, part) for spent in bars.values()]
        if any(lengths):
            hatch = {"saved": "////", "lost": "...."}.get(part)
            edge = style.GREY if hatch else "white"
            ax.barh(rows, lengths, 0.7, left, color=colour, edgecolor=edge, hatch=hatch, lw=0.6, label=name)
        for row, length in enumerate(lengths):
            if length > NARROW * longest * (len(str(length)) + 0.5):
                dark = part != "full"
                ax.text(
                    left[row] + length / 2,
                    row,
                    str(length),
                    ha="center",
                    va="center",
                    color="black" if dark else "white",
                    bbox={"fc": colour, "ec": "none", "pad": 1} if part in ("saved", "lost") else None,
                )
            left[row] += length
    for row, (name, spent) in enumerate(bars.items()):
        text = f"{spent.spent} of {spent.hyperband}{_balance(spent)}" if spent.hyperband else "no round is over"
        if name == THAW:
            text = f"{spent.spent} more" if spent.thawed else "no trial so far"
        ax.annotate(text, (left[row], row), (5, 0), textcoords="offset points", va="center")
    ax.set_yticks(rows, list(bars))
    ax.set_ylim(len(bars) - 0.5, -0.5)
    ax.set_xlim(0, 1.35 * longest)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.grid(axis="x")
    ax.tick_params(axis="y", length=0)

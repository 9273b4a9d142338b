"""brackets.png of a search without rounds: how many trials reached each rung, and what became of the others."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from swift_hyperband.report import style
from swift_hyperband.results.history import History
from swift_hyperband.results.rungs import Rung, Rungs

LOOKS = {
    "promoted": (style.BLUE, "reached it and trained on"),
    "reached": (style.SKY, "reached it"),
    "running": (style.GREEN, "train on the way to it"),
    "stopped": (style.GREY, "stopped by prediction on the way to it"),
    "lost": (style.RED, "diverged or failed on the way to it"),
}
"""Colour and name of the parts of a bar, in their order."""


def draw(history: History, rungs: Rungs) -> Figure:
    """Return the picture."""
    picture = style.figure(1.9 + 0.34 * len(rungs.rungs))
    begun = f"{len(rungs.trials)} trial{'' if len(rungs.trials) == 1 else 's'}"
    picture.suptitle(style.title(history, f"Rungs: how far {begun} came"))
    ax = picture.subplots()
    bars = [parts(rung) for rung in rungs.rungs]
    left = [0] * len(bars)
    for part, (colour, name) in LOOKS.items():
        lengths = [bar[part] for bar in bars]
        if any(lengths):
            ax.barh(range(len(bars)), lengths, 0.7, left, color=colour, edgecolor="white", lw=0.6, label=name)
        left = [before + length for before, length in zip(left, lengths, strict=True)]
    for row, rung in enumerate(rungs.rungs):
        text = f"{len(rung.reached)} reached it" + (f", {len(rung.promoted)} trained on" if rung.promoted else "")
        ax.annotate(text, (left[row], row), (5, 0), textcoords="offset points", va="center")
    ax.set_yticks(range(len(bars)), [f"epoch {rung.epoch}" for rung in rungs.rungs])
    ax.set_ylim(len(bars) - 0.5, -0.5)
    ax.set_xlim(0, 1.35 * max(1, *left))
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_xlabel("trials")
    ax.grid(axis="x")
    ax.tick_params(axis="y", length=0)
    if any(left):
        picture.legend(loc="outside lower center", ncols=3)
    return picture


def parts(rung: Rung) -> dict[str, int]:
    """Return how many trials are in which part of a rung's bar."""
    counts = rung.counts()
    return counts | {"reached": counts["reached"] - counts["promoted"]}

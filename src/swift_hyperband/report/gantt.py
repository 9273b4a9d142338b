"""Gantt chart of a simulated cluster: a row for each of a few workers, or the shares of many."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, PercentFormatter

from swift_hyperband.replay.simulation import Simulation, Stretch
from swift_hyperband.report import style

ROWS = 64
"""Up to this number each worker has a row; beyond it the picture shows shares."""

BINS = 360
"""Intervals of time over which shares are averaged: about the resolution of a page."""

NARROW = 1 / 75
"""Share of the makespan below which most jobs are too short for edges and hatches."""

OVERHEAD: dict[str, tuple[style.Look, str]] = {
    "starting": ({"fc": style.LIGHT, "ec": style.GREY, "hatch": "///////"}, "starts"),
    "lost": ({"fc": style.RED, "ec": style.RED}, "lost: the worker failed"),
    "queued": ({"fc": "#A8A8A8", "ec": "#A8A8A8"}, "waits in the queue"),
}
"""Look and name of time that is not training."""

LETTERS = 92
"""Letters in a line of the legend; a coloured box counts as six."""

GroupOf = Callable[[str, int], str]


def draw(simulation: Simulation, title: str, group_of: GroupOf | None = None) -> Figure:
    """Return the picture.

    Parameters
    ----------
    simulation : Simulation
    title : str
        Title of the search; makespan and utilisation are added.
    group_of : callable, optional
        Returns the group (bracket, rung) whose colour a job gets, from the trial and the epochs asked for. Groups are
        ordered by the numbers in their names.
    """
    workers = simulation.cluster.workers
    if not simulation.makespan:
        picture = style.figure(1.6)
        picture.suptitle(f"{title}\n{_what(simulation)}")
        style.message(picture.subplots(), "no time was spent")
        return picture
    title = "\n".join(style.name(line, 2 * style.LONGEST) for line in title.splitlines())
    unit, unit_name = style.time_unit(simulation.makespan)
    stretches, looks = _by_look(simulation, unit, group_of)
    columns = max(1, min(len(looks), LETTERS // (max(map(len, looks)) + 6)))
    legend = 0.25 + 0.19 * math.ceil(len(looks) / columns) if len(looks) > 1 or group_of is not None else 0
    picture = style.figure(legend + (2.9 if workers > ROWS else 1.5 + min(0.24 * workers, 1.2 + 0.08 * workers)))
    picture.suptitle(f"{title}\n{_what(simulation)}")
    ax = picture.subplots()
    ax.set_xlim(0, simulation.makespan / unit)
    ax.set_xlabel(f"{unit_name} since the search began")
    if workers > ROWS:
        _shares(ax, stretches, looks, workers)
    else:
        _rows(ax, stretches, looks, workers)
    if legend:
        handles = [Patch(label=name, lw=0.5, **look) for name, look in looks.items()]
        picture.legend(handles=handles, loc="outside lower center", ncols=columns)
    return picture


def _what(simulation: Simulation) -> str:
    workers = simulation.cluster.workers
    size, name = style.time_unit(simulation.makespan)
    spent = f"makespan {simulation.makespan / size:.3g} {name}"
    shares = f"utilisation {simulation.utilisation:.0%}, idle {simulation.idle:.0%}"
    return f"{workers:,} worker{'s' if workers > 1 else ''}, {spent}, {shares}"


_ByLook = dict[str, list[tuple[int, Stretch]]]


def _by_look(simulation: Simulation, unit: float, group_of: GroupOf | None) -> tuple[_ByLook, dict[str, style.Look]]:
    """Return workers and their intervals by name of the legend, in units of time, and the looks of the names."""
    found: _ByLook = defaultdict(list)
    overhead: _ByLook = defaultdict(list)
    for job in simulation.jobs:
        group = "trains" if group_of is None else group_of(job.trial, job.asked)
        for kind, begin, end in job.stretches():
            place = found[group] if kind == "training" else overhead[OVERHEAD[kind][1]]
            place.append((job.worker, Stretch(kind, begin / unit, end / unit)))
    groups = sorted(found, key=_natural)
    looks = {name: {"fc": colour, "ec": "white"} for name, colour in zip(groups, style.hues(len(groups)), strict=True)}
    looks |= {name: look for look, name in OVERHEAD.values() if name in overhead}
    lengths = [job.ended - job.submitted for job in simulation.jobs]
    if simulation.cluster.workers <= ROWS and np.median(lengths) < NARROW * simulation.makespan:
        looks = {name: {"fc": look["fc"], "ec": "none"} for name, look in looks.items()}
    return found | overhead, looks


def _natural(name: str) -> list[tuple[float, str]]:
    """Return a key that sorts "bracket 10" after "bracket 9"."""
    return [(float(number or 0), text) for text, number in re.findall(r"(\D*)(\d*)", name)]


def _rows(ax: Axes, stretches: _ByLook, looks: dict[str, style.Look], workers: int) -> None:
    """Draw each worker, counted from 1, as a row of bars; a gap means that it was idle."""
    for name, look in looks.items():
        half = 0.07 if name == OVERHEAD["queued"][1] else 0.4
        boxes = [
            [(begin, row - half), (begin, row + half), (end, row + half), (end, row - half)]
            for row, begin, end in ((worker + 1, stretch.begin, stretch.end) for worker, stretch in stretches[name])
        ]
        collection = {"facecolors": look["fc"], "edgecolors": look["ec"], "hatch": look.get("hatch")}
        ax.add_collection(PolyCollection(boxes, linewidths=0.5, **collection))
    # lost work may be too short to be visible, so a mark shows it; never an empty line, whose box would be the picture
    if lost := stretches.get(OVERHEAD["lost"][1]):
        ends, rows = [stretch.end for _, stretch in lost], [worker + 1 for worker, _ in lost]
        size = 7.0 if workers <= 16 else 5.0
        ax.plot(ends, rows, "X", mfc=style.RED, mec="white", mew=0.6, ms=size, zorder=5, clip_on=False)
    ax.set_ylim(workers + 0.6, 0.4)
    step = 1 if workers <= 10 else 5 if workers <= 32 else 10
    ax.yaxis.set_major_locator(FixedLocator(sorted({1, *range(step, workers + 1, step)})))
    ax.set_ylabel("worker")
    ax.grid(axis="x")


def _shares(ax: Axes, stretches: _ByLook, looks: dict[str, style.Look], workers: int) -> None:
    """Draw the shares of the workers by activity, stacked; the rest to 100 % was idle."""
    edges = np.linspace(*ax.get_xlim(), BINS + 1)
    below = np.zeros(BINS)
    for name, look in looks.items():
        above = below + _busy([stretch for _, stretch in stretches[name]], edges) / workers
        ax.stairs(above, edges, baseline=below, fill=True, **(look | {"lw": 0}))
        below = above
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.set_ylabel("workers")
    ax.grid(axis="y")


def _busy(stretches: Sequence[Stretch], edges: np.ndarray) -> np.ndarray:
    """Return the mean number of active intervals between neighbouring edges."""
    begins = np.sort([stretch.begin for stretch in stretches])
    ends = np.sort([stretch.end for stretch in stretches])

    def passed(times: np.ndarray) -> np.ndarray:
        """Return, at every edge, the summed time since those `times` that are past."""
        count = np.searchsorted(times, edges)
        return np.asarray(count * edges - np.concatenate([[0.0], np.cumsum(times)])[count])

    return np.asarray(np.diff(passed(begins) - passed(ends)) / np.diff(edges))

"""jobs.png: the training jobs and workers, a row each, with their time in the queue and their running time.

The bar of a job has its bracket's colour. Within the bar of a worker each training has one: without rounds that of the
next rung.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from swift_hyperband.report import style
from swift_hyperband.results.history import History
from swift_hyperband.results.jobs import WORKER, Job, JobOutcome, Totals, totals
from swift_hyperband.results.workers import Worker

ENDS = (
    ((JobOutcome.OUT_OF_TIME,), ">", style.DARK, "out of time: goes on in another job"),
    ((JobOutcome.FAILED, JobOutcome.STOPPED, JobOutcome.LOST), "X", style.RED, "failed, stopped or lost"),
)
"""Mark, colour and name of unusual ends of a job."""
WAITS = ("#A8A8A8", "waits in the queue")
IDLE = (style.LIGHT, "a worker that does not train")
Box = list[tuple[float, float]]


def draw(history: History, jobs: Sequence[Job], workers: Sequence[Worker] = ()) -> Figure:
    """Return the picture.

    Parameters
    ----------
    history : History
    jobs : sequence of Job
        As `swift_hyperband.results.jobs.read` returns them.
    workers : sequence of Worker
        As `swift_hyperband.results.workers.read` returns them.
    """
    if not jobs:
        picture = style.figure(1.6)
        picture.suptitle(style.title(history, "Jobs"))
        style.message(picture.subplots(), "no training job was recorded: the search ran in one process")
        return picture
    picture = style.figure(2.0 + min(0.11 * len(jobs), 6.5))
    picture.suptitle(style.title(history, what(totals(jobs))))
    ax = picture.subplots()
    begin = min(job.started - job.waited for job in jobs)
    size, unit = style.time_unit(max(job.ended for job in jobs) - begin)
    handles = _bars(ax, jobs, runs(history, jobs, workers), begin, size, names(history))
    ax.set_ylim(len(jobs) + 0.5, 0.5)
    ax.set_xlim(0, None)
    ax.yaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.set_ylabel("worker's job" if all(job.part == WORKER for job in jobs) else "job")
    ax.set_xlabel(f"{unit} since the first job was submitted")
    ax.grid(axis="x")
    picture.legend(handles=handles, loc="outside lower center", ncols=3)
    return picture


def what(found: Totals) -> str:
    """Return what all jobs took, in a line."""
    spent = f"{found.gpu_hours:.3g} GPU-hours" if found.gpu_hours else f"{found.core_hours:.3g} core-hours"
    waited = f", {found.queue_hours:.3g} hours in the queue" if found.queue_hours else ""
    return f"{found.jobs} training job{'s' if found.jobs > 1 else ''}: {spent}{waited}"


def names(history: History) -> dict[int, str]:
    """Return the names of the keys of `runs` that are no plain brackets."""
    if history.rungs is not None:
        return {rung.epoch: f"to epoch {rung.epoch}" for rung in history.rungs.rungs}
    thaw = history.schedule.thaw
    return {} if thaw is None else {thaw.bracket: "after all brackets"}


def runs(history: History, jobs: Sequence[Job], workers: Sequence[Worker]) -> dict[int, list[tuple[int, float, float]]]:
    """Return by bracket, or by the next rung, what trained in which row, from when to when."""
    found: dict[int, list[tuple[int, float, float]]] = {}
    spells = {worker.name: worker.spells for worker in workers}
    for row, job in enumerate(jobs, 1):
        if job.part != WORKER:
            found.setdefault(job.bracket, []).append((row, job.started, job.ended))
            continue
        for spell in spells.get(job.batch, ()):
            if job.started <= spell.began <= job.ended and spell.trial in history.trials:
                bracket = history.trials[spell.trial].bracket
                if history.rungs is not None:
                    # those of an adaptive search have no meaning
                    bracket = history.rungs.next_rung(spell.epochs)
                ended = job.ended if spell.ended is None else min(spell.ended, job.ended)
                found.setdefault(bracket, []).append((row, spell.began, ended))
    return found


def _bars(
    ax: Axes,
    jobs: Sequence[Job],
    runs: Mapping[int, Sequence[tuple[int, float, float]]],
    begin: float,
    size: float,
    named: Mapping[int, str],
) -> list[object]:
    """Draw queue and run of each job; return the handles of the legend."""
    handles: list[object] = []
    if idle := [
        _box(row, 0.4, (job.started - begin) / size, (job.ended - begin) / size)
        for row, job in enumerate(jobs, 1)
        if job.part == WORKER
    ]:
        ax.add_collection(PolyCollection(idle, facecolors=IDLE[0], edgecolors="none"))
    brackets = sorted(runs, reverse=True)
    for bracket, hue in zip(brackets, style.hues(len(brackets)), strict=True):
        boxes = [_box(row, 0.4, (start - begin) / size, (end - begin) / size) for row, start, end in runs[bracket]]
        look: style.Look = {"facecolor": hue, "edgecolor": "none"}
        ax.add_collection(PolyCollection(boxes, **look))
        known = named.get(bracket, f"bracket {bracket}")
        handles.append(Patch(**look, label=known if bracket >= 0 else "of a bracket that is not known"))
    if idle:
        handles.append(Patch(facecolor=IDLE[0], label=IDLE[1]))
    if any(job.waited for job in jobs):
        waits = [
            _box(row, 0.12, (job.started - job.waited - begin) / size, (job.started - begin) / size)
            for row, job in enumerate(jobs, 1)
        ]
        ax.add_collection(PolyCollection(waits, facecolors=WAITS[0], edgecolors="none"))
        handles.append(Patch(facecolor=WAITS[0], label=WAITS[1]))
    # never an empty collection: matplotlib takes its box for the whole picture
    for outcomes, mark, colour, name in ENDS:
        found = [(row, job) for row, job in enumerate(jobs, 1) if job.outcome in outcomes]
        if found:
            places = [(job.ended - begin) / size for _, job in found], [row for row, _ in found]
            handles += ax.plot(*places, mark, mfc=colour, mec="white", mew=0.6, ms=6, label=name, zorder=5, ls="none")
    return handles


def _box(row: int, half: float, begin: float, end: float) -> Box:
    return [(begin, row - half), (begin, row + half), (end, row + half), (end, row - half)]

"""The training jobs and workers over time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from swift_hyperband.report import style
from swift_hyperband.report.page import look
from swift_hyperband.report.search.jobs import ENDS, IDLE, WAITS, names, runs, what
from swift_hyperband.results.jobs import WORKER, Job, totals
from swift_hyperband.results.workers import Worker

MOST = 2000
SYMBOLS = ("triangle-right", "x")
TEXT = (
    "A row is a job, in the order of their start: its wait in the queue, if a scheduler reported it, and its "
    "time, in the colour of the bracket or rung that it trained. A worker's row has each of its trainings; where "
    "it is pale it did not train."
)


def section(material: look.Material, jobs: Sequence[Job], workers: Sequence[Worker]) -> look.Section:
    """Return a Gantt chart; a note where no job was recorded."""
    if not jobs:
        why = "No training job was recorded: the search ran in one process."
        return look.Section("jobs", "Jobs", TEXT, None, (why,))
    history = material.history
    begin = min(job.started - job.waited for job in jobs)
    size, unit = style.time_unit(max(job.ended for job in jobs) - begin)
    figure = look.figure(round(190 + min(14 * len(jobs), 500)), barmode="overlay", bargap=0.1)
    idle = [(row, job.started, job.ended) for row, job in enumerate(jobs, 1) if job.part == WORKER]
    waits = [(row, job.started - job.waited, job.started) for row, job in enumerate(jobs, 1) if job.waited]
    found, named = runs(history, jobs, workers), names(history)
    count = sum(map(len, found.values()))
    # the shorter ones could not be seen
    shortest = sorted((end - start for spells in found.values() for _, start, end in spells), reverse=True)[:MOST][-1:]
    data = [_bars(IDLE[1], IDLE[0], idle, jobs, begin, size, 0.85)] if idle else []
    brackets = sorted(found, reverse=True)
    for bracket, hue in zip(brackets, _colours(len(brackets)), strict=True):
        known = named.get(bracket, f"bracket {bracket}" if bracket >= 0 else "of a bracket that is not known")
        spells = [spell for spell in found[bracket] if spell[2] - spell[1] >= shortest[0]]
        data.append(_bars(known, hue, spells, jobs, begin, size, 0.85))
    if waits:
        data.append(_bars(WAITS[1], WAITS[0], waits, jobs, begin, size, 0.25))
    for (outcomes, _, colour, name), symbol in zip(ENDS, SYMBOLS, strict=True):
        ended = [(row, job) for row, job in enumerate(jobs, 1) if job.outcome in outcomes]
        if ended:
            marker = {"symbol": symbol, "size": 9, "color": colour, "line": {"width": 1, "color": "white"}}
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [(job.ended - begin) / size for _, job in ended],
                    "y": [row for row, _ in ended],
                    "marker": marker,
                    "name": name,
                    "text": [_about(job) for _, job in ended],
                    "hovertemplate": "%{text}<extra></extra>",
                }
            )
    figure.add_traces(data)
    figure.update_xaxes(title_text=f"{unit} since the first job was submitted", rangemode="tozero")
    figure.update_yaxes(title_text="job", range=[len(jobs) + 0.6, 0.4], showgrid=False, tickformat="d")
    if len(jobs) < 10:
        figure.update_yaxes(dtick=1)
    text = f"<b>{what(totals(jobs))}.</b> {TEXT}"
    notes = [f"The longest {MOST:,} of {count:,} trainings are drawn."] if count > MOST else []
    return look.Section("jobs", "Jobs", text, figure, notes)


def _colours(count: int) -> list[str]:
    hues = style.hues(count)
    if count <= len(style.HUES):
        return [str(hue) for hue in hues]
    return [f"rgb({', '.join(str(round(255 * part)) for part in hue[:3])})" for hue in hues]  # type: ignore[index]


def _bars(
    name: str,
    colour: str,
    spells: Sequence[tuple[int, float, float]],
    jobs: Sequence[Job],
    begin: float,
    size: float,
    width: float,
) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "y": [row for row, _, _ in spells],
        "base": [(start - begin) / size for _, start, _ in spells],
        "x": [(end - start) / size for _, start, end in spells],
        "width": width,
        "marker": {"color": colour, "line": {"width": 0}},
        "name": name,
        "customdata": [f"{name}, {end - start:.3g} s" for _, start, end in spells],
        "text": [_about(jobs[row - 1]) for row, _, _ in spells],
        "textposition": "none",
        "hovertemplate": "%{customdata}<br>%{text}<extra></extra>",
    }


def _about(job: Job) -> str:
    begun = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(job.started))
    number = f", SLURM job {look.text(job.slurm)}" if job.slurm else ""
    what = f"worker {job.batch}" if job.part == WORKER else f"bracket {job.bracket}, round {job.round}, {job.part}"
    lines = [
        f"<b>{look.text(what)}</b> on {look.text(job.host)}{number}",
        f"from {begun} for {job.ran:.0f} s: {job.outcome.value}",
    ]
    return "<br>".join(lines)

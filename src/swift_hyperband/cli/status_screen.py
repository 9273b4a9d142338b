"""The screen of `swift-hyperband status`: the progress of a search for people."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from swift_hyperband.base.wording import duration, number
from swift_hyperband.cli import console, result
from swift_hyperband.results import first, imported, provenance
from swift_hyperband.results.bracket_progress import STATES
from swift_hyperband.results.jobs import totals
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.progress import Progress, Reader
from swift_hyperband.results.rungs import STATES as RUNG_STATES
from swift_hyperband.results.rungs import Rungs
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.slurm import queue
from swift_hyperband.training.trial import FAILURES

SHOWN = 5
"""How many failures are shown; the others are counted."""
SHOWN_JOBS = 12
"""How many jobs in SLURM, and workers, are shown; the others are counted."""


def show(reader: Reader) -> None:
    """Print the progress once."""
    progress = reader.read()
    # the one line of a search that was not started stays one line, also in a pipe
    console.console().print(
        screen(reader.folder, progress, in_slurm(reader.folder, progress)), soft_wrap=progress is None
    )


def watch(reader: Reader, seconds: float) -> None:
    """Show the progress again and again until the search ends or Ctrl-C leaves it."""
    # only where it is shown again and again
    from rich.live import Live

    try:
        with Live(console=console.console(), auto_refresh=False) as live:
            while True:
                progress = reader.read()
                live.update(screen(reader.folder, progress, in_slurm(reader.folder, progress)), refresh=True)
                if progress is not None and progress.over:
                    return
                time.sleep(seconds)
    except KeyboardInterrupt:
        return


def in_slurm(folder: StudyFolder, progress: Progress | None) -> list[queue.Job] | str:
    """Return the search's jobs in SLURM, or in a line why they are not known; none where there is no SLURM.

    A machine may have SLURM's commands and no SLURM: that matters only to a search that has used it.
    """
    used = progress is not None and any(job.slurm is not None for job in progress.jobs)
    is_over = progress is not None and progress.over
    if shutil.which("squeue") is None or (is_over and not used):
        return []
    try:
        return queue.jobs(folder.path.name, pauses=())
    except queue.SlurmError as error:
        return str(error) if used else []


def screen(folder: StudyFolder, progress: Progress | None, queued: Sequence[queue.Job] | str = ()) -> RenderableType:
    """Return what people see of a search's progress."""
    if progress is None:
        return f"{folder.path}: nothing yet, the search was not started; start it with 'swift-hyperband run'"
    study, schedule = progress.history.study, progress.history.schedule
    title = f"\n[bold]{study.name}[/]  {study.search.algorithm}, {study.target.metric} {study.target.mode}"
    title += " at the best epoch" if study.target.metric_at == "best" else ""
    rungs = progress.history.rungs
    # an adaptive search starts more of them than its brackets have
    count = max(schedule.configurations, 0 if rungs is None else len(rungs.trials))
    parts: list[RenderableType] = [f"{title}, {count} configurations\n", _how_far(progress), ""]
    parts.append(_facts(progress))
    if progress.living:
        parts += ["", _workers(progress)]
    if isinstance(queued, str):
        parts += ["", f"[yellow]jobs in SLURM[/]  {escape(queued)}"]
    elif queued:
        parts += ["", _queue(folder, queued)]
    if progress.crashes or progress.errors:
        parts += ["", _failures(progress)]
    return Group(*parts, "")


def _how_far(progress: Progress) -> Table:
    rungs = progress.history.rungs
    return _brackets(progress) if rungs is None else _rungs(rungs)


def _rungs(rungs: Rungs) -> Table:
    """Return the table of rungs: a bar for the trials that reached each, and how many are where."""
    # the column of failures appears with the first failure
    states = [state for state in RUNG_STATES if state != "lost" or any(rung.lost for rung in rungs.rungs)]
    table = console.table(collapse_padding=True)
    table.add_column("rung at\nepoch", justify="right", no_wrap=True)
    table.add_column("trials")
    for name in states:
        table.add_column({"lost": "failed or\ndiverged"}.get(name, name), justify="right", no_wrap=True)
    for rung in rungs.rungs:
        counts = rung.counts()
        share = counts["reached"] / max(1, len(rungs.trials))
        bar = ProgressBar(1.0, share, width=20, complete_style="cyan", finished_style="cyan")
        table.add_row(str(rung.epoch), bar, *(str(counts[state] or "·") for state in states))
    return table


def _brackets(progress: Progress) -> Table:
    """Return the table of brackets: a bar each, and what became of its trials."""
    # columns of failures appear with the first failure
    states = [state for state in STATES if state in STATES[:3] or any(b.trials[state] for b in progress.brackets)]
    table = console.table(collapse_padding=True)
    # in a narrow terminal the bars shrink, never the numbers
    table.add_column("bracket", justify="right", no_wrap=True)
    table.add_column("epochs")
    for name in ("", "round", "to\nepoch", *(state.replace(" ", "\n") for state in states)):
        table.add_column(name, justify="right", no_wrap=True)
    for bracket in progress.brackets:
        total = bracket.spent + bracket.to_come
        done = bracket.spent / total if total else 1.0
        bar = ProgressBar(1.0, done, width=20, complete_style="cyan", finished_style="green")
        round_ = None if bracket.round is None else bracket.round.schedule
        where = ("over", "") if round_ is None else ("" if bracket.is_thaw else str(round_.index), str(round_.end))
        counts = [str(bracket.trials[state] or "·") for state in states]
        # only what is over is shown as 100 %
        share = "100 %" if round_ is None else f"{min(math.floor(100 * done), 99)} %"
        table.add_row("thaw" if bracket.is_thaw else str(bracket.bracket), bar, share, *where, *counts)
    return table


def _facts(progress: Progress) -> Table:
    """Return the best so far, the epochs, and where the results are."""
    folder, study, best = progress.history.folder, progress.history.study, progress.best
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    finished = folder.best.exists()
    if best is not None:
        metric = escape(study.target.metric)
        place = f"trial {best.trial} at epoch {best.epoch}"
        table.add_row("best" if finished else "best so far", f"[bold]{metric} {best.value:.6g}[/]  {place}")
        values = ", ".join(f"{name} {number(value, 3)}" for name, value in best.configuration.items())
        table.add_row("", escape(values))
        if not finished:
            where = f"each at its {study.target.metric_at} epoch"
            table.add_row("", f"[dim]the best of all trials, {where}; not yet the result[/]")
    if reasons := [found.fallback for found in progress.history.rounds.values() if found.fallback]:
        told = f"by simulated annealing in {len(reasons)} round{'s' if len(reasons) > 1 else ''}, as the sampler could"
        table.add_row("[yellow]predicted[/]", f"{told} not answer:\n[dim]{escape(reasons[0])}[/]")
    if progress.history.unrepeatable is not None:
        why = f"not reproducible, as {progress.history.unrepeatable}"
        table.add_row("[yellow]sampler[/]", escape(f"{study.predictor.sampler.name}: {why}"))
    left = f", at most {to_come} to come" if (to_come := progress.sum("to_come")) else ""
    if outside := progress.history.outside:
        told = f"{len(outside)} trial{'s' if len(outside) > 1 else ''} far outside of the others counted as diverged:"
        listed = ", ".join(f"{trial} ({value:.3g})" for trial, value in list(outside.items())[:SHOWN])
        more = f" and {len(outside) - SHOWN} more" if len(outside) > SHOWN else ""
        table.add_row("[yellow]decided[/]", f"{told}\n[dim]{listed}{more}[/]")
    if progress.history.schedule.in_turn:
        table.add_row("drawn", f"{len(progress.history.by_model)} configurations so far by {study.search.sampling}")
    if (of_imported := imported.note(progress.history)) is not None:
        table.add_row("imported", escape(of_imported))
    if (of_first := first.note(progress.history)) is not None:
        table.add_row("first", escape(of_first))
    if (thawed := progress.history.thawed) is not None:
        told = f"{len(thawed.chosen)} of {len(thawed.left)} trials left behind train to the end"
        before = "" if thawed.best is None else f": the best of all brackets is {study.metric.value(thawed.best):.6g}"
        table.add_row("thawed", escape(told + before))
    saved = "" if progress.history.rungs is not None else f", {progress.sum('saved')} saved by prediction"
    table.add_row("epochs", f"{progress.sum('spent')} trained{saved}{left}")
    if not ALGORITHMS[study.search.algorithm].random:
        table.add_row("", f"[dim]Hyperband trains {progress.history.schedule.epochs_hyperband}[/]")
    if earlier := progress.earlier.told:
        table.add_row("", f"[dim]{escape(earlier)}[/]")
    if ahead := progress.ahead.told:
        table.add_row("", f"[dim]{ahead}[/]")
    if progress.repeated:
        why = "after kills or crashes" if study.target.resumable else "as the program cannot go on where it was"
        table.add_row("", f"[dim]and {progress.repeated} again, {why}[/]")
    for trial, line in list(progress.damaged.items())[:SHOWN]:
        table.add_row("[yellow]damaged[/]", escape(f"trial {trial}: {line}"))
    if progress.jobs:
        table.add_row("jobs", result.spent(totals(progress.jobs)))
    if finished:
        table.add_row("finished", escape(str(folder.best)))
        there = folder.report.exists()
        table.add_row("", escape(str(folder.report)) if there else "[dim]the report is not there yet[/]")
    elif progress.over:
        counts = [(sum(bracket.trials[end] for bracket in progress.brackets), end) for end in ("failed", "diverged")]
        ended = ", ".join(f"{count} {end}" for count, end in counts if count)
        table.add_row("over", f"[red]without a result, as no trial reached the last epoch: {ended}[/]")
    elif progress.last is not None:
        table.add_row("last epoch", f"{duration(max(0.0, time.time() - progress.last))} ago")
    if progress.log is not None and not finished:
        table.add_row("its log", f"[dim]{escape(str(progress.log))}; other trials' are in theirs[/]")
    for name, line in zip(("ran with", *["[yellow]code[/]"] * SHOWN), provenance.lines(folder), strict=False):
        table.add_row(name, f"[dim]{escape(line)}[/]")
    return table


def _workers(progress: Progress) -> Table:
    """Return the workers that are alive: where, since when, and at what."""
    table = console.table(collapse_padding=True)
    for name in ("worker", "host", "GPU", "alive for", "trains"):
        table.add_column(name, no_wrap=name != "trains", overflow="fold")
    now, living = time.time(), progress.living
    for worker in [worker for worker in progress.workers if worker.name in living][:SHOWN_JOBS]:
        since = living[worker.name].started
        spells = [
            f"trial {spell.trial} to epoch {spell.epochs} for {duration(max(0.0, now - spell.began))}"
            for spell in worker.at_work(since)
        ]
        what = ", ".join(spells) or "[dim]waits for work[/]"
        table.add_row(worker.name, escape(worker.host), worker.gpu or "·", duration(max(0.0, now - since)), what)
    if (more := len(living) - SHOWN_JOBS) > 0:
        table.add_row("", f"and {more} more", "", "", "")
    return table


def _queue(folder: StudyFolder, queued: Sequence[queue.Job]) -> Table:
    """Return the jobs in SLURM: state, node, how long, and the log."""
    table = console.table(collapse_padding=True)
    for name in ("in SLURM", "state", "node", "time"):
        table.add_column(name, no_wrap=True)
    table.add_column("log", overflow="fold")
    # those that run first, then in the order of their numbers, which is that of the queue
    for job in sorted(queued, key=lambda job: (job.state != "RUNNING", len(job.id), job.id))[:SHOWN_JOBS]:
        log = queue.log(job)
        table.add_row(
            job.id, job.state.lower(), job.nodes, job.time, "" if log is None else escape(str(folder.path / log))
        )
    if (more := len(queued) - SHOWN_JOBS) > 0:
        table.add_row("", f"and {more} more", "", "", "")
    return table


def _failures(progress: Progress) -> Table:
    """Return the trials that crashed and the jobs that ended with an error, each with its last line and its file."""
    folder = progress.history.folder
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    records = {folder.path / job.log: job for job in progress.jobs}
    for log, line in list(progress.errors.items())[:SHOWN]:
        job = records.get(log)
        where = "" if job is None else f"on {job.host} after {duration(job.ran)}, "
        table.add_row("[red]job failed[/]", f"{escape(line)}\n[dim]{escape(where + str(log))}[/]")
    kinds: dict[tuple[bool, str], list[str]] = {}
    for trial, crash in progress.crashes.items():
        kinds.setdefault((not crash["failed"], str(crash["alike"] or crash["error"])), []).append(trial)
    ordered = sorted(kinds.items(), key=lambda kind: kind[0][0])
    for (goes_on, _), trials in ordered[:SHOWN]:
        what, crash = "[yellow]trial crashed[/]" if goes_on else "[red]trial failed[/]", progress.crashes[trials[0]]
        starts = "1 start" if crash["starts"] == 1 else f"{crash['starts']} starts"
        error = escape(" ".join(str(crash["error"]).split()))
        file = escape(str(crash.get("log") or folder.trial(trials[0]) / FAILURES))
        alike = f"; {len(trials) - 1} more alike" if len(trials) > 1 else ""
        table.add_row(what, f"{starts} after epoch {crash['epoch']}: {error}\n[dim]{file}{alike}[/]")
    if more := max(0, len(progress.errors) - SHOWN) + sum(len(trials) for _, trials in ordered[SHOWN:]):
        table.add_row("", f"[dim]and {more} more, see {escape(str(folder.path))}/trials/*/{FAILURES}[/]")
    return table

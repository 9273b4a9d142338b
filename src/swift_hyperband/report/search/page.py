"""The summary of a search: its result in one sentence, the winner, the numbers.

Two files begin with it: report/index.html for a browser, and report/summary.rst, the first page of
`snakemake --report`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from swift_hyperband.base.files import write_text
from swift_hyperband.base.wording import number
from swift_hyperband.report import style
from swift_hyperband.report.numbers import Spending, predicted_kill_risk, predictions, r2, spearman, spending, thaws
from swift_hyperband.report.page import document
from swift_hyperband.results import first, imported, provenance
from swift_hyperband.results.history import History
from swift_hyperband.results.jobs import Job, totals
from swift_hyperband.results.rungs import Rung
from swift_hyperband.results.standing import Best, Fate, best, fates
from swift_hyperband.results.thawed import Thawed
from swift_hyperband.results.workers import Worker
from swift_hyperband.search.algorithms import ALGORITHMS

SHOWN = 5
"""How many trials are named that went on after all brackets."""

MORE = "<p>The pictures are under <i>Pictures</i>; a page with all trials and figures to look at closely is {}.</p>\n"
"""Additional text of Snakemake's first page."""


def write(history: History, jobs: Sequence[Job], folder: Path, workers: Sequence[Worker] = ()) -> None:
    """Write index.html and summary.rst.

    Parameters
    ----------
    history : History
        History of a started search; the page has a note if it is not finished.
    jobs : sequence of Job
        Its training jobs.
    folder : Path
        Where to write.
    workers : sequence of Worker
        Its workers.
    """
    text = summary(history, jobs)
    write_text(folder / "index.html", document.page(history, jobs, workers, text))
    name = escape(history.study.name)
    more = MORE.format(escape(str(history.folder.report / "index.html")))
    # Snakemake fills braces, so they are written as entities
    lines = f"{text}{more}".replace("{", "&#123;").replace("}", "&#125;").splitlines()
    title = f"{name}\n{'=' * len(name)}\n\n.. raw:: html\n\n"
    write_text(folder / "summary.rst", title + "".join(f"   {line}\n" for line in lines))


def summary(history: History, jobs: Sequence[Job]) -> str:
    """Return the sentence, the winner and the numbers, in HTML."""
    total = sum(spending(history).values(), Spending())
    winner = best(history)
    tables = _table(_numbers(history, total, jobs))
    if winner is not None:
        tables = _table(_winner(history, winner)) + tables
    notes = "".join(f"<p>{escape(note)}</p>\n" for note in _notes(history))
    return f'<p><b>{escape(sentence(history, total, winner))}</b></p>\n{notes}<div class="facts">\n{tables}</div>\n'


def sentence(history: History, total: Spending, winner: Best | None) -> str:
    """Return the search's result and its cost in one sentence."""
    study = history.study
    name = ALGORITHMS[study.search.algorithm].label
    if winner is None:
        return f"{name} has found nothing yet." if not history.finished else f"{name} found nothing: all trials failed."
    so_far = "" if history.finished else " so far"
    found = f"{name} found {study.target.metric} {style.number(winner.value)}{so_far}, training {history.epochs} epochs"
    if not history.finished or not history.schedule.decides or not total.hyperband:
        return f"{found}."
    # what trials that failed did not train is no saving
    plain, alike, rest = total.hyperband, "", ""
    if total.lost:
        plain -= total.lost
        alike, rest = " with the same failed trials", f" These left {total.lost} epochs untrained."
    if total.spent == plain:
        return f"{found}, as many as Hyperband{alike}.{rest}"
    share = abs(plain - total.spent) / max(1, plain)
    more = "fewer" if total.spent < plain else "more"
    return f"{found}: {share:.0%} {more} than the {plain} of Hyperband{alike}.{rest}"


def _winner(history: History, winner: Best) -> dict[str, str]:
    trial = history.trials[winner.trial]
    values = {name: number(value) for name, value in trial.configuration.items()}
    where = {"trial": winner.trial, "bracket": str(trial.bracket), "epoch": str(winner.epoch)}
    sampling = history.study.search.sampling
    if history.schedule.in_turn:
        where["drawn"] = f"by {sampling}" if winner.trial in history.by_model else "at random"
    return {history.study.target.metric: style.number(winner.value), **values, **where}


def _numbers(history: History, total: Spending, jobs: Sequence[Job]) -> dict[str, str]:
    counted = Counter(fates(history).values())
    ends = {f"… {fate}": str(counted[fate]) for fate in Fate if fate in counted}
    found = {"trials": str(len(history.trials)), **ends}
    if history.schedule.in_turn:
        found[f"drawn by {history.study.search.sampling}"] = f"{len(history.by_model)} trials, the others at random"
    found["epochs trained"] = str(history.epochs)
    if history.ahead.told is not None:
        found["epochs trained ahead"] = f"{history.ahead.used} used, {history.ahead.in_vain} in vain"
    if history.rungs is not None:
        found["epochs of one Hyperband"] = str(history.schedule.epochs_hyperband)
        found |= {f"reached epoch {rung.epoch}": _reached(rung) for rung in history.rungs.rungs}
    if history.schedule.decides:
        found["epochs of Hyperband"] = str(total.hyperband)
        found["… saved by predictions"] = str(total.saved)
        if total.lost:
            found["… not trained, as trials failed or diverged"] = str(total.lost)
        found |= _judged(history)
        if (risk := predicted_kill_risk(history)) is not None:
            told = "the chance that a stopped trial was the one that Hyperband would have chosen"
            found["kill risk, predicted"] = f"{100 * risk:.1f} %: {told}"
    if history.thawed is not None:
        found["thawed"] = _thawed(history, history.thawed)
    if jobs:
        took = totals(jobs)
        hours = {"GPU-hours": took.gpu_hours, "core-hours": took.core_hours, "hours in the queue": took.queue_hours}
        found["training jobs"] = str(took.jobs)
        found |= {name: f"{value:.3g}" for name, value in hours.items() if value}
    if lines := provenance.lines(history.folder):
        found["ran with"] = lines[0]
    return found


def _reached(rung: Rung) -> str:
    told = {"trained on": rung.promoted, "on the way to it": rung.running, "stopped on the way to it": rung.stopped}
    return ", ".join([str(len(rung.reached)), *(f"{len(trials)} {what}" for what, trials in told.items() if trials)])


def _thawed(history: History, thawed: Thawed) -> str:
    """Say which trials went on after all brackets, and what that gained."""
    spent = sum(part.end - part.start for part in thaws(history).values())
    count = len(thawed.chosen)
    told = f"{count} of {len(thawed.left)} trials left behind, for {spent} epochs"
    winner = best(history) if history.finished else None
    if not count or winner is None or thawed.best is None:
        return told
    before = style.number(history.study.metric.value(thawed.best))
    told += f" ({', '.join(thawed.chosen[:SHOWN])}{' …' if count > SHOWN else ''}): "
    gained = winner.trial in thawed.chosen
    return told + (f"the best went from {before} to {style.number(winner.value)}" if gained else "the best stayed")


def _judged(history: History) -> dict[str, str]:
    """Return the quality of the predictions that could be checked."""
    found = predictions(history)
    if not found:
        return {}
    predicted, reached = [one.predicted for one in found], [one.reached for one in found]
    quality = f"R² {r2(predicted, reached):.2f}, Spearman {spearman(predicted, reached):.2f}"
    return {"predictions checked": f"{len(found)}: {quality}".replace("nan", "not known")}


def _notes(history: History) -> list[str]:
    """Return the caveats of the numbers."""
    over = sum(found.promoted is not None for found in history.all_rounds)
    unfinished = f"The search is not finished: {over} of {len(history.all_rounds)} rounds are over."
    if history.rungs is not None:
        unfinished = f"The search is not finished: {len(history.rungs.running)} trainings run."
    fallbacks = [
        f"Bracket {found.schedule.bracket}, round {found.schedule.index}: {found.fallback}."
        for found in history.rounds.values()
        if found.fallback
    ]
    changed = [f"{line[:1].upper()}{line[1:]}." for line in provenance.lines(history.folder)[1:]]
    repeats = []
    if history.unrepeatable is not None:
        sampler = history.study.predictor.sampler.name
        repeats = [f"Not reproducible, as {history.unrepeatable} ({sampler}): another run may stop other trials."]
    begun = [] if (told := first.note(history)) is None else [f"First: {told}."]
    if (told := imported.note(history)) is not None:
        begun.append(f"Imported: {told}." if not told.endswith("?") else f"Imported: {told}")
    if (told := history.earlier.told) is not None:
        begun.append(f"Earlier work: {told}.")
    return [*([] if history.finished else [unfinished]), *begun, *repeats, *fallbacks, *changed]


def _table(rows: Mapping[str, str]) -> str:
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>\n" for name, value in rows.items())
    return f"<table>\n{cells}</table>\n"

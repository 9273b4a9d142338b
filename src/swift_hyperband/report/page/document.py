"""The page as one file: text, table and figures, with the code that draws them; it asks the network for nothing."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from swift_hyperband.base.wording import number, plain
from swift_hyperband.report import importance
from swift_hyperband.report.page import brackets, curves, epochs, jobs, parallel, predictions, slices
from swift_hyperband.report.page import importance as importances
from swift_hyperband.report.page.look import Material, Section
from swift_hyperband.results import provenance
from swift_hyperband.results.history import History
from swift_hyperband.results.jobs import Job
from swift_hyperband.results.workers import Worker

FIRST, MOST_ROWS = 10, 2000
"""Rows of the table that are shown at first, and at most: browsers take long for very long tables."""
MOST_COLUMNS = 30
"""Hyperparameters with a column."""
DIGITS = 6
"""Of numbers in the table, which shows four and sorts by all."""
POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
"""What the browser lets the page do: nothing from elsewhere. (plotly makes the code of parallel coordinates itself.)"""
TABLE = (
    "Click on the head of a column to sort, type to filter. The best trial leads; of the others those that "
    "trained further come first, then the better ones, as values of different epochs do not compare."
)


def page(history: History, training_jobs: Sequence[Job], workers: Sequence[Worker], summary: str) -> str:
    """Return the page in HTML.

    Parameters
    ----------
    history : History
    training_jobs : sequence of Job
    workers : sequence of Worker
    summary : str
        What stands above the figures, in HTML.
    """
    material = Material(history)
    weights = importance.of_search(history)
    names = [weight.name for weight in weights.weights] or list(material.space)
    sections = [
        brackets.section(material),
        epochs.section(material),
        curves.section(material),
        parallel.section(material, names),
        importances.section(weights),
        slices.section(material, names),
        predictions.section(material),
        jobs.section(material, training_jobs, workers),
    ]
    table = _table(material, names)
    titles = {"trials": "Trials", **{one.name: one.title for one in sections}, "provenance": "Provenance"}
    links = " ".join(f'<a href="#{name}">{escape(title)}</a>' for name, title in titles.items())
    body = [
        f"<h1>{escape(history.study.name)}</h1>",
        summary,
        f"<nav>{links}</nav>",
        '<noscript><p class="note">Figures need JavaScript; the pictures beside this file do not.</p></noscript>',
        '<p class="note" id="trouble" hidden></p>',
        _table_html(table),
        *map(_section_html, sections),
        _provenance_html(history),
    ]
    figures = ",".join(f"{json.dumps(one.name)}:{one.figure.to_json()}" for one in sections if one.figure is not None)
    data = f'{{"first":{FIRST},"most":{MOST_ROWS},"table":{json.dumps(table)},"figures":{{{figures}}}}}'
    head = [
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,">',
        f"<title>{escape(history.study.name)}</title>",
        f"<style>{_beside('page.css')}</style>",
    ]
    scripts = [
        f'<script type="text/plain" id="data">{packed(data)}</script>',
        f'<script type="text/plain" id="plotly">{_plotly()}</script>',
        f"<script>{_beside('page.js')}</script>",
    ]
    parts = ['<!doctype html><html lang="en"><head>', *head, "</head><body>", *body, *scripts, "</body></html>"]
    return "\n".join(parts) + "\n"


def packed(text: str) -> str:
    """Return text compressed and in letters that may stand in a page; the same for the same text."""
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()


@cache
def _plotly() -> str:
    """Return plotly.js packed: 2 MB in the place of 5."""
    return packed(get_plotlyjs())


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _table(material: Material, names: Sequence[str]) -> dict[str, Any]:
    """Return the columns of the table and the cells of its rows: numbers, texts, or null."""
    shown = [name for name in material.space if name in set(names[:MOST_COLUMNS])]
    metric = material.history.study.metric.name
    columns = ["", "trial", "status", "epochs", metric, "bracket", "seconds", *shown]
    rows = [
        [
            row.rank,
            row.trial,
            row.status.value,
            row.epochs,
            _cell(row.value),
            row.bracket,
            _cell(row.seconds),
            *(_cell(row.configuration.get(name)) for name in shown),
        ]
        for row in material.rows
    ]
    return {"columns": columns, "rows": rows, "left": len(names) - len(shown)}


def _cell(value: Any) -> Any:
    """Return a value for the table, without digits that it does not show: they would be most of the page."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    return plain(value) if isinstance(value, bool) else value


def _table_html(table: dict[str, Any]) -> str:
    """Return the table with its first rows, which are there without the page's code, too."""
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in table["columns"])
    rows = "".join("<tr>" + "".join(_cell_html(value) for value in row) + "</tr>\n" for row in table["rows"][:FIRST])
    count = len(table["rows"])
    notes = [f"{table['left']} of the hyperparameters have no column; curves.parquet has all."] if table["left"] else []
    controls = (
        '<p class="controls"><input type="search" id="filter" placeholder="filter: words that a row must have" '
        'aria-label="filter the table"> <button type="button" id="all">show all</button> '
        f'<span id="count" aria-live="polite">{min(FIRST, count)} of {count:,} trials</span></p>'
    )
    return (
        f'<section id="trials"><h2>Trials</h2><p class="caption">{TABLE}</p>{_notes_html(notes)}{controls}'
        f'<div class="wide"><table id="table"><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{rows}</tbody></table></div></section>"
    )


def _cell_html(value: object) -> str:
    if isinstance(value, int | float):
        return f'<td class="number">{escape(number(value))}</td>'
    return f"<td>{'' if value is None else escape(str(value))}</td>"


def _section_html(section: Section) -> str:
    plot = ""
    if section.figure is not None:
        place = f'<div class="plot" id="plot-{section.name}" style="height: {section.figure.layout.height}px"></div>'
        plot = f'<div class="wide">{place}</div>'
    return (
        f'<section id="{section.name}"><h2>{escape(section.title)}</h2><p class="caption">{section.text}</p>'
        f"{_notes_html(section.notes)}{plot}</section>"
    )


def _notes_html(notes: Sequence[str]) -> str:
    return "".join(f'<p class="note">{escape(note)}</p>' for note in notes)


def _provenance_html(history: History) -> str:
    starts = provenance.read(history.folder)
    head = "".join(f"<th>{name}</th>" for name in ("start", "host", "versions", "commit", "changed code"))
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _start(note)) + "</tr>\n" for note in starts)
    table = f'<div class="wide"><table><tr>{head}</tr>\n{rows}</table></div>' if starts else "<p>No start is noted.</p>"
    definition = escape(json.dumps(history.study.definition(), indent=1, ensure_ascii=False))
    details = f"<details><summary>The study as it was frozen</summary><pre>{definition}</pre></details>"
    return f'<section id="provenance"><h2>Provenance</h2>{table}{details}</section>'


def _start(note: dict[str, Any]) -> tuple[str, ...]:
    versions = ", ".join(f"{name} {version}" for name, version in note["versions"].items())
    git = note["git"]
    commit = "" if not git else f"{git['commit'][:10]}{' with changes' if git['changed'] else ''}"
    return note["time"], note["host"], versions, commit, ", ".join(note["changed"])

"""The report of a search: its page, its pictures and the table of its curves."""

from __future__ import annotations

from swift_hyperband.report import style
from swift_hyperband.report.search import brackets, epochs, jobs, learning_curves, page, predictions
from swift_hyperband.results import curves, workers
from swift_hyperband.results.accounting import read
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder


def write_report(history: History, folder: StudyFolder) -> None:
    """Write curves.parquet, the pictures and the page of a search, also of one that is not finished.

    Parameters
    ----------
    history : History
        Of a started search.
    folder : StudyFolder
        Where to write: its `curves`, and brackets.png, learning_curves.png, predictions.png, epochs.png, jobs.png,
        index.html and summary.rst in its `report`.
    """
    curves.write_curves(history, folder.curves)
    for module in (brackets, learning_curves, predictions, epochs):
        name = module.__name__.rpartition(".")[2]
        with style.style():
            style.save(module.draw(history), folder.report / f"{name}.png")
    records, known = read(folder.path), workers.read(folder)
    with style.style():
        style.save(jobs.draw(history, records, known), folder.report / "jobs.png")
    page.write(history, records, folder.report, known)

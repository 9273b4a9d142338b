"""The report of a search: its pictures and the table of its curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swift_hyperband.history import History
    from swift_hyperband.results import StudyFolder


def write_report(history: History, folder: StudyFolder) -> None:
    """Write curves.parquet and the pictures of a search, also of one that is not finished.

    Parameters
    ----------
    history : History
        Of a started search.
    folder : StudyFolder
        Where to write: its `curves`, and brackets.png, learning_curves.png, predictions.png, epochs.png and jobs.png
        in its `report`.
    """
    from swift_hyperband.jobs import read
    from swift_hyperband.report import brackets, epochs, jobs, learning_curves, predictions, style, table

    table.write_curves(history, folder.curves)
    for module in (brackets, learning_curves, predictions, epochs):
        name = module.__name__.rpartition(".")[2]
        with style.style():
            style.save(module.draw(history), folder.report / f"{name}.png")
    with style.style():
        style.save(jobs.draw(history, read(folder.path)), folder.report / "jobs.png")

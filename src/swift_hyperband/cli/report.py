"""`swift-hyperband report`: the page, the pictures and the table of curves of a search, made anew at any time."""

from __future__ import annotations

import argparse

from swift_hyperband.cli.where import add_where, started
from swift_hyperband.workflow.steps import write_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `report` takes."""
    parser.description = (
        "Write the page of a search, its pictures and the table of its curves anew, also while it runs or after it was "
        "stopped. A search writes them by itself when it ends."
    )
    add_where(parser)
    parser.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> int:
    folder = started(options.where)
    history = write_report(folder)
    if not history.finished:
        print("The search is not finished: the report shows it so far.")
    pictures = ", ".join(sorted(path.name for path in folder.report.glob("*.png")))
    size = (folder.report / "index.html").stat().st_size / 1e6
    print(f"page: {folder.report / 'index.html'} ({size:.1f} MB; open it in a browser)")
    print(f"pictures: {pictures} in {folder.report}")
    print(f"table of all learning curves: {folder.curves}")
    return 0

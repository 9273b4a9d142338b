"""`swift-hyperband search`: the whole search in one process, without Snakemake."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from swift_hyperband.base import console
from swift_hyperband.base.errors import UserError
from swift_hyperband.cli.run import CHANGED_CODE

if TYPE_CHECKING:
    from swift_hyperband.search.scheduled import RoundRecord


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `search`."""
    parser = commands.add_parser(
        "search",
        help="run a search in one process, without Snakemake",
        description="Run a search in one process, without Snakemake: the same decisions, the same training, the same "
        "files in results/<study>. Stopped at any moment and started again, it goes on where it was.",
    )
    parser.add_argument("study", nargs="?", type=Path, default=Path("config/config.yaml"), help="the study file")
    parser.add_argument("--workers", type=int, help="trials that train side by side (default: the study's)")
    parser.add_argument("--allow-changed-code", action="store_true", help=CHANGED_CODE)
    parser.set_defaults(run=_search)


def _search(options: argparse.Namespace) -> int:
    from swift_hyperband.cli.live import shown
    from swift_hyperband.cli.run import print_result
    from swift_hyperband.results import provenance
    from swift_hyperband.results.layout import StudyFolder
    from swift_hyperband.study.model import check_own_files, load
    from swift_hyperband.workflow.driver import run_search

    if options.workers is not None and options.workers < 1:
        raise UserError(f"--workers must be at least 1, found {options.workers}")
    if options.allow_changed_code:
        provenance.allow()
    study = load(options.study)
    workers = options.workers or study.resources.workers
    check_own_files(study, str(options.study), workers)
    folder = StudyFolder(Path("results") / study.name)
    # here, before the line is shown, which would overwrite a question
    provenance.check(folder, study.definition()["target"])
    with shown(folder):
        run_search(study, folder, workers, print_round)
    from swift_hyperband.report import write_report
    from swift_hyperband.results.history import History

    write_report(History(folder), folder)
    print_result(folder)
    return 0


def print_round(record: RoundRecord) -> None:
    """Print what became of a round that is over."""
    console.clear_line()
    round_ = record.schedule
    stopped = sum(not verdict.continues for verdict in (record.decision.verdicts if record.decision else {}).values())
    count = f"{len(record.competitors)} trial{'s' if len(record.competitors) > 1 else ''}"
    print(
        f"bracket {round_.bracket}, round {round_.index}: {count} to epoch {round_.end}, "
        f"{stopped} stopped by prediction, {len(record.promoted or [])} promoted",
        flush=True,
    )

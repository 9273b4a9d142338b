"""`swift-hyperband search`: the whole search in one process, without Snakemake."""

from __future__ import annotations

import argparse

from swift_hyperband.base.console import clear_line
from swift_hyperband.cli.arguments import add_changed_code, add_study, add_workers
from swift_hyperband.cli.live import shown
from swift_hyperband.cli.result import print_result
from swift_hyperband.results import places, provenance
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search.scheduled import RoundRecord
from swift_hyperband.study.files import check_own_files
from swift_hyperband.study.model import load
from swift_hyperband.workers import local
from swift_hyperband.workflow import driver
from swift_hyperband.workflow.steps import write_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `search` takes."""
    parser.description = (
        "Run a search in one process, without Snakemake: the same decisions, the same training, the same files in "
        "results/<study>. Stopped at any moment and started again, it goes on where it was."
    )
    add_study(parser)
    add_workers(parser)
    add_changed_code(parser)
    parser.set_defaults(run=_search)


def _search(options: argparse.Namespace) -> int:
    if options.allow_changed_code:
        provenance.allow()
    study = load(options.study)
    workers = options.workers or study.resources.workers
    check_own_files(study, str(options.study), workers)
    folder = StudyFolder.of(study.name, study.results)
    places.check(folder, study.name)
    # here, before the line is shown, which would overwrite a question
    provenance.check(folder, study.definition()["target"])
    with shown(folder):
        run_search = local.run_search if study.execution == "workers" else driver.run_search
        run_search(study, folder, workers, print_round)
    write_report(folder)
    print_result(folder)
    return 0


def print_round(record: RoundRecord) -> None:
    """Print what became of a round that is over."""
    clear_line()
    round_ = record.schedule
    stopped = sum(not verdict.continues for verdict in (record.decision.verdicts if record.decision else {}).values())
    count = f"{len(record.competitors)} trial{'' if len(record.competitors) == 1 else 's'}"
    told = (
        f"bracket {round_.bracket}, round {round_.index}: {count} to epoch {round_.end}, "
        f"{stopped} stopped by prediction, {len(record.promoted or [])} promoted"
    )
    if round_.is_thaw:
        told = f"thaw: {count} to epoch {round_.end}" if record.competitors else "thaw: no trial trains on"
    print(told, flush=True)

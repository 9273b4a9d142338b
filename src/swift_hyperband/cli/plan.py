"""`swift-hyperband plan`: what a search will cost, before anything runs."""

from __future__ import annotations

import argparse
import json

from swift_hyperband.base.errors import UserError
from swift_hyperband.cli.arguments import add_study, add_workers
from swift_hyperband.earlier.foresight import Foresight, foresee
from swift_hyperband.results.freeze import as_begun
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.pace import pace
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.plan import Plan
from swift_hyperband.study.model import load
from swift_hyperband.workflow.fitting import outlook, problem_sizes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `plan` takes."""
    parser.description = (
        "Show what a search will cost, before anything runs: brackets and rounds, epochs and jobs at most and at "
        "least, and how long it takes with the workers there are."
    )
    add_study(parser)
    parser.add_argument("--seconds-per-epoch", type=float, metavar="S", help="how long a trial trains for one epoch")
    add_workers(parser, "training jobs side by side")
    parser.add_argument("--json", action="store_true", help="print numbers only, as JSON")
    parser.set_defaults(run=_plan)


def _plan(options: argparse.Namespace) -> int:
    if options.seconds_per_epoch is not None and not 0 < options.seconds_per_epoch < float("inf"):
        raise UserError(f"--seconds-per-epoch must be above 0, found {options.seconds_per_epoch:g}")
    given = load(options.study)
    folder = StudyFolder.of(given.name, given.results)
    study = as_begun(folder, given)
    found_pace = pace(study, folder, options.seconds_per_epoch)
    seconds = None if found_pace is None else found_pace.seconds / study.resources.side_by_side
    workers = options.workers or study.resources.workers
    plan = Plan(study.schedule(), study.batch_size, workers, seconds, study.execution)
    frozen = study.frozen()
    found = outlook(frozen, trial=False) if problem_sizes(frozen) else None
    earlier = foresee(study, folder, str(options.study))
    has_rounds = ALGORITHMS[study.search.algorithm].synchronous
    if not has_rounds:
        # rich, which searches in rounds pay for only where they are shown
        from swift_hyperband.cli import plan_rungs

        if not options.json:
            plan_rungs.show(study, plan, found_pace)
            _tell_earlier(earlier)
            return 0
    if options.json:
        told = plan.to_json() if has_rounds else plan_rungs.to_json(study, plan)
        print(json.dumps(told if earlier is None else told | {"earlier": earlier.to_json()}, indent=1))
    else:
        # rich, which numbers alone do without
        from swift_hyperband.cli import plan_tables

        former = folder if plan.schedule != given.schedule() else None
        plan_tables.show(study, plan, found_pace, found, former)
        _tell_earlier(earlier)
    if found is not None and found.faults:
        raise UserError("\n".join(f"{options.study}: {fault}" for fault in found.faults))
    return 0


def _tell_earlier(found: Foresight | None) -> None:
    """Say what earlier searches give, if the study names any."""
    if found is not None:
        print(f"earlier: {found.told}\n")

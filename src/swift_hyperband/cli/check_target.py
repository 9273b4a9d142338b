"""`swift-hyperband check-target`: whether a study's target keeps its contract, and what the study will cost."""

from __future__ import annotations

import argparse
import shlex
import tempfile
from pathlib import Path
from typing import Any

from rich.markup import escape

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.shipped import page
from swift_hyperband.base.wording import duration, number
from swift_hyperband.cli import console
from swift_hyperband.cli.arguments import add_study, at_least
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.plan import Case, Plan, begun_anew, epochs
from swift_hyperband.study.model import Study, load
from swift_hyperband.targets.program.template import words
from swift_hyperband.training.check import contract
from swift_hyperband.training.check.contract import Finding, Measured
from swift_hyperband.training.settings import TrainingSettings

MARKS = {True: "[green]ok[/]", False: "[red]FAIL[/]", None: ""}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `check-target` takes."""
    parser.description = (
        "Train a study's target for two epochs, in one go and in two, each in a new process as a job would be: whether "
        "it starts, reports its metric, and goes on from its state bit for bit; how long an epoch takes, and what the "
        "whole study will cost. Nothing is written to results/."
    )
    add_study(parser)
    parser.add_argument(
        "--trial", type=int, action=at_least(0), default=0, metavar="N", help="the N-th configuration (default: 0)"
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="by which share of their value metrics may differ between one go and pieces, where a target cannot be "
        "exact (default: 0); it changes nothing in a search",
    )
    parser.set_defaults(run=_check_target)


def _check_target(options: argparse.Namespace) -> int:
    if not 0 <= options.tolerance < 1:
        raise UserError(f"--tolerance must be at least 0 and below 1, found {options.tolerance}")
    study = load(options.study)
    configuration = study.configuration(study.first_bracket, options.trial)
    screen = console.console()
    what = study.target.name or shlex.join(words(study.target.command or ""))
    screen.print(f"\n[bold]{study.name}[/]  {escape(what)}\n[dim]{escape(_listed(configuration))}[/]\n")

    def tell(finding: Finding) -> None:
        screen.print(f"{MARKS[finding.ok]:16}" if finding.ok is not None else "    ", end="")
        screen.print(f" {finding.what:9} {escape(finding.found)}", soft_wrap=True)

    settings = TrainingSettings.from_study_json(study.definition(), retries=0)
    with tempfile.TemporaryDirectory() as name:
        measured = contract.check(settings, configuration, Path(name), tell, options.tolerance)
    if measured is None:
        rules = escape(page("targets-your-own.md"))
        screen.print(f"\n[red]the target does not keep its contract[/]; {rules} tells what it is\n", soft_wrap=True)
        return 1
    screen.print(f"\n{_price(study, measured)}\n", soft_wrap=True)
    return 0


def _listed(configuration: dict[str, Any]) -> str:
    return ", ".join(f"{name} {number(value)}" for name, value in configuration.items())


def _price(study: Study, measured: Measured) -> str:
    """Say what the study costs at most and at least with what was measured."""
    schedule, resources = study.schedule(), study.resources
    plan = Plan(schedule, study.batch_size, resources.workers, measured.epoch, study.execution)
    most, least = epochs(schedule, "worst"), epochs(schedule, "best")
    again = ""
    if not study.target.resumable:
        most, least = most + begun_anew(schedule, "worst"), least + begun_anew(schedule, "best")
        again = " (with those that are trained again)"
    cases: tuple[tuple[int, Case], ...] = ((most, "worst"), (least, "best"))
    seconds = []
    for count, case in cases:
        # a program is started for each training of a trial, several of which may share a job, and for each piece
        starts: float = plan.trainings(case)[1]
        if study.target.piece is not None:
            starts = max(starts, count / study.target.piece)
        seconds.append(count * measured.epoch + plan.jobs(case) * measured.start + starts * measured.program)
    gpus = f", {seconds[0] * resources.gpus / 3600:.3g} GPU-hours" if resources.gpus else ""
    as_hyperband = "" if ALGORITHMS[study.search.algorithm].synchronous else ", if it trains as much as Hyperband"
    return (
        f"the study: {schedule.configurations} configurations, {_range(str(least), str(most))} epochs{again}, "
        f"{_range(duration(seconds[1]), duration(seconds[0]))} of training one after another{gpus}{as_hyperband}; "
        "'swift-hyperband plan' tells more"
    )


def _range(least: str, most: str) -> str:
    return most if least == most else f"{least} to {most}"

"""`swift-hyperband job`: the jobs of the workflow. Each makes one file of a study's folder, named by its path."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from swift_hyperband.cli.arguments import verbosity
from swift_hyperband.results.layout import StudyFolder, locate
from swift_hyperband.workflow.steps import Steps, write_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `job` takes."""
    parser.description = __doc__
    names = parser.add_subparsers(metavar="JOB", required=True)
    for name, run, what in [
        (
            "train",
            _of_module("job_train"),
            "train a batch of trials: results/<study>/bracket=<s>/round=<i>/full|partial|complete/<batch>.json",
        ),
        ("draw", _round_step, "draw the configurations of a bracket from the curves of those before: .../draw.json"),
        ("threshold", _round_step, "take the threshold of a round: .../threshold.json"),
        ("fit", _round_step, "fit the predictor of a round: .../predictor.json"),
        ("decide", _round_step, "decide who continues from the decision point: .../decision.json"),
        ("promote", _round_step, "promote the best trials of a round: .../promotion.json"),
        ("thaw", _round_step, "choose which trials left behind by all brackets train to the end: .../thaw.json"),
        ("best", _best, "find the best configuration: results/<study>/best.yaml"),
        ("search", _of_module("job_search"), "decide for workers until the search is over: results/<study>"),
        ("report", _report, "draw the pictures and write the curves: results/<study>/report"),
    ]:
        job = names.add_parser(name, help=what, description=what, parents=[verbosity()])
        job.add_argument("output", type=Path, help="the file to make, or the folder of the search")
        job.set_defaults(run=run, job=name)
        if name == "train":
            job.add_argument("--minutes", type=float, help="the job's time limit; counts where SLURM keeps it")


def _of_module(name: str) -> Callable[[argparse.Namespace], int]:
    """Return a job that has a module of its own, which is loaded when it runs: the other jobs are short, and many."""

    def run(options: argparse.Namespace) -> int:
        return int(import_module(f"swift_hyperband.cli.{name}").run(options))

    return run


def _round_step(options: argparse.Namespace) -> int:
    folder, key = locate(options.output)
    steps = Steps(folder)
    step = {
        "draw": steps.draw,
        "threshold": steps.threshold,
        "fit": steps.fit,
        "decide": steps.decide,
        "promote": steps.promote,
        "thaw": steps.thaw,
    }
    step[options.job](steps.round(*key))
    return 0


def _best(options: argparse.Namespace) -> int:
    Steps(StudyFolder(options.output.parent)).best()
    return 0


def _report(options: argparse.Namespace) -> int:
    write_report(StudyFolder(options.output.parent))
    return 0

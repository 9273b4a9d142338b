"""`swift-hyperband job`: the jobs of the workflow. Each makes one file of a study's folder, named by its path."""

from __future__ import annotations

import argparse
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json, write_json
from swift_hyperband.base.metric import to_json
from swift_hyperband.processes.exit_codes import TRY_AGAIN
from swift_hyperband.results import jobs
from swift_hyperband.results.contents import COMPLETION, ENTRY
from swift_hyperband.results.freeze import load_frozen
from swift_hyperband.results.jobs import JobOutcome
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.training.clock import OutOfTimeError
from swift_hyperband.training.gpus import NoGpuError

if TYPE_CHECKING:
    from swift_hyperband.study.frozen import FrozenStudy
    from swift_hyperband.training.trial import Trained


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `job` takes."""
    parser.description = __doc__
    names = parser.add_subparsers(metavar="JOB", required=True)
    for name, run, what in [
        (
            "train",
            _train,
            "train a batch of trials: results/<study>/bracket=<s>/round=<i>/full|partial|complete/<batch>.json",
        ),
        ("threshold", _round_step, "take the threshold of a round: .../threshold.json"),
        ("fit", _round_step, "fit the predictor of a round: .../predictor.json"),
        ("decide", _round_step, "decide who continues from the decision point: .../decision.json"),
        ("promote", _round_step, "promote the best trials of a round: .../promotion.json"),
        ("best", _best, "find the best configuration: results/<study>/best.yaml"),
        ("report", _report, "draw the pictures and write the curves: results/<study>/report"),
    ]:
        job = names.add_parser(name, help=what, description=what)
        job.add_argument("output", type=Path, help="the file to make")
        job.set_defaults(run=run, job=name)
        if name == "train":
            job.add_argument("--minutes", type=float, help="the job's time limit; counts where SLURM keeps it")


def _train(options: argparse.Namespace) -> int:
    output: Path = options.output
    part, batch = output.parent.name, output.stem
    folder, *_ = _locate(output.parent)
    path = output.parent.parent / ("completion.json" if part == "complete" else "entry.json")
    layout = read_json(path, COMPLETION if part == "complete" else ENTRY)
    trials = layout["batches"].get(part, {}).get(batch)
    if trials is None:
        raise UserError(f"{path}: must name the batch of {output}, found no such batch; start the search again")
    epochs = layout["epochs"][part]
    study = load_frozen(folder)
    # told to jobs that a scheduler runs, and not to those that the head runs itself, be it within an allocation
    queued = options.minutes is not None
    with jobs.recorded(output, study.gpus, study.cpus, queued) as record:
        try:
            found = _trained(folder, study, trials, epochs, options.minutes)
        except OutOfTimeError as error:
            record.outcome = JobOutcome.OUT_OF_TIME
            print(f"{error}; the next try goes on from there", file=sys.stderr)
            return TRY_AGAIN
        except NoGpuError as error:
            print(f"error: {error}", file=sys.stderr)
            return TRY_AGAIN
        record.outcome = JobOutcome.THROUGH
    content = {
        trial: {"status": trained.status, "values": [to_json(value) for value in trained.values[:epochs]]}
        for trial, trained in found.items()
    }
    write_json(output, {"epochs": epochs, "trials": content})
    return 0


def _trained(
    folder: StudyFolder, study: FrozenStudy, trials: list[str], epochs: int, minutes: float | None
) -> dict[str, Trained]:
    from swift_hyperband.results import provenance
    from swift_hyperband.training.batch import train_batch
    from swift_hyperband.training.settings import TrainingSettings

    settings = TrainingSettings.from_study_json(study.definition, study.retries, study.save_every, study.give_up_after)
    limit = None if minutes is None else 60 * minutes
    check = partial(provenance.check_job, folder, study.definition["target"])
    return train_batch(
        folder.path,
        settings,
        trials,
        epochs,
        study.side_by_side,
        time_limit=limit,
        before=check,
        needs_gpu=study.needs_gpu,
    )


def _round_step(options: argparse.Namespace) -> int:
    from swift_hyperband.workflow.steps import Steps

    folder, bracket, index = _locate(options.output)
    steps = Steps(folder)
    step = {"threshold": steps.threshold, "fit": steps.fit, "decide": steps.decide, "promote": steps.promote}
    step[options.job](steps.round(bracket, index))
    return 0


def _best(options: argparse.Namespace) -> int:
    from swift_hyperband.workflow.steps import Steps

    Steps(StudyFolder(options.output.parent)).best()
    return 0


def _report(options: argparse.Namespace) -> int:
    from swift_hyperband.report import write_report
    from swift_hyperband.results.history import History

    folder = StudyFolder(options.output.parent)
    write_report(History(folder), folder)
    return 0


def _locate(path: Path) -> tuple[StudyFolder, int, int]:
    """Return the study's folder, the bracket and the round of .../bracket=<s>/round=<i>/<anything>."""
    found = re.fullmatch(r"(.+)/bracket=(\d+)/round=(\d+)/[^/]+", str(path))
    if found is None:
        raise UserError(f"{path}: must lie in results/<study>/bracket=<s>/round=<i>/")
    return StudyFolder(Path(found[1])), int(found[2]), int(found[3])

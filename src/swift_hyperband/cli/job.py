"""`swift-hyperband job`: the jobs of the workflow. Each makes one file of a study's folder, named by its path."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.cli.arguments import verbosity
from swift_hyperband.processes.exit_codes import TRY_AGAIN
from swift_hyperband.results import jobs
from swift_hyperband.results.contents import Batch, Batches, Completion, Entry
from swift_hyperband.results.jobs import JobOutcome
from swift_hyperband.results.layout import StudyFolder, locate
from swift_hyperband.search.schedule import Round
from swift_hyperband.training.clock import OutOfTimeError
from swift_hyperband.training.gpus import NoGpuError
from swift_hyperband.workflow.steps import Steps, write_report


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
        ("thaw", _round_step, "choose which trials left behind by all brackets train to the end: .../thaw.json"),
        ("best", _best, "find the best configuration: results/<study>/best.yaml"),
        ("report", _report, "draw the pictures and write the curves: results/<study>/report"),
    ]:
        job = names.add_parser(name, help=what, description=what, parents=[verbosity()])
        job.add_argument("output", type=Path, help="the file to make")
        job.set_defaults(run=run, job=name)
        if name == "train":
            job.add_argument("--minutes", type=float, help="the job's time limit; counts where SLURM keeps it")


def _train(options: argparse.Namespace) -> int:
    # torch's processes and the digests of code: the other jobs are short, and there are many of them
    from swift_hyperband.workflow.training import train

    output: Path = options.output
    folder, key = locate(output.parent)
    steps = Steps(folder)
    study = steps.study
    trials, epochs = _batch(folder, steps.round(*key), output)
    # only jobs that a scheduler runs have a time limit, not those that the head runs itself
    queued = options.minutes is not None
    with jobs.recorded(output, study.gpus, study.cpus, queued) as record:
        try:
            found = train(folder, study, trials, epochs, options.minutes)
        except OutOfTimeError as error:
            record.outcome = JobOutcome.OUT_OF_TIME
            print(f"{error}; the next try goes on from there", file=sys.stderr)
            return TRY_AGAIN
        except NoGpuError as error:
            print(f"error: {error}", file=sys.stderr)
            return TRY_AGAIN
        record.outcome = JobOutcome.THROUGH
    Batch(epochs, found).write(output)
    return 0


def _batch(folder: StudyFolder, round_: Round, output: Path) -> tuple[Sequence[str], int]:
    """Return the trials of a batch, given the file that it writes, and the epoch to which they train."""
    part = output.parent.name
    batches: Batches
    epochs: Mapping[str, int | None]
    if part == "complete":
        path = folder.completion(round_)
        completion = Completion.read(path)
        batches, epochs = completion.batches, {part: completion.epochs}
    else:
        path = folder.entry(round_)
        entry = Entry.read(path)
        batches, epochs = entry.batches.get(part, {}), entry.epochs
    trials, end = batches.get(output.stem), epochs.get(part)
    if trials is None or end is None:
        raise UserError(f"{path}: must name the batch of {output}, found no such batch; start the search again")
    return trials, end


def _round_step(options: argparse.Namespace) -> int:
    folder, key = locate(options.output)
    steps = Steps(folder)
    step = {
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

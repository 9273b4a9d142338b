"""`swift-hyperband job train`: train a batch of trials."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.processes.exit_codes import TRY_AGAIN
from swift_hyperband.results import jobs
from swift_hyperband.results.contents import Batch, Batches, Completion, Entry
from swift_hyperband.results.jobs import JobOutcome
from swift_hyperband.results.layout import StudyFolder, locate
from swift_hyperband.search.schedule import Round
from swift_hyperband.training.clock import OutOfTimeError
from swift_hyperband.training.gpus import NoGpuError
from swift_hyperband.workflow.steps import Steps
from swift_hyperband.workflow.training import train


def run(options: argparse.Namespace) -> int:
    """Train the batch of a job's file; return the exit code."""
    output: Path = options.output
    folder, key = locate(output.parent)
    steps = Steps(folder)
    study = steps.study
    trials, epochs = _batch(folder, steps.round(*key), output)
    # only jobs that a scheduler runs have a time limit, not those that the head runs itself
    queued = options.minutes is not None
    with jobs.recorded(output.parents[1], output.parent.name, output.stem, study.gpus, study.cpus, queued) as record:
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

"""`swift-hyperband work`: a worker that trains for a search until it is over."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import shown
from swift_hyperband.cli.arguments import add_changed_code
from swift_hyperband.processes.exit_codes import TRY_AGAIN
from swift_hyperband.results import jobs, places, provenance
from swift_hyperband.results.jobs import JobOutcome
from swift_hyperband.results.layout import RESULTS, StudyFolder
from swift_hyperband.study.reader import read
from swift_hyperband.training.clock import Clock
from swift_hyperband.training.gpus import NoGpuError
from swift_hyperband.workers.roster import Seat
from swift_hyperband.workers.start import Deciding, SearchFailedError
from swift_hyperband.workers.worker import Worker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `work` takes."""
    parser.description = (
        "Train for a search with 'execution: workers' until it is over, beside any number of other workers, on this "
        "machine and on others that see the folder. Workers may come and go at any time. If no process decides, one is "
        "started. The exit code is 0 when nothing is left to do, and 75 when the time was over and it must start again."
    )
    parser.add_argument(
        "study", type=Path, help="results/<study>, or the study file of a search that may not have begun"
    )
    parser.add_argument("--name", help="the worker's name, a number at best (default: the next free number)")
    parser.add_argument("--minutes", type=float, help="the job's time limit; it must be started again then")
    add_changed_code(parser)
    parser.set_defaults(run=_work)


def _work(options: argparse.Namespace) -> int:
    if options.allow_changed_code:
        provenance.allow()
    queued = options.minutes is not None
    # waiting for the search to begin and for the worker's place takes of the job's time, too
    clock = Clock.of(60 * options.minutes if queued else None)
    folder = _folder(options.study)
    deciding = Deciding(folder, str(options.study))
    study = deciding.begun()
    seat = Seat(folder, options.name, first=study.workers)
    try:
        with jobs.recorded(seat.folder, jobs.WORKER, seat.name, study.gpus, study.cpus, queued) as record:
            worker = Worker(folder, study, seat, deciding, clock, queued)
            code = worker.run()
            if code == 0:
                record.outcome = JobOutcome.THROUGH
            elif worker.could_train:
                record.outcome = JobOutcome.OUT_OF_TIME
            return code
    except SearchFailedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except NoGpuError as error:
        if not queued:
            raise
        print(f"error: {error}", file=sys.stderr)
        return TRY_AGAIN
    finally:
        seat.leave()


def _folder(path: Path) -> StudyFolder:
    """Return the folder of a study, given it or its file."""
    if path.suffix not in (".yaml", ".yml"):
        return StudyFolder(path)
    # the process that decides checks the rest of it
    content = read(path)
    given = {"name": content.get("name"), "results": content.get("results", str(RESULTS))}
    for key, value in given.items():
        if not isinstance(value, str):
            raise UserError(f"{path}: {key}: must be a text, found {shown(value)}")
    folder = StudyFolder.of(given["name"], given["results"])
    places.check(folder, given["name"])
    return folder

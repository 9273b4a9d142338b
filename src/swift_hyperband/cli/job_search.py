"""`swift-hyperband job search`: decide for workers until the search is over."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.processes.exit_codes import leave
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import load
from swift_hyperband.workers.job_search import decide


def run(options: argparse.Namespace) -> int:
    """Decide for the search of a folder or a study file; return the exit code."""
    signal.signal(signal.SIGTERM, leave)
    # SLURM may warn all processes of a worker's job: that one ends with this one in its own time
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    where: Path = options.output
    study = load(where) if where.suffix in (".yaml", ".yml") else None
    try:
        decide(StudyFolder(where) if study is None else StudyFolder.of(study.name, study.results), study)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0

"""`swift-hyperband run`: start the workflow, or go on with it after anything that stopped it."""

from __future__ import annotations

import argparse
from pathlib import Path

from swift_hyperband.cli.start import ABOUT, add_options, is_study_file, start


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `run` takes."""
    parser.description = f"Start the workflow, or go on with it after anything that stopped it. {ABOUT}"
    parser.usage = "%(prog)s [study file] [options]"
    add_options(parser)
    parser.set_defaults(run=_run, passes_on=True)


def _run(options: argparse.Namespace) -> int:
    # not by argparse, which would take the first value of an option of snakemake's for the study
    if options.rest and is_study_file(Path(options.rest[0])):
        options.configfile = Path(options.rest.pop(0))
    return start(options)

"""`swift-hyperband run`: start the workflow, or go on with it after anything that stopped it."""

from __future__ import annotations

import argparse
from pathlib import Path

from swift_hyperband.errors import UserError
from swift_hyperband.results import StudyFolder

DEFAULT_STUDY = Path("config/config.yaml")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `run`."""
    parser = commands.add_parser(
        "run",
        help="start the workflow, or go on with it after anything that stopped it",
        description="Start the workflow, or go on with it after anything that stopped it. This is snakemake, without "
        "its lock (which a killed run leaves behind): the search itself lets one process run it at a time. Options "
        "that are not listed here go to snakemake as they are.",
    )
    parser.add_argument("--configfile", type=Path, default=DEFAULT_STUDY, help="the study file")
    parser.add_argument("--cores", help="cores to use here (default: all)")
    parser.add_argument("--profile", help="where to run, such as profiles/slurm (default: here)")
    parser.set_defaults(run=_run, passes_on=True)


def print_result(folder: StudyFolder) -> None:
    """Tell what a finished search found, and where it lies."""
    found = folder.best.read_text(encoding="utf-8")
    print(f"\n{found}\nbest configuration: {folder.best}\npictures and tables: {folder.report}")


def _run(options: argparse.Namespace) -> int:
    from snakemake.cli import main as snakemake

    from swift_hyperband.study import load

    folder = StudyFolder(Path("results") / load(options.configfile).name)
    if not Path("workflow/Snakefile").exists():
        raise UserError("workflow/Snakefile: must be there, found no such file; run this in the project's folder")
    arguments = ["--nolock", *options.rest]
    if options.configfile != DEFAULT_STUDY:
        arguments += ["--configfile", str(options.configfile)]
    if options.profile is not None:
        arguments += ["--profile", options.profile]
    if options.cores is not None or options.profile is None:
        arguments += ["--cores", options.cores or "all"]
    try:
        snakemake(arguments)
    except SystemExit as end:
        if end.code not in (None, 0):
            return int(end.code) if isinstance(end.code, int) else 1
    if folder.best.exists():
        print_result(folder)
    return 0

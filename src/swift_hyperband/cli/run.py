"""`swift-hyperband run`: start the workflow, or go on with it after anything that stopped it."""

from __future__ import annotations

import argparse
import os
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
        # else --config of snakemake would be taken for --configfile
        allow_abbrev=False,
    )
    parser.add_argument("--configfile", type=Path, default=DEFAULT_STUDY, help="the study file")
    parser.add_argument("-c", "--cores", help="cores to use here (default: what the study's workers need, all at most)")
    parser.add_argument("--profile", help="where to run, such as profiles/slurm (default: here)")
    parser.set_defaults(run=_run, passes_on=True)


def print_result(folder: StudyFolder) -> None:
    """Tell what a finished search found, and where it lies."""
    found = folder.best.read_text(encoding="utf-8")
    print(f"\n{found}\nbest configuration: {folder.best}\npictures and tables: {folder.report}")


def _run(options: argparse.Namespace) -> int:
    from snakemake.cli import main as snakemake

    from swift_hyperband.study import load

    study = load(options.configfile)
    folder = StudyFolder(Path("results") / study.name)
    if not Path("workflow/Snakefile").exists():
        raise UserError("workflow/Snakefile: must be there, found no such file; run this in the project's folder")
    arguments = ["--nolock", *options.rest]
    if options.configfile != DEFAULT_STUDY:
        arguments += ["--configfile", str(options.configfile)]
    if options.profile is not None:
        arguments += ["--profile", options.profile]
    if options.cores is not None:
        arguments += ["--cores", options.cores]
    elif options.profile is None and not {"-j", "--jobs", "-e", "--executor"} & set(options.rest):
        arguments += ["--cores", str(min(os.cpu_count() or 1, study.resources.workers * study.target.threads))]
    try:
        snakemake(arguments)
    except SystemExit as end:
        if isinstance(end.code, str):
            raise UserError(end.code.removeprefix("error: ")) from None
        if end.code:
            return int(end.code)
    if folder.best.exists() and not {"-n", "--dry-run", "--dryrun"} & set(options.rest):
        print_result(folder)
    return 0

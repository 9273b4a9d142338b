"""Starting the workflow, for the commands `run` and `resume`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path

from swift_hyperband.base.shipped import SNAKEFILE, shipped
from swift_hyperband.cli.arguments import STUDY_FILE, add_changed_code
from swift_hyperband.cli.live import Live
from swift_hyperband.cli.result import print_result
from swift_hyperband.results import accounting, provenance
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import Study, load
from swift_hyperband.workflow import leftovers, snakemake
from swift_hyperband.workflow.snakemake_log import failures, new_log

logger = logging.getLogger(__name__)

ABOUT = (
    "This is snakemake, without its lock (which a killed run leaves behind): the search itself lets one process run it "
    "at a time. Options that are not listed here go to snakemake as they are. Ctrl-C and SIGTERM always end it, and "
    "its jobs; the same command goes on. Jobs in SLURM that a killed run left behind are found and waited for, or "
    "cancelled, before anything starts. How far the search has come is shown; what Snakemake says goes to a file in "
    "logs; with --verbose it is shown instead, and with --verbose given twice also Snakemake's debugging."
)
OTHERS = {"compare", "figure4", "record"}
"""Targets of the workflow that are no searches."""
NOTHING_TO_DO = "Nothing to be done"
"""Snakemake's own words."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a start."""
    # else snakemake's --config would be taken for --configfile
    parser.allow_abbrev = False
    parser.add_argument("--configfile", type=Path, default=STUDY_FILE, help="the study file")
    parser.add_argument("-c", "--cores", help="cores to use here (default: what the study's workers need, all at most)")
    parser.add_argument("--profile", help="where to run, such as profiles/slurm (default: here)")
    parser.add_argument(
        "--leftover",
        choices=["wait", "cancel"],
        help="what to do with jobs in SLURM that an earlier start left behind "
        "(default: ask, and wait where nobody can answer)",
    )
    add_changed_code(parser)


def start(options: argparse.Namespace) -> int:
    """Run the workflow on the study file `options.configfile`; return the exit code."""
    study = load(options.configfile)
    folder = StudyFolder.of(study.name, study.results)
    parser, parsed = snakemake.parse(_arguments(options, study))
    snakemake.check(parsed)
    snakemake.complete(parsed, options.rest, study.name, study.resources.workers)
    on_slurm, looks = snakemake.submits_to_slurm(parsed), snakemake.runs_no_jobs(parsed)
    if options.allow_changed_code:
        provenance.allow()
    if not looks:
        if on_slurm:
            leftovers.settle(folder, study.name, options.leftover)
        # here, where there is a terminal to ask at: Snakemake runs without one
        provenance.check(folder, study.definition()["target"])
    # the user wants to see Snakemake's own output
    shows = options.verbose or parsed.verbose or parsed.printshellcmds or OTHERS & set(parsed.targets or ())
    log = None if looks or shows else new_log(study.name)
    show = None if log is None else Live(folder, on_slurm).follow
    ended = snakemake.watch(lambda: snakemake.run(parser, parsed, log), folder, on_slurm, show)
    if on_slurm and not looks and folder.study.exists():
        with suppress(OSError):
            accounting.note(folder.path)
    _print_end(ended.code, folder, log, looks)
    return ended.code


def is_study_file(path: Path) -> bool:
    """Whether a word is the path of a study file, and not of the best configuration, which Snakemake can make."""
    return path.suffix in (".yaml", ".yml") and path != StudyFolder(path.parent).best


def _arguments(options: argparse.Namespace, study: Study) -> list[str]:
    """Return the command line of Snakemake."""
    arguments = ["--nolock", *options.rest]
    if not snakemake.gives_snakefile(options.rest):
        arguments += ["--snakefile", str(shipped(SNAKEFILE))]
    if options.configfile != STUDY_FILE:
        arguments += ["--configfile", str(options.configfile)]
    if options.verbose > 1:
        arguments.append("--verbose")
    if options.profile is not None:
        arguments += ["--profile", options.profile]
    says_where = options.profile is not None or snakemake.gives_jobs(options.rest)
    if options.cores is not None:
        arguments += ["--cores", options.cores]
    elif not says_where and not {"-e", "--executor"} & set(options.rest):
        resources = study.resources
        wanted = resources.workers * study.target.threads * resources.side_by_side
        arguments += ["--cores", str(min(os.cpu_count() or 1, wanted))]
    return arguments


def _print_end(code: int, folder: StudyFolder, log: Path | None, looks: bool) -> None:
    """Print what was found, or what went wrong."""
    if code == 0 and log is not None and NOTHING_TO_DO in log.read_text(encoding="utf-8", errors="replace"):
        print(NOTHING_TO_DO)
    if code == 0 and folder.best.exists() and not looks:
        print_result(folder)
        if log is not None:
            print(f"log of Snakemake: {log}")
    elif code == snakemake.FAILED and log is not None:
        logger.error(f"Snakemake ended with an error; its log is {log}")
        for line in failures(log):
            print(f"  {line}", file=sys.stderr, flush=True)

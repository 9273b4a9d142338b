"""Running Snakemake from `swift-hyperband run`: its command line, and its process under a watcher.

Snakemake's own `main` is done in two halves here, `parse` and `run`, so that its options can be checked and completed
between them.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext, redirect_stderr
from pathlib import Path
from types import FrameType, ModuleType
from typing import NoReturn

from swift_hyperband.base.console import diverted
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.packages import EXTRAS, missing
from swift_hyperband.base.wording import STOPPED
from swift_hyperband.processes import lease
from swift_hyperband.processes.exit_codes import of_signal
from swift_hyperband.processes.watch import Ended, watched
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.slurm import queue
from swift_hyperband.workflow import leftovers

logger = logging.getLogger(__name__)

GRACE = 5.0
"""Seconds that jobs have to end when the search is stopped; nothing that they have trained is lost."""
GRACE_ON_SLURM = 30.0
"""The same for cancelling jobs in SLURM, whose controller may be busy."""
FAILED = 1
"""Snakemake's exit code after an error that it has printed."""
NO_EXECUTOR = re.compile("argument --executor/-e: invalid choice: '([\\w-]+)'")
"""Said of an executor whose plugin is not installed."""
PLUGIN = "snakemake_executor_plugin_"
PROFILE_SAID = re.compile("Using (workflow specific )?profiles? ")
TOKEN = "DWAVE_API_TOKEN"
LOOKS = (
    *("dryrun", "lint", "list_rules", "list_target_rules", "print_compilation", "dag", "rulegraph", "filegraph"),
    *("d3dag", "summary", "detailed_summary", "report", "containerize", "generate_unit_tests", "unlock", "archive"),
    *("list_changes", "list_input_changes", "list_params_changes", "list_untracked", "cleanup_metadata"),
    *("cleanup_shadow", "delete_all_output", "delete_temp_output", "conda_create_envs_only", "list_conda_envs"),
    *("conda_cleanup_envs", "container_cleanup_images"),
)
"""Options with which Snakemake runs no jobs. If it adds one, the only harm is a needless wait for leftover jobs."""


def _command_line() -> ModuleType:
    # half a second, and no other part of the package needs it
    from snakemake import cli

    module: ModuleType = cli
    return module


def parse(arguments: Sequence[str]) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """Return Snakemake's parser, and what it reads from a command line and its profiles.

    From here on SIGTERM ends this process and what it started, such as the SLURM plugin's question for settings.
    """
    snakemake = _command_line()
    signal.signal(signal.SIGTERM, _leave)
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            parser, parsed = snakemake.parse_args(list(arguments))
    except SystemExit:
        executor = NO_EXECUTOR.search(said.getvalue())
        plugin = PLUGIN + executor[1].replace("-", "_") if executor else ""
        if executor is None or plugin not in EXTRAS:
            raise
        said.truncate(0)
        raise UserError(missing(f"executor {executor[1]}", plugin, plugin)) from None
    except Exception as error:
        snakemake.print_exception(error)
        raise SystemExit(FAILED) from None
    finally:
        # the user knows which profiles are used
        lines = [line for line in said.getvalue().splitlines(keepends=True) if not PROFILE_SAID.match(line)]
        sys.stderr.write("".join(lines))
        sys.stderr.flush()
    return parser, parsed


def runs_no_jobs(parsed: argparse.Namespace) -> bool:
    """Whether Snakemake is only to look, or to tidy up."""
    return any(getattr(parsed, name, None) for name in LOOKS)


def submits_to_slurm(parsed: argparse.Namespace) -> bool:
    """Whether jobs go to SLURM. With commands of the site's own it may be a scheduler that cannot be asked."""
    executor = parsed.executor
    return executor == "slurm" or (executor == "cluster-generic" and shutil.which("squeue") is not None)


def check(parsed: argparse.Namespace) -> None:
    """Refuse options with which a search would hang, lose its results or give away the token.

    Raises
    ------
    UserError
    """
    for name in ("cores", "jobs"):
        # Snakemake would wait for them without end
        if isinstance(count := getattr(parsed, name), int) and count < 1:
            raise UserError(f"--{name} must be at least 1, found {count}")
    if parsed.directory is not None:
        raise UserError(
            f"--directory: must not be given, as the study is read and the search is shown here, found "
            f"{parsed.directory}; start in that folder"
        )
    if any(str(given).startswith("name=") for given in parsed.config or ()):
        raise UserError(
            "--config name: must not be given, as jobs and results go by the name in the study file; "
            "give a study file of its own with --configfile"
        )
    if submits_to_slurm(parsed) and parsed.verbose and TOKEN in os.environ:
        raise UserError(
            f"--verbose: must not be given twice while {TOKEN} is set, as jobs in SLURM would write their environment "
            "into their logs; keep the token in D-Wave's configuration file ('dwave config create')"
        )


def complete(parsed: argparse.Namespace, given: Sequence[str], study: str, workers: int) -> None:
    """Set the options that follow from a study: how many jobs at a time, and how SLURM names them.

    Parameters
    ----------
    parsed : Namespace
        Changed.
    given : sequence of str
        The options of the command line, which count more.
    study : str
        The study's name.
    workers : int
        Training jobs at a time.
    """
    if parsed.executor not in (None, "local", "dryrun", "touch") and not gives_jobs(given):
        parsed.jobs = min(workers, parsed.jobs or workers)
    names_jobs = any(option.split("=")[0] == "--slurm-jobname-prefix" for option in given)
    if parsed.executor == "slurm" and not names_jobs:
        parsed.slurm_jobname_prefix = queue.job_prefix(study)


def gives_jobs(given: Sequence[str]) -> bool:
    """Whether a command line says how many jobs may run at a time."""
    return any(re.match(r"-j|--jobs\b", option) for option in given)


def gives_snakefile(given: Sequence[str]) -> bool:
    """Whether a command line names a workflow of the user's own."""
    return any(re.match(r"-s|--snakefile\b", option) for option in given)


def run(parser: argparse.ArgumentParser, parsed: argparse.Namespace, log: Path | None) -> int:
    """Run Snakemake in this process; what it prints goes to `log` if there is one. Return its exit code.

    Raises
    ------
    UserError
        If a rule or the Snakefile ended it with a line for the user.
    """
    snakemake = _command_line()
    with diverted(log) if log is not None else nullcontext():
        try:
            return 0 if snakemake.args_to_api(parsed, parser) else FAILED
        except SystemExit as end:
            if not isinstance(end.code, str):
                return int(end.code or 0)
            mistake = end.code.removeprefix("error: ")
        except Exception as error:
            snakemake.print_exception(error)
            return FAILED
    raise UserError(mistake)


def watch(
    work: Callable[[], int],
    folder: StudyFolder,
    on_slurm: bool,
    show: Callable[[Callable[[float], bool]], None] | None = None,
) -> Ended:
    """Run Snakemake in a child process until it ends or is stopped, with all its jobs; say how it was stopped.

    Parameters
    ----------
    work : callable
        Runs Snakemake, and returns its exit code.
    folder : StudyFolder
    on_slurm : bool
    show : callable, optional
        Shows meanwhile how far the search has come. It is given a function that waits for so many seconds and returns
        whether Snakemake has ended.
    """
    led = False
    stops = threading.Event()

    def follow(over: threading.Event) -> None:
        if show is not None:
            show(lambda seconds: over.wait(seconds) or stops.is_set())

    def on_stop() -> None:
        nonlocal led
        stops.set()
        led = lease.is_held_by(folder.path, os.getpid())
        what = f"jobs in SLURM are cancelled, which may take {GRACE_ON_SLURM:.0f} s" if on_slurm else "jobs end"
        logger.info(f"is being stopped: {what}")

    ended = watched(work, GRACE_ON_SLURM if on_slurm else GRACE, on_stop, follow)
    if ended.code == 0 or not (ended.stopped_by or ended.signal):
        return ended
    if on_slurm and (led or lease.is_held_by(folder.path, os.getpid())):
        leftovers.clean_up(folder.path.name, cancel=ended.stopped_by is not None)
    lease.clear(folder.path)
    if ended.stopped_by is None:
        assert ended.signal is not None
        logger.warning(
            f"Snakemake was ended by {signal.Signals(ended.signal).name} from outside; the same command goes on"
        )
        return ended
    logger.info(STOPPED)
    return Ended(of_signal(ended.stopped_by), ended.signal, ended.stopped_by)


def _leave(number: int, _: FrameType | None) -> NoReturn:
    # not by print: the signal may have interrupted one, and a second one within it fails
    os.write(2, f"swift-hyperband: {leftovers.NOTHING_STARTED}\n".encode())
    raise SystemExit(of_signal(number))

"""The command line: one thin command for each need of a user and each job of the workflow."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from swift_hyperband import __version__
from swift_hyperband.base.console import clear_line
from swift_hyperband.base.errors import DISK_ERRORS, UserError, about_disk
from swift_hyperband.cli import (
    annealer,
    check_target,
    compare,
    data,
    figure4,
    job,
    plan,
    record,
    replay,
    run,
    search,
    status,
)
from swift_hyperband.cli.terminal import speak_plainly


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code: 0 done, 1 failed, 2 a mistake of the user's."""
    speak_plainly()
    parser = argparse.ArgumentParser(
        prog="swift-hyperband",
        description="Swift-Hyperband: hyperparameter optimisation of deep-learning models on HPC clusters.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (plan, check_target, run, status, search, data, record, replay, compare, figure4, annealer, job):
        command.add_parser(commands)
    options, rest = parser.parse_known_args(arguments)
    if rest and not hasattr(options, "passes_on"):
        parser.error(f"unknown arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        return int(options.run(options))
    except UserError as error:
        _say(f"error: {error}")
        return 2
    except BrokenPipeError:
        # the reader of our output (head, less) left; nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # one that knows its file is about the user's files
        if error.errno not in DISK_ERRORS and error.filename is None:
            raise
        _say(f"error: {about_disk(error)}")
        return 1 if error.errno in DISK_ERRORS else 2
    except KeyboardInterrupt:
        return 130


def _say(line: str) -> None:
    clear_line()
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        # a job's log lies on the disk that is full
        print(line, flush=True)

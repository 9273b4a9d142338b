"""The command line: a table of commands, each in a module of its own that is imported only when it is asked for."""

from __future__ import annotations

import argparse
import keyword
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from swift_hyperband import __version__
from swift_hyperband.base.console import clear_line
from swift_hyperband.base.errors import DISK_ERRORS, UserError, about_disk
from swift_hyperband.base.shipped import page
from swift_hyperband.cli.arguments import WholeWords, set_verbosity, verbosity
from swift_hyperband.cli.terminal import speak_plainly
from swift_hyperband.processes.exit_codes import INTERRUPTED

COMMANDS = {
    "init": "write a study and a model to edit into a folder",
    "plan": "estimate the cost of a search before anything runs",
    "check-target": "try a target before it costs money",
    "run": "start a search, or continue it after any interruption",
    "resume": "continue a search that was started",
    "status": "show the progress of a search",
    "trials": "print the table of the trials of a search",
    "report": "write the page, the pictures and the table of curves of a search anew",
    "best": "print the best configuration, and load its trained model",
    "final": "train the winner on for more epochs, or again with other seeds",
    "import": "write earlier trials into a file that teaches a search",
    "export": "write a search for Optuna, MLflow, TensorBoard, W&B or a table",
    "search": "run a search in one process, without Snakemake",
    "work": "train for a search with workers, beside others, until it is over",
    "data": "fetch data for the built-in targets",
    "record": "record learning curves for replays",
    "replay": "repeat a search over recorded learning curves in seconds",
    "compare": "compare searches over tables of curves: figure and tables of the paper",
    "figure4": "make the paper's figure 4: searches that really train",
    "workflow": "print the path of the workflow that Snakemake runs",
    "annealer": "check which samplers can be used here",
    "job": "run one of the workflow's own jobs",
}
"""Help of each command. The command `check-target` is the module `check_target`, whose `add_arguments` is called."""


def module_of(command: str) -> str:
    """Return the name of a command's module: no module can have the name of a word of Python's."""
    name = command.replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code: 0 success, 1 failure, 2 a mistake of the user."""
    speak_plainly()
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(
        prog="swift-hyperband",
        description="Swift-Hyperband: hyperparameter optimisation of deep-learning models on HPC clusters.",
        epilog=f"Documentation: {page('README.md')}",
        parents=[verbosity()],
        formatter_class=WholeWords,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    parsers = {
        name: commands.add_parser(name, help=text, parents=[verbosity()], formatter_class=WholeWords)
        for name, text in COMMANDS.items()
    }
    try:
        # no option before the command has a value
        wanted = next((word for word in given if not word.startswith("-")), None)
        if wanted in parsers:
            import_module(f"{__name__}.{module_of(wanted)}").add_arguments(parsers[wanted])
        options, rest = parser.parse_known_args(given)
        if rest and not hasattr(options, "passes_on"):
            parser.error(f"unknown arguments: {' '.join(rest)}")
        options.rest = rest
        set_verbosity(options)
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
        return INTERRUPTED


def _say(line: str) -> None:
    clear_line()
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        # a job's log lies on the disk that is full
        print(line, flush=True)

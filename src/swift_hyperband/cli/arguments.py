"""Arguments that several commands share: each is defined, checked and named in one way."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import Any

from swift_hyperband.base.console import set_up
from swift_hyperband.base.errors import UserError

STUDY_FILE = Path("config/config.yaml")
COMPARISON_FILE = Path("config/compare.yaml")
CHANGED_CODE = "go on though the model's code changed since trials were trained"


class WholeWords(argparse.HelpFormatter):
    """Breaks no line of a description within a word, so that a path in it can be copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = textwrap.wrap(" ".join(text.split()), width, break_long_words=False, break_on_hyphens=False)
        return textwrap.indent("\n".join(lines), indent)


def verbosity() -> argparse.ArgumentParser:
    """Return the parent of all parsers, with the options --verbose and --quiet.

    They stand before or behind the command's name, so they have no default here; see `set_verbosity`.
    """
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-v", "--verbose", action="count", default=argparse.SUPPRESS, help="say more, for debugging")
    group.add_argument("--quiet", action="store_true", default=argparse.SUPPRESS, help="say only warnings and errors")
    return parser


def set_verbosity(options: argparse.Namespace) -> None:
    """Complete parsed options by the defaults of --verbose and --quiet, and print the package's log accordingly."""
    options.verbose = getattr(options, "verbose", 0)
    options.quiet = getattr(options, "quiet", False)
    set_up(verbose=options.verbose > 0, quiet=options.quiet)


def at_least(least: int) -> type[argparse.Action]:
    """Return the action of an option with `type=int`, for numbers of at least `least`."""

    class AtLeast(argparse.Action):
        def __call__(self, _: Any, namespace: argparse.Namespace, values: Any, __: str | None = None) -> None:
            if values < least:
                raise UserError(f"{self.option_strings[-1]} must be at least {least}, found {values}")
            setattr(namespace, self.dest, values)

    return AtLeast


def add_study(parser: argparse.ArgumentParser) -> None:
    """Add the argument STUDY, the study file."""
    parser.add_argument("study", nargs="?", type=Path, default=STUDY_FILE, help="the study file")


def add_workers(parser: argparse.ArgumentParser, what: str = "trials that train side by side") -> None:
    """Add the option --workers, which defaults to the study's."""
    parser.add_argument("--workers", type=int, action=at_least(1), metavar="N", help=f"{what} (default: the study's)")


def add_changed_code(parser: argparse.ArgumentParser) -> None:
    """Add the option --allow-changed-code."""
    parser.add_argument("--allow-changed-code", action="store_true", help=CHANGED_CODE)

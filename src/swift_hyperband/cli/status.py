"""`swift-hyperband status`: how far a search has come, for people."""

from __future__ import annotations

import argparse
import json
import math

from swift_hyperband.cli.where import add_where, found
from swift_hyperband.results.progress import Reader


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `status` takes."""
    parser.description = (
        "Show how far a search has come: brackets, the best so far, epochs trained and saved, failures."
    )
    add_where(parser)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--watch",
        nargs="?",
        type=_seconds,
        const=2.0,
        metavar="SECONDS",
        help="show it again every 2 (or so many) seconds until the search ends; Ctrl-C leaves it",
    )
    kind.add_argument("--json", action="store_true", help="print numbers only, as JSON")
    parser.set_defaults(run=_status)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number of seconds, found {text!r}; give --watch last") from None
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"must be above 0 seconds, found {text}")
    return seconds


def _status(options: argparse.Namespace) -> int:
    reader = Reader(found(options.where))
    if options.json:
        progress = reader.read()
        print(json.dumps({"started": False} if progress is None else progress.to_json(), indent=1))
        return 0
    # rich, which numbers alone do without
    from swift_hyperband.cli import status_screen

    if options.watch is not None:
        status_screen.watch(reader, options.watch)
    else:
        status_screen.show(reader)
    return 0

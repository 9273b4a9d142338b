"""The one handler of the package's log: lines "swift-hyperband: ..." for the user on standard error.

The package logs to `swift_hyperband` and below it, and prints nothing. Command lines and the Snakefile call `set_up`;
whoever uses the package as a library sets up handlers of their own. No other logger is touched: Snakemake's lines and
those of D-Wave's client appear as they choose, once.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CLEAR = "\r\x1b[K"
"""Makes a terminal clear the line of the cursor."""
LOGGER = logging.getLogger(__package__.partition(".")[0])

_outside: int | None = None
"""The descriptor that the user reads, while standard error goes to a file."""


class Handler(logging.Handler):
    """Prints each record in one line, on a terminal in the place of the live line."""

    def emit(self, record: logging.LogRecord) -> None:
        terminal = os.isatty(2 if _outside is None else _outside)
        # in one write: threads and processes beside this one print, too
        line = f"{CLEAR if terminal else ''}swift-hyperband: {record.getMessage()}\n"
        # of a disk that is full; no line is worth the search
        with suppress(OSError):
            if _outside is None:
                sys.stderr.write(line)
                sys.stderr.flush()
            else:
                os.write(_outside, line.encode("utf-8", errors="backslashreplace"))


def set_up(verbose: bool = False, quiet: bool = False) -> None:
    """Print the package's log: everything if `verbose`, only warnings and errors if `quiet`."""
    LOGGER.setLevel(logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO)
    if not is_set_up():
        LOGGER.addHandler(Handler())
    # else handlers of the root logger, which is Snakemake's or the user's, would print each line again
    LOGGER.propagate = False


def is_set_up() -> bool:
    """Whether the package's log is printed."""
    return any(isinstance(handler, Handler) for handler in LOGGER.handlers)


@contextmanager
def user_at(descriptor: int) -> Iterator[None]:
    """Let lines reach the user by a descriptor of its own, while standard error goes to a file."""
    global _outside
    before, _outside = _outside, descriptor
    try:
        yield
    finally:
        _outside = before


@contextmanager
def diverted(log: Path) -> Iterator[None]:
    """Let what this process and its children print go to a file; lines of the log still reach the user.

    An interrupted process stays diverted: its threads print until it ends.
    """
    global _outside
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    _outside = kept[1]
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    interrupted = False
    try:
        yield
    except KeyboardInterrupt:
        interrupted = True
        raise
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                # of a disk that is full
                stream.flush()
        if not interrupted:
            _outside = None
            for number, descriptor in zip((1, 2), kept, strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)


def show_line(line: str) -> None:
    """Show a line on the terminal in the place of the one that was shown before."""
    # not by sys.stderr, whose lock a thread may hold when the process ends
    with suppress(OSError):
        os.write(2, f"{CLEAR}{line}".encode("ascii", "replace"))


def clear_line() -> None:
    """Clear the line that is shown, if standard error is a terminal."""
    with suppress(OSError):
        if os.isatty(2):
            os.write(2, CLEAR.encode())

"""Lines for the user on standard error, beside what Snakemake prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CLEAR = "\r\x1b[K"
"""What makes a terminal forget the line that it is in."""


_users: int | None = None
"""What the user reads, where standard error goes to a file instead."""


@contextmanager
def diverted(log: Path) -> Iterator[None]:
    """Let what this process and its children print go to a file; what is said here still reaches the user.

    Of a process that is interrupted it stays so: its threads print until the process has ended.
    """
    global _users
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    _users = kept[1]
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
            _users = None
            for number, descriptor in zip((1, 2), kept, strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)


def say(line: str) -> None:
    """Tell the user a line about the run, beside what Snakemake says."""
    # in one write, between two lines that a thread may show
    told = f"{CLEAR if os.isatty(2 if _users is None else _users) else ''}swift-hyperband: {line}\n"
    if _users is None:
        print(told, end="", file=sys.stderr, flush=True)
    else:
        os.write(_users, told.encode())


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

"""Exit codes with a meaning beyond 0 (done), 1 (failed) and 2 (a mistake of the user's)."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

TRY_AGAIN = 75
"""The job or program must be started again to go on, perhaps elsewhere: EX_TEMPFAIL of sysexits.h."""


def of_signal(number: int) -> int:
    """Return the exit code of a process that a signal ended, as shells have it."""
    return 128 + number


INTERRUPTED = of_signal(signal.SIGINT)
"""Ended by Ctrl-C."""


def leave(number: int, _: FrameType | None) -> NoReturn:
    """Handle a signal: end this process by an exception, with the exit code of the signal."""
    raise SystemExit(of_signal(number))

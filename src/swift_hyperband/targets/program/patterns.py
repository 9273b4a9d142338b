"""Expressions of `target.metrics.pattern`: a limit on their time, and a check that they match whole numbers."""

from __future__ import annotations

import re
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from swift_hyperband.base.errors import UserError

PATIENCE, PATIENCE_A_MB = 5.0, 2.0
"""Seconds of processor time that an expression may take, and more for each million letters."""

_BEFORE = re.compile(r"(?:\d*[1-9]\d*|\d+\.|\d[eE])$|(?:^|(?<=[\s:=(\[,|]))(?:-\.?|\.)$")
_AFTER = re.compile(r"\d+|\.\d+|[eE][-+]?\d+")
_REACH = 30
"""Letters before and after a number that are looked at."""


def longer_number(text: str, begin: int, end: int) -> str | None:
    """Return the number that a number in a text is a piece of, such as 1.5e-05 where it is 1.5.

    None where it is whole, or where the rest does not count: zeros, and dots without a digit (loss...0.5).
    """
    piece = text[begin:end]
    before = after = None
    if piece[0].isdigit():
        before = _BEFORE.search(text[max(0, begin - _REACH) : begin])
    if piece[-1].isdigit():
        after = _AFTER.match(text[end : end + _REACH])
    if before is None and after is None:
        return None
    longer = (before[0] if before else "") + piece + (after[0] if after else "")
    with suppress(ValueError):
        if float(longer) == float(piece):
            return None
    return longer


def compiled(pattern: str) -> re.Pattern[str]:
    """Return an expression that is looked for in lines."""
    with warnings.catch_warnings():
        # which Python gives for what may mean something else one day
        warnings.simplefilter("ignore")
        return re.compile(pattern, re.MULTILINE)


@contextmanager
def patience(path: Path, letters: int) -> Iterator[None]:
    """End an expression that takes too long on a file of so many letters: Python's own heeds signals while it matches.

    Raises
    ------
    UserError
        If it does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seconds = PATIENCE + PATIENCE_A_MB * letters / 1e6

    def end(number: int, _: FrameType | None) -> None:  # noqa: ARG001
        raise UserError(
            f"target.metrics.pattern: must find its place in {path} ({letters} letters) within {seconds:.0f} s, found "
            "that it takes longer; a repetition in a repetition, such as (\\S+)*, tries without end: write it plainer"
        )

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)

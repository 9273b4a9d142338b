"""The deadline of a training job: before its time limit, or at a signal."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from types import FrameType

RESERVE = 10.0
"""Seconds reserved for saving and for the end of the job."""

LONGER = 1.2
"""Factor by which an epoch may take longer than the one before."""


class OutOfTimeError(Exception):
    """The job must end before all its trials are done; what is trained is saved."""


@dataclass
class Clock:
    """Decides whether another epoch may start.

    Attributes
    ----------
    deadline : float or None
        By `time.monotonic`; None if the job has no time limit.
    hurry : bool
        Whether a signal asked to end after the current epoch.
    longest : float
        Seconds of the longest epoch so far, for trials that have none yet.
    """

    deadline: float | None = None
    hurry: bool = False
    longest: float = 0.0

    @classmethod
    def of(cls, time_limit: float | None) -> Clock:
        """Return the clock of a job that starts now and may run for `time_limit` seconds."""
        return cls(None if time_limit is None else time.monotonic() + time_limit)

    def listen(self) -> None:
        """Handle SIGUSR1: end after the current epoch."""

        def hurry(_: int, __: FrameType | None) -> None:
            self.hurry = True

        signal.signal(signal.SIGUSR1, hurry)

    def allows(self, seconds: float) -> bool:
        """Whether there is time for another epoch, if the last one took `seconds`."""
        if self.hurry:
            return False
        return self.deadline is None or time.monotonic() + LONGER * seconds + RESERVE < self.deadline

    def fits(self, seconds: float | None) -> int | None:
        """Return how many epochs of so many seconds fit before the deadline, 1 if their seconds are not known.

        None without a deadline. May be 0 or negative.
        """
        if self.deadline is None:
            return None
        return int((self.deadline - time.monotonic() - RESERVE) / (LONGER * seconds)) if seconds else 1

"""The head: the one process that builds a search's DAG and submits its jobs."""

from __future__ import annotations

import atexit
import time

from swift_hyperband import lease
from swift_hyperband.errors import UserError
from swift_hyperband.results import StudyFolder

watcher: int | None = None
"""The process that watches this one and is the one to end, where `swift-hyperband run` started it."""


def become_head(folder: StudyFolder) -> None:
    """Make this process the head of a search until it ends, however it ends.

    Raises
    ------
    UserError
        As `lead`.
    """
    atexit.register(lead(folder).release)


def lead(folder: StudyFolder) -> lease.Lease:
    """Make this process the head of a search until it gives the lease back.

    Raises
    ------
    UserError
        If another living process is the head. One on another machine counts as dead after a minute without a sign of
        life; so long this waits.
    """
    patience = 1.0 if lease.is_held_here(folder.path) else lease.STALE_AFTER + lease.INTERVAL
    end = time.monotonic() + patience
    folder.path.mkdir(parents=True, exist_ok=True)
    taken = lease.acquire(folder.path, unless=lambda: time.monotonic() > end, watcher=watcher)
    if taken is None:
        raise UserError(
            f"{folder.path}: one process at a time can run this search, and {lease.holder(folder.path)} does; "
            "follow it with 'swift-hyperband status --watch', or end it first"
        )
    return taken

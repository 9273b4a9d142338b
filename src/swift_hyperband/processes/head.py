"""The head: the one process that builds a search's DAG and submits its jobs."""

from __future__ import annotations

import atexit
import logging
import os
import time
from contextlib import suppress
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import disk_time
from swift_hyperband.base.shipped import page
from swift_hyperband.processes import lease
from swift_hyperband.processes.heartbeat import INTERVAL, SILENT_AFTER

logger = logging.getLogger(__name__)

TOLERANCE = 1.0
"""Seconds by which a file's time may be ahead: some file systems keep two clocks."""


_led: dict[Path, lease.Lease] = {}
"""The leases of the searches whose head this process is until it ends, by their folders."""


def become_head(folder: Path, watcher: int | None = None) -> None:
    """Make this process the head of a search until it ends, however it ends, or resigns. See `lead`."""
    _led[folder.resolve()] = lead(folder, watcher)
    atexit.register(resign, folder.resolve())


def is_led(folder: Path) -> bool:
    """Whether this process is the head of a search, and has not resigned."""
    return folder.resolve() in _led


def resign(folder: Path) -> None:
    """Let this process be the head of a search no more, as one that goes on to live after the search."""
    if (held := _led.pop(folder.resolve(), None)) is not None:
        held.release()


def lead(folder: Path, watcher: int | None = None) -> lease.Lease:
    """Make this process the head of a search until it gives the lease back.

    Parameters
    ----------
    folder : Path
        The study's folder.
    watcher : int, optional
        The process that watches this one, if `swift-hyperband run` started it: others are told to end that one.

    Raises
    ------
    UserError
        If another living process is the head. A head on another machine counts as dead after a minute without a sign
        of life; this waits for so long.
    """
    patience = 1.0 if lease.is_held_here(folder) else SILENT_AFTER + INTERVAL
    end = time.monotonic() + patience
    folder.mkdir(parents=True, exist_ok=True)
    taken = lease.acquire(folder, unless=lambda: time.monotonic() > end, watcher=watcher)
    if taken is None:
        raise UserError(
            f"{folder}: one process at a time can run this search, and {lease.holder(folder)} does; "
            "follow it with 'swift-hyperband status --watch', or end it first"
        )
    mend_times(folder)
    return taken


def mend_times(folder: Path) -> None:
    """Set files of a search that lie in the future, by the clock of the file system, to now.

    Snakemake takes what is older than its input for outdated, so all that is made from now on would be, until the
    clock has caught up. Trials' own files are none of Snakemake's.
    """
    now, found = disk_time(folder), []
    for place, folders, names in os.walk(folder):
        if Path(place) == folder and "trials" in folders:
            folders.remove("trials")
        for path in (Path(place, name) for name in names):
            # one that vanishes is a temporary one
            with suppress(OSError):
                if (ahead := path.stat().st_mtime - now) > TOLERANCE:
                    os.utime(path)
                    found.append(ahead)
    if found:
        logger.info(
            f"{len(found)} file{'s' if len(found) > 1 else ''} in {folder} had a time up to {max(found):.0f} s ahead "
            f"of the file system's clock: set to now ('Clocks' in {page('slurm.md')})"
        )

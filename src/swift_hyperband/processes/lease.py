"""A lease on a folder, of a trial or a search: one writer at a time, also across the hosts of a shared file system.

The lease is a file that says who holds it and whose modification time the holder keeps fresh. It is made whole and by
link, which fails if there is one already, also on NFS. A holder on this machine is dead when its process is gone. A
holder on another machine is dead when the file has not changed for a while by the waiter's own clock: clocks of two
hosts are never compared. If the holder was a SLURM job, SLURM is asked whether that has ended.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from swift_hyperband.base.files import read_again
from swift_hyperband.processes import holders
from swift_hyperband.processes.heartbeat import INTERVAL, SILENT_AFTER, Heartbeat

logger = logging.getLogger(__name__)

NAME = "lease"
LONGEST_PAUSE = 3.0


class LeaseLostError(Exception):
    """Another process has taken the lease over: this one was suspended for too long and must not write any more."""


class TakenError(Exception):
    """Another process holds the lease, and this one does not wait."""


class Lease:
    """A lease that this process holds; as a context manager it gives the lease back. Made by `acquire`."""

    def __init__(self, path: Path, content: str, descriptor: int, interval: float) -> None:
        self._path = path
        self._content = content
        self._descriptor = descriptor
        self._pid = os.getpid()
        # by descriptor: never keeps alive the lease of somebody else who has taken this one over
        self._heartbeat = Heartbeat(descriptor, interval)

    def check(self) -> None:
        """Raise `LeaseLostError` unless this process still holds the lease."""
        found = _look(self._path)
        if found is None or found[0] != self._content:
            raise LeaseLostError(str(self._path))

    def release(self) -> None:
        """Give the lease back, if it is still held; only the process that took it does, not one forked from it."""
        if os.getpid() != self._pid:
            return
        self._heartbeat.stop()
        os.close(self._descriptor)
        found = _look(self._path)
        if found is not None and found[0] == self._content:
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def acquire(
    folder: Path,
    unless: Callable[[], bool],
    *,
    interval: float = INTERVAL,
    stale_after: float = SILENT_AFTER,
    watcher: int | None = None,
) -> Lease | None:
    """Take the lease on a folder, waiting while somebody alive holds it.

    Parameters
    ----------
    folder : Path
        Of a trial or a search.
    unless : callable
        Called while waiting and once more when the lease is held: returns True if nothing is left to do, as the
        previous holder has done it.
    interval : float
        Seconds between two signs of life.
    stale_after : float
        Seconds without a sign of life after which a holder on another machine counts as dead.
    watcher : int, optional
        The process that watches this one, if any: others are told to end that one.

    Returns
    -------
    Lease or None
        None where `unless` became true.
    """
    path = folder / NAME
    judge = holders.Judge(interval, stale_after)
    pause = 0.02
    told = False
    while not unless():
        lease = _create(path, interval, watcher)
        if lease is not None:
            return _unless(lease, folder, unless)
        found = _look(path)
        if found is None:
            continue
        if judge.is_gone(found):
            _take_away(path, found[0])
            continue
        if not told:
            logger.info(f"{folder}: waits for {holders.named(found[0])}, which is at work on it")
            told = True
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    return None


def try_acquire(folder: Path, unless: Callable[[], bool]) -> Lease | None:
    """Take the lease on a folder without waiting; a holder on another machine counts as alive (see `Watch`).

    Returns
    -------
    Lease or None
        None where `unless` is true.

    Raises
    ------
    TakenError
        If another process holds the lease.
    """
    clear(folder)
    lease = _create(folder / NAME, INTERVAL, None)
    if lease is None:
        if unless():
            return None
        raise TakenError(str(folder))
    return _unless(lease, folder, unless)


def _unless(lease: Lease, folder: Path, unless: Callable[[], bool]) -> Lease | None:
    """Return a lease just taken; give it back if the previous holder has left nothing to do."""
    if unless():
        lease.release()
        return None
    logger.debug(f"{folder}: lease taken")
    return lease


class Watch:
    """Looks at the leases of many folders again and again, without waiting: which are held by a living process.

    A holder on another machine must have been looked at for a while before it counts as dead. SLURM is asked about
    silent holders only, as there may be many.
    """

    def __init__(self) -> None:
        self._judges: dict[Path, holders.Judge] = {}

    def is_held(self, folder: Path) -> bool:
        """Whether a process that is not known to be dead holds the lease on a folder."""
        return self._held(folder) is None

    def is_free(self, folder: Path) -> bool:
        """Whether the lease on a folder can be taken; that of a dead process is removed."""
        content = self._held(folder)
        if content:
            _take_away(folder / NAME, content)
        return content is not None

    def _held(self, folder: Path) -> str | None:
        """Return None if the lease is held, else its text; empty if there is none."""
        found = _look(folder / NAME)
        if found is None:
            self._judges.pop(folder, None)
            return ""
        judge = self._judges.setdefault(folder, holders.Judge())
        return found[0] if judge.is_gone(found, asks=judge.is_silent()) else None


def holder(folder: Path) -> str | None:
    """Return the holder of the lease on a folder, as "process 17 on host node3 (...)"; None if it is free."""
    found = _look(folder / NAME)
    return holders.named(found[0]) if found is not None else None


def is_held_here(folder: Path) -> bool:
    """Whether a living process of this machine holds the lease on a folder."""
    found = _look(folder / NAME)
    return (
        found is not None
        and holders.content_of(found[0]).get("machine") == holders.machine()
        and not holders.is_gone(found[0], False)
    )


def is_held_by(folder: Path, watcher: int) -> bool:
    """Whether the process that a process of this machine watches holds the lease on a folder."""
    found = _look(folder / NAME)
    if found is None:
        return False
    holder = holders.content_of(found[0])
    return holder.get("machine") == holders.machine() and holder.get("watcher") == watcher


def clear(folder: Path) -> None:
    """Remove the lease of a dead process of this machine, so that other machines need not wait for it."""
    found = _look(folder / NAME)
    if found is not None and holders.is_gone(found[0], unchanged=False):
        _take_away(folder / NAME, found[0])


def _create(path: Path, interval: float, watcher: int | None) -> Lease | None:
    """Return the lease if there was none, else None."""
    token = secrets.token_hex(8)
    pid = os.getpid()
    content = json.dumps(
        {
            "host": os.uname().nodename,
            "pid": pid,
            "watcher": watcher,
            "started": holders.process_start(pid),
            "machine": holders.machine(),
            "slurm_job": os.environ.get("SLURM_JOB_ID"),
            "since": time.strftime("%Y-%m-%d %H:%M:%S"),
            "token": token,
        }
    )
    temporary = path.with_name(f".{NAME}.{token}")
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    held = False
    try:
        os.write(descriptor, content.encode())
        try:
            os.link(temporary, path)
            held = True
        except FileExistsError:
            # NFS may make the link and lose the answer; the number of links shows it
            held = os.fstat(descriptor).st_nlink == 2
    finally:
        temporary.unlink(missing_ok=True)
        if not held:
            os.close(descriptor)
    return Lease(path, content, descriptor, interval) if held else None


def _look(path: Path) -> tuple[str, int] | None:
    """Return the lease's text and modification time (ns); None if there is no lease."""

    def look() -> tuple[str, int]:
        # open the file: NFS answers a stat alone from a cache that may be a minute old
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(), os.fstat(file.fileno()).st_mtime_ns

    try:
        # a lease that another host has just replaced is there
        return read_again(look)
    except FileNotFoundError:
        return None


def _take_away(path: Path, judged: str) -> None:
    """Remove the lease that was judged stale, but no other that has replaced it meanwhile."""
    # to judge it may have taken seconds, in which another process may have replaced it
    found = _look(path)
    if found is None or found[0] != judged:
        return
    aside = path.with_name(f".{NAME}.stale.{secrets.token_hex(8)}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return
    found = _look(aside)
    if found is not None and found[0] != judged:
        # if a third process was faster, the holder of this lease notices before its next write
        with suppress(FileExistsError):
            os.link(aside, path)
    aside.unlink(missing_ok=True)

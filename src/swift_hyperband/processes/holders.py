"""Who holds a lease, as its text says, and whether that process is dead."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from swift_hyperband.processes.heartbeat import INTERVAL, SILENT_AFTER
from swift_hyperband.slurm import queue

ASK_AFTER = 3.0
"""Seconds of waiting after which SLURM is asked whether the holder's job has ended."""
ASK_EVERY = 15.0


class Judge:
    """Judges, look by look, whether the holder of one lease is dead, by this process's own clock."""

    def __init__(self, interval: float = INTERVAL, stale_after: float = SILENT_AFTER) -> None:
        self._interval, self._stale_after = interval, stale_after
        self._watched: tuple[str, int] | None = None
        self._since = time.monotonic()
        self._ask_at = self._since + ASK_AFTER

    def is_gone(self, found: tuple[str, int], asks: bool = True) -> bool:
        """Whether the holder is dead, given the lease's text and modification time; `asks` SLURM if need be."""
        now = time.monotonic()
        if found != self._watched:
            self._watched, self._since = found, now
        silent = now - self._since
        gone = is_gone(found[0], unchanged=silent > self._stale_after)
        if not gone and asks and now > self._ask_at:
            gone, self._ask_at = job_is_over(found[0], silent=silent > 2 * self._interval), now + ASK_EVERY
        return gone

    def is_silent(self) -> bool:
        """Whether the holder has given no sign of life for longer than it should."""
        return time.monotonic() - self._since > 2 * self._interval


def content_of(content: str) -> dict[str, Any]:
    """Return the content of a lease; empty if it is damaged, which then counts as one of another machine."""
    try:
        return dict(json.loads(content))
    except (TypeError, ValueError, RecursionError):
        return {}


def named(content: str) -> str:
    """Return the holder of a lease as text; the time is of the holder's own clock."""
    holder = content_of(content)
    name = f"process {holder.get('watcher') or holder.get('pid')} on host {holder.get('host')}"
    more = [f"SLURM job {holder['slurm_job']}"] if holder.get("slurm_job") else []
    more += [f"since {holder['since']}"] if holder.get("since") else []
    return f"{name} ({', '.join(more)})" if more else name


def is_gone(content: str, unchanged: bool) -> bool:
    """Whether a lease's holder is dead: by its process on this machine, by a lack of signs of life on another."""
    holder = content_of(content)
    here = machine()
    if here is None or holder.get("machine") != here or not isinstance(holder.get("pid"), int):
        return unchanged
    return bool(holder.get("started") != process_start(holder["pid"]))


def job_is_over(content: str, silent: bool) -> bool:
    """Whether the holder on another machine was a SLURM job that has ended, or was requeued and is this one.

    In a job of several nodes the holder may be another process of the same job, which gives signs of life.
    """
    holder = content_of(content)
    job = holder.get("slurm_job")
    if not job or holder.get("machine") == machine():
        return False
    return silent if job == os.environ.get("SLURM_JOB_ID") else queue.is_over(str(job))


def machine() -> str | None:
    """Return an id of this machine's set of processes; containers and cloned machines may share a host name."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def process_start(pid: int) -> int | None:
    """Return the start of a process of this machine (clock ticks since boot); None if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    # field 3 is the state: Z and X are dead processes that nobody has waited for yet. Field 22 is the start
    return None if fields[0] in "ZX" else int(fields[19])

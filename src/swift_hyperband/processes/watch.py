"""Work in a child process that can always be ended, together with all that it started.

Snakemake may fail to end itself: its SIGTERM handler waits for a lock that the main thread may hold, and a Ctrl-C
during the evaluation of a checkpoint may get lost. So another process watches it: it receives the signals, passes them
on, and sends stronger ones as time goes by. The child cannot prevent that, even if it ignores signals, hangs or is
stopped. Threads and signal handlers in Snakemake's process would not do: Python runs handlers in the main thread only,
which is the one that hangs.

The child is forked, so imports are paid once, and its errors become the same one line. It leads a process group of its
own, which contains all local jobs, so that they can be ended as a terminal would end them. The signals of a terminal
to its foreground group (Ctrl-C, Ctrl-Z, hanging up) reach the watcher, which passes them on.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from swift_hyperband.processes.children import end_with
from swift_hyperband.processes.exit_codes import of_signal

logger = logging.getLogger(__name__)


STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN = 5.0
"""Seconds that the child gets after each further signal."""
DEBOUNCE = 1.0
"""Signals that follow one another faster count as one: a terminal, a shell and SLURM may each send their own."""


_watcher: int | None = None
"""In a watched process: the process that watches it."""


def watcher() -> int | None:
    """Return the process that watches this one; None if none does. That is the one to end."""
    return _watcher


@dataclass(frozen=True)
class Ended:
    """How the child ended.

    Parameters
    ----------
    code : int
        Its exit code; 128 plus the signal's number if a signal ended it.
    signal : int or None
        The signal that ended it.
    stopped_by : int or None
        The first signal that asked to stop it, if any did.
    """

    code: int
    signal: int | None
    stopped_by: int | None


def watched(
    work: Callable[[], int],
    grace: float,
    on_stop: Callable[[], None],
    meanwhile: Callable[[threading.Event], None] | None = None,
) -> Ended:
    """Do work in a child process; return in this process, when the child and all that it started have ended.

    No other thread may run: the child would inherit its locks, which nobody opens.

    Parameters
    ----------
    work : callable
        Done in the child, whose exit code it returns.
    grace : float
        Seconds that the child has after the first signal to end.
    on_stop : callable
        Called in this process when it is asked to stop, before the child gets a signal.
    meanwhile : callable, optional
        Called in a thread of this process while the child works, with an event that is set when the child has ended.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    heard, hears = os.pipe()
    lives, alive = os.pipe()
    os.set_blocking(hears, False)
    os.set_blocking(heard, False)
    # an ignored signal (nohup, a job of a shell script) stays ignored
    numbers = [n for n in (*STOPS, signal.SIGTSTP) if signal.getsignal(n) is not signal.SIG_IGN] + [signal.SIGCHLD]
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    global _watcher
    pid = os.getpid()
    child = os.fork()
    if child == 0:
        _watcher = pid
        os.close(alive)
        _be_the_child(lives)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
        code = work()
        sys.stdout.flush()
        # no traceback if Ctrl-C comes while Python shuts down
        signal.signal(signal.SIGINT, lambda *_: os._exit(code))
        raise SystemExit(code)
    os.close(lives)
    with suppress(OSError):
        os.setpgid(child, child)
    signal.set_wakeup_fd(hears, warn_on_full_buffer=False)
    for number in numbers:
        signal.signal(number, _heard)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
    over = threading.Event()
    # a daemon: a disk that does not answer must not keep this process alive
    beside = threading.Thread(target=meanwhile, args=(over,), daemon=True) if meanwhile is not None else None
    if beside is not None:
        beside.start()
    ended = _Watch(child, heard, grace, on_stop).until_it_ends()
    over.set()
    if beside is not None:
        beside.join(AGAIN)
    # from now on signals are this process's own again
    signal.set_wakeup_fd(-1)
    for number in numbers:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    for descriptor in (heard, hears, alive):
        os.close(descriptor)
    return ended


def _heard(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: Python has already written the number into the pipe."""


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _be_the_child(lives: int) -> None:
    os.setpgid(0, 0)
    # not Python's own handler: asyncio replaces that one by a handler that loses a Ctrl-C while a coroutine is about to
    # end. Nor ignored, as in processes that a shell script starts in the background
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # the terminal belongs to the watcher's group: writing to it must not stop this process, and reading gives nothing
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    if os.isatty(0):
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # jobs do not inherit the pipe: they are started with it closed
    end_with(lives)


class _Watch:
    """The state of the watcher: the child, the signals received, and the next step to end it."""

    def __init__(self, child: int, heard: int, grace: float, on_stop: Callable[[], None]) -> None:
        self._child = child
        self._heard = heard
        self._steps = iter(
            (
                (signal.SIGINT, grace),
                (signal.SIGINT, AGAIN),
                (signal.SIGTERM, AGAIN),
                (signal.SIGKILL, AGAIN),
            )
        )
        self._on_stop = on_stop
        self._stopped_by: int | None = None
        self._due = float("inf")
        """When the next step is to be taken."""
        self._last = float("-inf")
        """When the last step was taken."""

    def until_it_ends(self) -> Ended:
        while True:
            for number in self._hear():
                if number == signal.SIGTSTP:
                    self._pause()
                elif number in STOPS and time.monotonic() - self._last > DEBOUNCE:
                    # a second request ends the grace time
                    self._due = time.monotonic()
                    if self._stopped_by is None:
                        self._stopped_by = number
                        self._on_stop()
            found, status = os.waitpid(self._child, os.WNOHANG)
            if found:
                break
            if time.monotonic() >= self._due and not self._step():
                # it waits for a disk that does not answer; there is nothing that would end it
                logger.warning(f"process {self._child} does not even end by SIGKILL; look at its disks")
                return Ended(of_signal(signal.SIGKILL), signal.SIGKILL, self._stopped_by)
        code = os.waitstatus_to_exitcode(status)
        ended = Ended(code, None, self._stopped_by) if code >= 0 else Ended(of_signal(-code), -code, self._stopped_by)
        if code != 0:
            self._end_group()
        return ended

    def _hear(self) -> bytes:
        """Return the signals received; wait for one, but not beyond the next step."""
        timeout = None if self._due == float("inf") else max(0.0, self._due - time.monotonic())
        if not select.select([self._heard], [], [], timeout)[0]:
            return b""
        with suppress(BlockingIOError):
            return os.read(self._heard, 1000)
        return b""

    def _step(self) -> bool:
        """Send the next signal; return False if none is left."""
        step = next(self._steps, None)
        if step is None:
            return False
        number, seconds = step
        if self._last != float("-inf"):
            logger.warning(f"it still runs and is sent {number.name}")
        self._send(number)
        self._last = time.monotonic()
        self._due = self._last + seconds
        return True

    def _send(self, number: int) -> bool:
        """Send a signal to the child's process group; return False if the group is gone."""
        try:
            os.killpg(self._child, number)
        except ProcessLookupError:
            return False
        except PermissionError:
            # some systems report this for a group of dead processes
            return False
        return True

    def _pause(self) -> None:
        """Stop together with the child on Ctrl-Z, and continue together."""
        self._send(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        self._send(signal.SIGCONT)

    def _end_group(self) -> None:
        """End the processes that a dead child left behind: wait, then SIGTERM, then SIGKILL."""
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                self._send(number)
            end = time.monotonic() + AGAIN
            while time.monotonic() < end:
                if not self._send(0):
                    return
                time.sleep(0.05)

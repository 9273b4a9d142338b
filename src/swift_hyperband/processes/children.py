"""Child processes that end when their parent ends, however that is.

There are two ways. A process of ours waits for the end of a pipe that its parent holds, on every system. Another
program knows nothing of such a pipe; only the kernel can end it, and only Linux does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading


def end_with(sentinel: int) -> None:
    """Kill this process when the other end of a pipe closes, as it does when the process that holds it ends.

    Parameters
    ----------
    sentinel : int
        The end of the pipe for reading. Nothing is ever written to the other end.
    """

    def wait() -> None:
        os.read(sentinel, 1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def end_program_with_parent() -> None:
    """Let a program that is about to start get SIGTERM when its parent ends; for `preexec_fn`, on Linux."""
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)

"""Signs of life: a thread keeps a file's modification time fresh for as long as its process lives."""

from __future__ import annotations

import os
import threading
from pathlib import Path

INTERVAL = 10.0
"""Seconds between two signs of life."""
SILENT_AFTER = 60.0
"""Seconds without a sign of life after which a process on another machine counts as dead."""


class Heartbeat:
    """Keeps a file's modification time fresh from now on, until `stop`.

    Parameters
    ----------
    file : Path or int
        By path whatever file has that name, by descriptor this very file, even if another one takes its place.
    interval : float
        Seconds between two signs of life.
    """

    def __init__(self, file: Path | int, interval: float = INTERVAL) -> None:
        self._file = file
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, args=(interval,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop; the file is not touched any more when this returns."""
        self._over.set()
        self._thread.join()

    def _beat(self, interval: float) -> None:
        while not self._over.wait(interval):
            try:
                # without a time: a file server then takes its own clock
                os.utime(self._file)
            except OSError:
                # a shared disk may be away for a moment
                continue

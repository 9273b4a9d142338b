"""Targets that print, as users' targets do. Standard library only."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from sample_targets import Counter


class Printing(Counter):
    """Prints in every way there is."""

    def train_epoch(self, epoch: int) -> dict[str, Any] | None:
        print(f"epoch {epoch} by print")
        print("by stderr", file=sys.stderr)
        warnings.warn("by a warning", stacklevel=1)
        os.write(1, b"by a descriptor\n")
        subprocess.run(["sh", "-c", "echo by a program"], check=True)
        library = ctypes.CDLL(None)
        library.puts(b"by a library in C")
        library.fflush(None)
        return super().train_epoch(epoch)


class Flooding(Counter):
    def train_epoch(self, epoch: int) -> dict[str, Any] | None:
        print("the first line")
        for number in range(200_000):
            print(f"line {number} of two hundred thousand that nobody wants to read")
        print("the last line")
        return super().train_epoch(epoch)


class Barred(Counter):
    """Shows a progress bar as tqdm does."""

    def train_epoch(self, epoch: int) -> dict[str, Any] | None:
        for percent in range(101):
            sys.stderr.write(f"\r{percent:3}%|" + "#" * percent)
            sys.stderr.flush()
            time.sleep(0.001)
        sys.stderr.write("\n")
        print("and a line that ends as on Windows\r\nafter it")
        return super().train_epoch(epoch)


class Waiting(Counter):
    """Waits within its first epoch for the file `go`, after it has printed."""

    def train_epoch(self, epoch: int) -> dict[str, Any] | None:
        print("waits")
        while not Path("go").exists():
            time.sleep(0.01)
        return super().train_epoch(epoch)


class LeavingBehind(Counter):
    """Leaves a process running that holds its standard output."""

    def train_epoch(self, epoch: int) -> dict[str, Any] | None:
        child = subprocess.Popen(["sleep", "60"], start_new_session=True)
        (self.folder / "left").write_text(str(child.pid))
        return super().train_epoch(epoch)


def helper(configuration: dict[str, Any]) -> None:
    """Fail in a library, called from here."""
    import json

    json.loads(configuration.get("text", "{"))


class FailingInLibrary(Counter):
    def train_epoch(self, epoch: int) -> dict[str, Any] | None:
        helper(self.configuration)
        return super().train_epoch(epoch)


class Closing(Counter):
    def train_epoch(self, epoch: int) -> None:
        sys.stdout.close()
        sys.stderr.close()
        raise ValueError("after closing")

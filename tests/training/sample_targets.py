"""Targets that do what users' targets do, well and badly. Standard library only."""

from __future__ import annotations

import ctypes
import errno
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from swift_hyperband.targets import Context


class Counter:
    """Adds random draws; `seconds` in the configuration is how long an epoch takes."""

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        self.configuration = configuration
        self.folder = context.folder
        self.total = random.random()

    def train_epoch(self, epoch: int) -> dict[str, Any] | None:
        time.sleep(self.configuration.get("seconds", 0))
        self.total += random.random()
        return {"drawn": self.total}

    def validate(self) -> dict[str, Any]:
        return {"accuracy": self.total}

    def state_dict(self) -> dict[str, Any]:
        return {"total": self.total}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.total = state["total"]


class Misbehaving(Counter):
    """Does at epoch `at` what `how` says, the first `times` times it comes there."""

    def train_epoch(self, epoch: int) -> dict[str, Any] | None:
        if epoch == self.configuration.get("at") and self._again():
            self._misbehave(self.configuration["how"])
        return super().train_epoch(epoch)

    def _again(self) -> bool:
        path = self.folder / "misbehaved"
        count = int(path.read_text()) if path.exists() else 0
        path.write_text(str(count + 1))
        return count < self.configuration.get("times", 1000)

    def _misbehave(self, how: str) -> None:
        if how == "raise":
            raise ValueError("no luck")
        if how == "segfault":
            ctypes.string_at(0)
        if how == "abort":
            os.abort()
        if how == "exit":
            sys.exit(0)
        if how == "_exit":
            os._exit(0)
        if how == "full disk":
            raise OSError(errno.ENOSPC, "No space left on device", "/scratch/cache.bin")
        if how == "hidden full disk":
            try:
                raise OSError(errno.EDQUOT, "Disk quota exceeded")
            except OSError:
                raise RuntimeError("could not write the cache") from None
        if how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)


class Diverging(Counter):
    def validate(self) -> dict[str, Any]:
        return {"accuracy": self.total, "loss": float("inf")} if self.total < 2 else {"accuracy": float("nan")}


class Misnamed(Counter):
    def validate(self) -> dict[str, Any]:
        return {"acc": 0.5, "loss": 1.0}


class Wordy(Counter):
    def validate(self) -> dict[str, Any]:
        return {"accuracy": "0.5"}


class Forgetful:
    """Has a state that nobody can find."""

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        self.weights = [0.0]

    def train_epoch(self, epoch: int) -> None:
        self.weights[0] += 1

    def validate(self) -> dict[str, Any]:
        return {"accuracy": self.weights[0]}


class Hoarding(Forgetful):
    """Hides its state in a list."""

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        self.weights = [0.0]
        self.models = [Counter()]


class Scheduled(Counter):
    """Reports what a schedule would be spread over."""

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        super().setup(configuration, context)
        self.context = context

    def validate(self) -> dict[str, Any]:
        return {"accuracy": self.total, "until": self.context.until, "max_epochs": self.context.max_epochs}


class Unwritable(Counter):
    def state_dict(self) -> dict[str, Any]:
        return {"total": Path()}


class Broken(Counter):
    """Fails in the first epoch of every trial whose configuration does not say that it is sound."""

    def train_epoch(self, epoch: int) -> dict[str, Any] | None:
        if not self.configuration.get("sound"):
            raise RuntimeError(f"cannot train with {self.configuration}")
        return super().train_epoch(epoch)


class Overfitting(Counter):
    """Reports the losses of its configuration one by one, nan for null. Its state differs from epoch to epoch."""

    epoch = 0

    def train_epoch(self, epoch: int) -> dict[str, Any] | None:
        self.epoch = epoch
        return super().train_epoch(epoch)

    def validate(self) -> dict[str, Any]:
        loss = self.configuration["losses"][self.epoch - 1]
        return {"loss": float("nan") if loss is None else loss}


class Renamed(Counter):
    """Has other code than the one that saved the state."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        raise ValueError("other code")

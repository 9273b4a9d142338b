"""Telling other tools of each epoch while a trial trains (the key `live`). Whatever goes wrong, the training goes on.

Event files of TensorBoard lie in results/<study>/tensorboard/<trial>. A trial that goes on in another process begins a
new file there, with the epochs that the files before lack: an epoch is in them once, whatever was killed.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swift_hyperband.base.metric import RESERVED
from swift_hyperband.training.trial import Row

if TYPE_CHECKING:
    from swift_hyperband.training.event_files import EventFile

logger = logging.getLogger(__name__)

FOLDER = "tensorboard"
"""Below the study's folder."""


class Live:
    """Writes the epochs of a trial as they are trained.

    Parameters
    ----------
    folder : Path
        The trial's folder, of which this process holds the lease.
    tools : sequence of str
        Who is told: "tensorboard", or nobody.
    configuration : mapping
    """

    def __init__(self, folder: Path, tools: Sequence[str], configuration: Mapping[str, Any]) -> None:
        self._trial, self._configuration = folder.name, configuration
        self._place = folder.parents[1] / FOLDER / folder.name
        self._is_on = "tensorboard" in tools and prepare(tools)
        self._file: EventFile | None = None
        self._written = 0

    def tell(self, curve: Sequence[Row]) -> None:
        """Write the epochs of a published curve that are not written yet."""
        self._try(lambda: self._tell(curve))

    def close(self) -> None:
        """Close what is open."""
        if self._file is not None:
            self._try(self._file.close)

    def _try(self, act: Callable[[], None]) -> None:
        if not self._is_on:
            return
        try:
            act()
        except Exception as error:
            self._is_on = False
            found = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            logger.warning(f"trial {self._trial}: TensorBoard is told no more, found {found}; the training goes on")

    def _tell(self, curve: Sequence[Row]) -> None:
        if self._file is None:
            self._file = self._opened(curve)
        for row in curve[self._written :]:
            values = {name: math.nan if value is None else value for name, value in row.items() if name not in RESERVED}
            self._file.epoch(int(row["epoch"] or 0), values, time.time())
            self._written += 1

    def _opened(self, curve: Sequence[Row]) -> EventFile:
        # TensorBoard's classes, which only studies with this key need
        from swift_hyperband.training import event_files

        if not curve:
            # of a trial that begins anew
            for earlier in event_files.ours(self._place):
                earlier.unlink()
        self._written = min(event_files.last_epoch(self._place), len(curve))
        file = event_files.EventFile(self._place)
        if not self._written:
            file.configuration(self._trial, self._configuration, time.time())
        return file


def prepare(tools: Sequence[str]) -> bool:
    """Import what the tools need, before processes are forked; return whether that is there.

    Where it is not, the first call says so.
    """
    if "tensorboard" not in tools or _missing:
        return not _missing
    try:
        import_module("swift_hyperband.training.event_files")
    except ImportError as error:
        _missing.append(str(error))
        logger.warning(f"live: TensorBoard is not told of epochs, found {error}; the training goes on")
        return False
    return True


_missing: list[str] = []
"""What could not be imported."""

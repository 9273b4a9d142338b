"""A search as event files of TensorBoard: a folder for each trial, with its metrics by epoch and its configuration."""

from __future__ import annotations

import math
import shlex
import time
from pathlib import Path

from swift_hyperband.export.trials import GOES_ON, LOST, Search, Trial, Written, counted
from swift_hyperband.training.event_files import EventFile, ours


def write(search: Search, out: str | None) -> Written:
    """Write event files into a folder for each trial; those of an earlier export are replaced.

    Parameters
    ----------
    search : Search
    out : str, optional
        The folder of these.
    """
    place = search.place / "tensorboard" if out is None else Path(out)
    for name in search.every:
        _clear(place / name)
    for trial in search.begun:
        _write(place / trial.trial, trial)
    return Written(counted(len(search.begun), "trial"), str(place), f"tensorboard --logdir {shlex.quote(str(place))}")


def _clear(folder: Path) -> None:
    """Delete what an earlier export wrote of a trial, which this one may leave out."""
    for earlier in ours(folder):
        earlier.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _write(folder: Path, trial: Trial) -> None:
    now = time.time()
    with EventFile(folder) as file:
        began = now if math.isnan(trial.began) else trial.began
        file.configuration(trial.trial, trial.configuration, began)
        for epoch, (row, ended) in enumerate(zip(trial.rows, trial.ends, strict=True), 1):
            file.epoch(epoch, row, now if math.isnan(ended) else ended)
        if trial.fate not in GOES_ON:
            file.end(well=trial.fate not in LOST, when=now if math.isnan(trial.ended) else trial.ended)

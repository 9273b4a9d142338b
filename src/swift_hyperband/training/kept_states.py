"""The states that a trial keeps: that of its last epoch and, where the best epoch counts, that of its best one.

The state of the best epoch is the file that was saved after that epoch, under a second name. The order of writes is
state, second name, curve. The next save replaces what lies under the first name only. So whenever a process is killed,
the state of the best epoch is there: under the second name, or as the last state, which gets it when the trial resumes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from swift_hyperband.base.files import whole
from swift_hyperband.base.metric import Metric
from swift_hyperband.targets.program.state_folder import NO_STATE
from swift_hyperband.training import state
from swift_hyperband.training.trial import Row, read_rows

BEST = {state.TORCH_STATE: "state.best.pt", state.JSON_STATE: "state.best.json"}
"""Names of the state of the best epoch, by that of the last one; a trial has one of them."""


def is_best(metric: Metric, curve: Sequence[Row]) -> bool:
    """Whether the best epoch counts, and is the last one of a curve."""
    return metric.at == "best" and len(curve) == _epoch(metric, curve)


def keep_best(folder: Path) -> None:
    """Keep the saved state of a trial as that of its best epoch."""
    saved = state.place(folder)
    assert saved is not None
    kept = folder / BEST[saved.name]
    if not (kept.exists() and kept.samefile(saved)):
        with whole(kept) as temporary:
            try:
                os.link(saved, temporary)
            except FileExistsError:
                # NFS may make the link and lose the answer
                if not temporary.samefile(saved):
                    raise
    for name in BEST.values():
        if name != kept.name:
            (folder / name).unlink(missing_ok=True)


def settle(folder: Path, metric: Metric, curve: Sequence[Row]) -> tuple[Path, str] | None:
    """Look at the state of the best epoch before a trial resumes from a saved state, given the curve up to that.

    Returns
    -------
    tuple of Path and str, or None
        The file, and what is wrong with it, so that the trial must start anew; None if it is sound or not needed.
    """
    if metric.at == "last" or not (epoch := _epoch(metric, curve)):
        return None
    if epoch == len(curve):
        # the process may have been killed after it saved the state and before it kept it
        keep_best(folder)
        return None
    return _unsound_best(folder, epoch)


def unsound(folder: Path, metric: Metric) -> tuple[Path, str] | None:
    """Return the file of a state that a trial must keep, and what is wrong with it; None if all are sound.

    Needs no torch.
    """
    found = state.unsound(folder)
    if found is not None or metric.at == "last":
        return found
    return _unsound_best(folder, _epoch(metric, read_rows(folder)))


def resumes(folder: Path, metric: Metric) -> int | None:
    """Return the epoch from which a trial's training would go on, that of its sound state; None if it would start anew.

    That may be an earlier epoch than the last one of its curve. Needs no torch.
    """
    rows, path = read_rows(folder), state.place(folder)
    if path is None:
        return None
    found, epochs = state.look_at(path, rows)
    epochs = len(rows) if epochs is None else epochs
    if found is not None or not epochs:
        return None
    if metric.at == "best" and _unsound_best(folder, _epoch(metric, rows[:epochs])) is not None:
        return None
    return epochs


def of_programs(folder: Path) -> list[str]:
    """Return the names of the folders of a program's state that the state of the best epoch needs."""
    kept = best(folder)
    own = None if kept is None else state.of_program(kept)
    return [] if own is None or own["state"] == NO_STATE else [str(own["state"])]


def model(folder: Path, metric: Metric) -> Path | None:
    """Return where the model of the epoch that counts lies: a file, or the folder of a program's state."""
    if metric.at == "last":
        return min(folder.glob("state.*"), default=None)
    return next((folder / name for name in of_programs(folder)), best(folder))


def _epoch(metric: Metric, curve: Sequence[Row]) -> int:
    return metric.epoch([row.get(metric.name) for row in curve])


def best(folder: Path) -> Path | None:
    """Return the file of the state of the best epoch; None if there is none."""
    return next((path for name in BEST.values() if (path := folder / name).exists()), None)


def _unsound_best(folder: Path, epoch: int) -> tuple[Path, str] | None:
    path = best(folder)
    if path is None:
        return folder / "state.best.*", "the state of the best epoch is gone"
    found, of = state.look_at(path, read_rows(folder))
    if found is None and of not in (None, epoch):
        found = f"it is of epoch {of}, and epoch {epoch} is the best"
    return None if found is None else (path, found)

"""Trials of a study: their configurations, curves and states."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from swift_hyperband.base.metric import from_json
from swift_hyperband.processes import lease
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.targets.program.state_folder import HALF_WRITTEN
from swift_hyperband.training.trial import CURVE, FAILURES, last_error, metric_values, read_rows, state_of


def nothing_left(folder: StudyFolder, metric: str) -> str:
    """Say why no trial reached the last epoch, with the first error that one left behind, if one did."""
    trained = {path.name: state_of(path, metric) for path in folder.trials()}
    begun = {name: found for name, found in trained.items() if found.values or found.status != "ok"}
    failed = [name for name, found in begun.items() if found.status == "failed"]
    diverged = [name for name, found in begun.items() if found.status == "diverged"]
    out = len(begun) - len(failed) - len(diverged)
    counts = ((len(failed), "failed"), (len(diverged), "diverged"), (out, "was out before"))
    what = " or ".join(end for count, end in counts if count) or "is gone"
    told = ", ".join(f"{count} {end.removeprefix('was ')}" for count, end in counts if count)
    left = f"{folder.path}: every trial {what}" + (f" ({told})" if " or " in what else "")
    if not failed:
        return f"{left}; narrow the search space (a smaller learning rate?)"
    first = folder.trial(failed[0])
    cure = f"mend it, delete {folder.path}/trials/*/{FAILURES}, and start again, which tries them again"
    return f"{left}; {cure}; the first error, from {first / FAILURES}: {last_error(first)}"


def delete_states(folder: StudyFolder, trials: Iterable[str]) -> None:
    """Delete the states of trials that are out of the search; their curves stay.

    That of a trial that is being trained, ahead of the search, stays until the search is over.
    """
    for trial in trials:
        place = folder.trial(trial)
        if not _states(place):
            continue
        with suppress(lease.TakenError):
            held = lease.try_acquire(place, unless=lambda: False)
            assert held is not None
            with held:
                for state in _states(place):
                    # a program's state is a folder
                    shutil.rmtree(state, ignore_errors=True) if state.is_dir() else state.unlink(missing_ok=True)


def _states(place: Path) -> list[Path]:
    return [*place.glob("state.*"), *place.glob(HALF_WRITTEN)]


def read_curve(folder: StudyFolder, trial: str, metric: str | None = None) -> list[dict[str, float]]:
    """Return a trial's learning curve so far: one row of epoch, metrics and seconds an epoch; nan where not finite.

    Raises
    ------
    UserError
        If the file is damaged, or does not hold the `metric`.
    """
    rows = read_rows(folder.trial(trial))
    if metric is not None:
        metric_values(folder.trial(trial), rows, metric)
    return [{key: from_json(value) for key, value in row.items()} for row in rows]


def measured_seconds(folder: StudyFolder) -> float | None:
    """Return the median time of an epoch, in seconds, over all curves of a study; None where there are none yet."""
    curves = (read_curve(folder, path.parent.name) for path in folder.path.glob(f"trials/*/{CURVE}"))
    seconds = [row["seconds"] for curve in curves for row in curve if math.isfinite(row.get("seconds", math.nan))]
    ordered, middle = sorted(seconds), len(seconds) // 2
    return (ordered[middle] + ordered[~middle]) / 2 if ordered else None

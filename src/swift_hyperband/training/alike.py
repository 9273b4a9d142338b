"""Detects that all trials of a study crash alike before their first epoch, so their configurations are not the cause.

Nothing is trained in such a study, so nothing is lost when its search stops, nor when it begins anew. What is decided
follows from the trials' folders alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.processes import lease
from swift_hyperband.training import trial


def stop_if_hopeless(study_folder: Path, trials: int) -> None:
    """Stop a search of which no trial comes through its first epoch.

    Parameters
    ----------
    study_folder : Path
    trials : int
        How many must have crashed alike, and no other be at work; 0 for never.

    Raises
    ------
    UserError
        With the one error, and its log.
    """
    if (line := hopeless(study_folder, trials)) is not None:
        raise UserError(line)


def hopeless(study_folder: Path, trials: int) -> str | None:
    """Return what to say where so many trials have crashed alike, and none has done anything else; None elsewhere."""
    crashed, others = _crashed_alike(study_folder, trials)
    if not crashed or others:
        return None
    return (
        f"{study_folder}: each of the {len(crashed)} trials that were started crashes in its first epoch, and all of "
        f"them alike; mend it and run again, which counts nothing against them (give_up_after: 0 lets a search go on): "
        f"{trial.last_error(crashed[0])}"
    )


def doubtful(study_folder: Path, trials: int) -> bool:
    """Whether so many trials have crashed alike, and others are still in their first epoch: these are to be awaited."""
    return bool(_crashed_alike(study_folder, trials)[0])


def _crashed_alike(study_folder: Path, trials: int) -> tuple[list[Path], int]:
    """Return the trials that crashed, and how many others are at work; none where something else was seen."""
    crashes: dict[Path, Any] = {}
    others = 0
    for folder in sorted(study_folder.glob("trials/*")) if trials else ():
        if (folder / trial.CURVE).exists():
            return [], 0
        if (failures := trial.failures(folder)) is not None:
            crashes[folder] = failures["alike"]
        elif (folder / lease.NAME).exists():
            others += 1
    kinds = set(crashes.values())
    if len(crashes) < max(trials, 1) or len(kinds) > 1 or None in kinds:
        return [], 0
    return list(crashes), others


def forget(study_folder: Path) -> bool:
    """Forget all crashes of a study in which nothing was trained yet, and what was decided on them; say if there were.

    To be called by the head alone, as it starts: the code may have been mended.
    """
    if trial.something_is_trained(study_folder):
        return False
    crashed = list(study_folder.glob(f"trials/*/{trial.FAILURES}"))
    if not crashed:
        return False
    # decisions first: where this is interrupted, the crashes tell the next start to go on with it
    for path in study_folder.glob("bracket=*/round=*/**/*.json"):
        if path.parent.name != "jobs" and not (path.name == "entry.json" and path.parent.name == "round=0"):
            path.unlink(missing_ok=True)
    for path in crashed:
        path.unlink(missing_ok=True)
    return True

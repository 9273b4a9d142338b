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
    """Stop a search if all its trials crash in their first epoch.

    Parameters
    ----------
    study_folder : Path
    trials : int
        How many trials must have crashed alike, with no other one training; 0: never stop.

    Raises
    ------
    UserError
        With the common error, and the log of one trial.
    """
    if (line := hopeless(study_folder, trials)) is not None:
        raise UserError(line)


def hopeless(study_folder: Path, trials: int) -> str | None:
    """Return a line on the common error if so many trials have crashed alike and no other is training; else None."""
    crashed, others = _crashed_alike(study_folder, trials)
    if not crashed or others:
        return None
    return (
        f"{study_folder}: each of the {len(crashed)} trials that were started crashes in its first epoch, and all of "
        f"them alike; mend it and run again, which counts nothing against them (give_up_after: 0 lets a search go on): "
        f"{trial.last_error(crashed[0])}"
    )


def doubtful(study_folder: Path, trials: int) -> bool:
    """Whether so many trials have crashed alike while others may still be in their first epoch: wait for these."""
    return bool(_crashed_alike(study_folder, trials)[0])


def _crashed_alike(study_folder: Path, trials: int) -> tuple[list[Path], int]:
    """Return the trials that crashed alike, and how many others are training; none if their errors differ."""
    crashes: dict[Path, Any] = {}
    others = 0
    # of epochs that were trained elsewhere nothing follows
    taken = trial.taken_over(study_folder) if trials else {}
    for folder in sorted(study_folder.glob("trials/*")) if trials else ():
        is_taken = folder.name in taken
        if (folder / trial.CURVE).exists() and not (is_taken and len(trial.read_rows(folder)) <= taken[folder.name]):
            return [], 0
        if (failures := trial.failures(folder)) is not None:
            crashes[folder] = failures["alike"]
        elif (folder / lease.NAME).exists():
            others += 1
    kinds = set(crashes.values())
    if len(crashes) < max(trials, 1) or len(kinds) > 1 or None in kinds:
        return [], 0
    return list(crashes), others


def forget(study_folder: Path, journal: Path | None = None) -> bool:
    """Forget all crashes of a study without a trained epoch, and the decisions on them; return whether there were any.

    Only the head may call it, as it starts: the user may have mended the code.

    Parameters
    ----------
    study_folder : Path
    journal : Path, optional
        The file with the decisions of a search without rounds.
    """
    if trial.something_is_gained(study_folder):
        return False
    crashed = list(study_folder.glob(f"trials/*/{trial.FAILURES}"))
    if not crashed:
        return False
    # decisions first: if this is interrupted, the crashes remain, and the next start repeats it
    for path in study_folder.glob("bracket=*/round=*/**/*.json"):
        if path.parent.name != "jobs" and not (path.name == "entry.json" and path.parent.name == "round=0"):
            path.unlink(missing_ok=True)
    if journal is not None:
        journal.unlink(missing_ok=True)
    for path in crashed:
        path.unlink(missing_ok=True)
    return True

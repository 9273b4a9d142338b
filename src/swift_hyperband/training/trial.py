"""A trial's folder, readable at any time: its curve, whether it diverged, how often it crashed.

A row of the curve is {"epoch": 3, "accuracy": 0.91, ..., "seconds": 1.23}; a number that is not finite is null. Rows
once published never change and never vanish: decisions rest on them.
"""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import AWAY, mismatch, read_again, read_json, read_text, write_json, write_text
from swift_hyperband.base.metric import RESERVED

logger = logging.getLogger(__name__)

Row = dict[str, float | None]

CONFIG = "config.json"
CURVE = "curve.jsonl"
FAILURES = "failures.json"
FAILURES_AHEAD = "failures-ahead.json"
"""A crash in epochs that the search has not asked for: it counts for nothing, and nobody trains ahead again."""
EARLIER = "earlier.json"
"""In the folder of a study: what was taken over from earlier searches; `results.taken` has its content."""
STARTED = "started.jsonl"
DAMAGED = "damaged.jsonl"
"""A log of saved states that were found damaged."""
WANTED = "wanted"
"""An empty file in the folder of a trial whose lost state must be made again."""
FAILURES_SHAPE = {"starts": int, "epoch": int, "error": str, "traceback": str, "failed": bool}
TRAIN_AGAIN = "delete the file and start the search again, and the trial is trained again"


@dataclass(frozen=True)
class Trained:
    """The progress of a trial.

    Attributes
    ----------
    status : {"ok", "diverged", "failed"}
        "diverged" after the first value that is not finite, "failed" after too many crashes; neither is trained on.
    values : list of float
        The study's metric after epochs 1, 2, ...; nan where it was not finite. A failed trial keeps what it reached.
    seconds : float
        Of its last epoch; 0 if not known.
    """

    status: Literal["ok", "diverged", "failed"]
    values: list[float]
    seconds: float = field(default=0.0, compare=False)

    def cut(self, epochs: int) -> Trained:
        """Return the progress as if nothing was trained beyond an epoch, ahead of the search."""
        if len(self.values) <= epochs:
            return self
        values = self.values[:epochs]
        finite = self.status == "diverged" and all(map(math.isfinite, values))
        return Trained("ok" if finite else self.status, values, self.seconds)

    def settled(self, epochs: int) -> bool:
        """Whether nothing is left to train up to epoch `epochs`."""
        return self.status != "ok" or len(self.values) >= epochs


def something_is_trained(study_folder: Path) -> bool:
    """Whether any trial of a study has a trained epoch, perhaps in its state alone, which is written first."""
    return any(True for name in (CURVE, "state.*") for _ in study_folder.glob(f"trials/*/{name}"))


def taken_over(study_folder: Path) -> dict[str, int]:
    """Return how many epochs of which trials were taken over from earlier searches; none where no file tells."""
    try:
        trials = json.loads(read_text(study_folder / EARLIER))["trials"]
        return {str(name): int(found["epochs"]) for name, found in trials.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # nothing is decided by it
        return {}


def something_is_gained(study_folder: Path) -> bool:
    """Whether any trial of a study has an epoch that was trained in it, as `something_is_trained` finds out."""
    taken = taken_over(study_folder)
    found = {path.parent for name in (CURVE, "state.*") for path in study_folder.glob(f"trials/*/{name}")}
    return any(folder.name not in taken or len(read_rows(folder)) > taken[folder.name] for folder in found)


def state_of(folder: Path, metric: str) -> Trained:
    """Return the progress of the trial in `folder`, by its curve and its failures alone."""
    rows = read_rows(folder)
    values = metric_values(folder, rows, metric)
    seconds = (rows[-1].get("seconds") or 0.0) if rows else 0.0
    if has_failed(folder):
        return Trained("failed", values, seconds)
    return Trained("ok" if all(map(math.isfinite, values)) else "diverged", values, seconds)


def metric_values(folder: Path, rows: list[Row], metric: str) -> list[float]:
    """Return a metric after each epoch, nan where it was not finite."""
    for row in rows:
        if metric not in row:
            found = ", ".join(sorted(set(row).difference(RESERVED))) or "no metric"
            path = folder / CURVE
            raise UserError(f"{path}: line {row['epoch']}: must hold the metric {metric}, found {found}; {TRAIN_AGAIN}")
    return [math.nan if (value := row[metric]) is None else value for row in rows]


def read_rows(folder: Path) -> list[Row]:
    """Return the published curve, a row for each epoch; empty if nothing is published yet.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    path = folder / CURVE
    try:
        lines = read_text(path).splitlines()
    except FileNotFoundError:
        return []
    except IsADirectoryError:
        raise UserError(f"{path}: must be a file, found a folder; {AWAY}") from None
    except ValueError as error:
        raise _no_rows(path, error) from None
    try:
        # at once, which takes a third of the time; lines that are no objects by themselves are told below
        rows: list[Row] = json.loads(f"[{','.join(lines)}]") if all(line.startswith("{") for line in lines) else []
    except (ValueError, RecursionError):
        rows = []
    if len(rows) == len(lines) and all(_is_row(row, number) for number, row in enumerate(rows, 1)):
        return rows
    try:
        rows = [json.loads(line) for line in lines]
    except (ValueError, RecursionError) as error:
        raise _no_rows(path, error) from None
    for number, row in enumerate(rows, 1):
        wrong = mismatch(row, {str: (float, None)})
        if wrong is None and row.get("epoch") != number:
            wrong = f"epoch must be {number}, found {row.get('epoch', 'nothing')}"
        if wrong is not None:
            raise UserError(f"{path}: line {number}: {wrong}; {TRAIN_AGAIN}")
    return rows


def _is_row(row: Any, number: int) -> bool:
    """Whether what a line holds is the row of an epoch, as `mismatch` would find out in ten times the time."""
    return (
        type(row) is dict
        and row.get("epoch") == number
        and all(value is None or (type(value) in (float, int) and math.isfinite(value)) for value in row.values())
    )


def _no_rows(path: Path, error: Exception) -> UserError:
    return UserError(f"{path}: must hold one JSON object a line, found {error}; {TRAIN_AGAIN}")


def last_seconds(folder: Path) -> float | None:
    """Return the seconds of the last published epoch that has them; None if none has."""
    return next((seconds for row in reversed(read_rows(folder)) if (seconds := row.get("seconds"))), None)


def write_rows(folder: Path, rows: list[Row]) -> None:
    """Publish a curve."""
    write_text(folder / CURVE, "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows))


def mark_started(folder: Path, epoch: int, ahead: bool = False) -> None:
    """Note that an epoch begins, so that epochs trained twice, after kills, and those trained ahead can be counted."""
    entry = {"epoch": epoch, "time": round(time.time(), 3), "pid": os.getpid(), "host": os.uname().nodename}
    _append(folder / STARTED, entry | ({"ahead": True} if ahead else {}))


@dataclass(frozen=True)
class Started:
    """The epochs of a trial that began.

    Attributes
    ----------
    repeated : int
        How many began again: the cost of kills and crashes.
    ahead : frozenset of int
        Those that the search had not asked for when they began.
    times : mapping
        When each of them began, for the last time, in seconds since 1970.
    begun : frozenset of int
        All of them.
    """

    repeated: int = 0
    ahead: frozenset[int] = frozenset()
    times: Mapping[int, float] = field(default_factory=dict)
    begun: frozenset[int] = frozenset()


def started(folder: Path) -> Started:
    """Return which epochs of a trial began."""
    try:
        path = folder / STARTED
        lines = read_again(lambda: path.read_text(encoding="utf-8", errors="replace")).splitlines()
    except FileNotFoundError:
        return Started()
    entries = [entry for entry in map(_entry, lines) if isinstance(entry.get("epoch"), int)]
    epochs = [entry["epoch"] for entry in entries]
    ahead = frozenset(entry["epoch"] for entry in entries if entry.get("ahead"))
    times = {entry["epoch"]: time for entry in entries if isinstance(time := entry.get("time"), int | float)}
    return Started(len(epochs) - len(set(epochs)), ahead, times, frozenset(epochs))


def note_damage(folder: Path, file: Path, found: str) -> None:
    """Note in a log, and print, that a saved state is damaged, so that the trial starts anew."""
    line = f"{file.name} is damaged, as {found}; the trial starts anew"
    _append(folder / DAMAGED, {"found": line, "time": round(time.time(), 3)})
    logger.warning(f"trial {folder.name}: {line}")


def damages(folder: Path) -> list[str]:
    """Return the notes on damaged states of a trial."""
    try:
        lines = (folder / DAMAGED).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [str(entry["found"]) for entry in map(_entry, lines) if "found" in entry]


def want_state(folder: Path) -> None:
    """Let a trial be trained again to its last epoch, since its state is needed and lost."""
    write_text(folder / WANTED, "")


def state_is_wanted(folder: Path) -> bool:
    """Whether no state was saved since `want_state`."""
    return (folder / WANTED).exists()


def state_is_there(folder: Path) -> None:
    """Note that a state was saved."""
    (folder / WANTED).unlink(missing_ok=True)


def is_through(folder: Path, metric: str, epochs: int) -> bool:
    """Whether nothing is left to train up to epoch `epochs`."""
    return state_of(folder, metric).settled(epochs) and not state_is_wanted(folder)


def count_crash(
    folder: Path, error: str, traceback: str, retries: int, alike: str | None = None, log: Path | None = None
) -> None:
    """Count a start that ended in a crash; after `retries` + 1 of them without a new epoch, the trial has failed.

    Parameters
    ----------
    folder : Path
    error : str
        In one line.
    traceback : str
    retries : int
    alike : str, optional
        What crashes of the same cause have in common; None if that is unknown.
    log : Path, optional
        The start's log, in the trial's folder.
    """
    before = failures(folder)
    starts = 1 if before is None else before["starts"] + 1
    epoch = len(read_rows(folder))
    failed = starts > retries
    record = {"starts": starts, "epoch": epoch, "error": error, "alike": alike, "traceback": traceback}
    record |= {"log": None if log is None else str(log.relative_to(folder)), "failed": failed}
    write_json(folder / FAILURES, record)
    end = "it counts as failed" if failed else "it starts again"
    logger.warning(f"trial {folder.name}: crash {starts} after epoch {epoch}, {end}: {last_error(folder)}")


def note_failure_ahead(folder: Path, error: str, log: Path | None = None) -> None:
    """Note that a training crashed ahead of the search."""
    record = {"epoch": len(read_rows(folder)), "error": error}
    write_json(folder / FAILURES_AHEAD, record | {"log": None if log is None else str(log.relative_to(folder))})
    logger.warning(f"trial {folder.name}: crash ahead of the search, which does not count: {error}")


def failed_ahead(folder: Path) -> bool:
    """Whether a training crashed ahead of the search."""
    return (folder / FAILURES_AHEAD).exists()


def last_error(folder: Path) -> str:
    """Return a trial's last crash in a line, with the log of that start."""
    found = failures(folder) or {"error": "no crash", "log": None}
    error = " ".join(str(found["error"]).split())
    return f"{error}; log: {folder / found['log']}" if found["log"] else error


def has_failed(folder: Path) -> bool:
    """Whether a trial has crashed too often to be started again."""
    found = failures(folder)
    return found is not None and bool(found["failed"])


def forget_crashes(folder: Path) -> None:
    """Reset the count of crashes, after a new epoch."""
    (folder / FAILURES).unlink(missing_ok=True)


def failures(folder: Path) -> dict[str, Any] | None:
    """Return the record of a trial's crashes since its last epoch; None if there were none."""
    path = folder / FAILURES
    if not path.exists():
        return None
    try:
        found = dict(read_json(path, FAILURES_SHAPE))
    except UserError:
        # another process may have trained an epoch since, and have forgotten the crashes
        if not path.exists():
            return None
        raise
    # records of early versions lack these keys
    return found | {key: text if isinstance(text := found.get(key), str) else None for key in ("alike", "log")}


def _append(path: Path, entry: dict[str, Any]) -> None:
    # one write in append mode, so that lines of two writers never mix
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(descriptor, (json.dumps(entry) + "\n").encode())
    finally:
        os.close(descriptor)


def _entry(line: str) -> dict[str, Any]:
    """Return the entry in a line of a log; empty if the line is torn, as the last one may be."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}

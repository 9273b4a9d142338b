"""A search as two tables: trials.csv, a row for each trial, and curves.csv, a row for each trial and epoch."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from swift_hyperband.base.files import write_text
from swift_hyperband.export.trials import Search, Trial, Written, counted


def write(search: Search, out: str | None) -> Written:
    """Write both tables into a folder; those of an earlier export are replaced.

    Parameters
    ----------
    search : Search
    out : str, optional
        The folder.
    """
    place = search.place / "csv" if out is None else Path(out)
    place.mkdir(parents=True, exist_ok=True)
    configurations = [f"config_{name}" for name in search.space]
    own = ["trial", "bracket", "slot", "status"]
    _write(
        place / "trials.csv",
        [*own, "value", "epoch", "epochs", "seconds", "began", "ended", *configurations],
        (_of_trial(trial) for trial in search.trials),
    )
    metrics = [f"metric_{name}" for name in search.metrics]
    _write(
        place / "curves.csv",
        [*own, "epoch", *metrics, "seconds", "ended", *configurations],
        (row for trial in search.trials for row in _of_epochs(trial)),
    )
    return Written(counted(len(search.trials), "trial"), str(place), f"pandas.read_csv({str(place / 'curves.csv')!r})")


def _own(trial: Trial) -> dict[str, Any]:
    configuration = {f"config_{name}": _cell(value) for name, value in trial.configuration.items()}
    return {"trial": trial.trial, "bracket": trial.bracket, "slot": trial.slot, "status": trial.fate} | configuration


def _of_trial(trial: Trial) -> dict[str, Any]:
    known = [seconds for seconds in trial.seconds if math.isfinite(seconds)]
    return {
        **_own(trial),
        "value": _cell(trial.value),
        "epoch": _cell(trial.epoch),
        "epochs": len(trial.rows),
        "seconds": round(sum(known), 4),
        "began": _time(trial.began),
        "ended": _time(trial.ended),
    }


def _of_epochs(trial: Trial) -> Iterable[dict[str, Any]]:
    own = _own(trial)
    for epoch, (row, seconds, ended) in enumerate(zip(trial.rows, trial.seconds, trial.ends, strict=True), 1):
        values = {f"metric_{name}": _cell(value) for name, value in row.items()}
        yield {**own, "epoch": epoch, **values, "seconds": _cell(seconds), "ended": _time(ended)}


def _cell(value: Any) -> Any:
    """Return a value as a cell; nothing for what is not there, nan for what is not finite."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return json.dumps(value)
    # all digits, so that reading gives the same number
    return repr(value) if isinstance(value, float) else value


def _time(seconds: float) -> str:
    return "" if math.isnan(seconds) else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(path, text.getvalue())

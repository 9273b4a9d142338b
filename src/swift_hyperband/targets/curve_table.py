"""A target that replays recorded learning curves, for rehearsals of a search and for tests."""

from __future__ import annotations

import csv
import math
import time
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from swift_hyperband.errors import UserError
from swift_hyperband.targets import Context


class CurveTable:
    """Replays curves of a CSV table with the columns row, epoch and metrics.

    The configuration's hyperparameter `row` says which curve; a metric is nan where the table has nothing. Options:
    `table`, the path of the file; `seconds`, how long an epoch takes (default 0).
    """

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        """Find the configuration's curve."""
        if "table" not in context.options:
            raise UserError("target.options.table must be the path of a CSV file, found none")
        if "row" not in configuration:
            raise UserError("space must have an integer hyperparameter 'row' for the target curve-table, found none")
        curves, self._metrics = _read(str(context.options["table"]))
        self._curve = curves.get(int(configuration["row"]), {})
        self._seconds = float(context.options.get("seconds", 0))
        self._epoch = 0

    def train_epoch(self, epoch: int) -> None:
        """Let an epoch pass."""
        if self._seconds:
            time.sleep(self._seconds)
        self._epoch = epoch

    def validate(self) -> dict[str, float]:
        """Return what was recorded at this epoch."""
        return self._curve.get(self._epoch, dict.fromkeys(self._metrics, math.nan))

    def state_dict(self) -> dict[str, int]:
        """Return the epoch."""
        return {"epoch": self._epoch}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go to the epoch of a state."""
        self._epoch = state["epoch"]


@lru_cache(maxsize=1)
def _read(path: str) -> tuple[dict[int, dict[int, dict[str, float]]], list[str]]:
    """Return metrics by name, by epoch, by row, and the metrics' names.

    Kept for check-target, which sets a target up several times in one process; a job's trials each read for themselves,
    in processes of their own.
    """
    curves: dict[int, dict[int, dict[str, float]]] = defaultdict(dict)
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames or ())
            metrics = [column for column in columns if column not in ("row", "epoch")]
            if len(metrics) != len(columns) - 2 or not metrics:
                raise UserError(f"{path}: must have the columns row, epoch and a metric, found {', '.join(columns)}")
            for line in reader:
                values = {metric: float(line[metric] or "nan") for metric in metrics}
                curves[int(line["row"])][int(line["epoch"])] = values
    except FileNotFoundError:
        raise UserError(f"target.options.table must be the path of a CSV file, found no file {path}") from None
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: line {reader.line_num} must hold numbers only, found {error}") from None
    return dict(curves), metrics

"""The tables of a search, read back."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from swift_hyperband.cli import main
from swift_hyperband.export.trials import Search
from swift_hyperband.replay.tables.reader import read
from swift_hyperband.results.history import History


@pytest.mark.parametrize("name", ["finished", "running", "without_rounds"])
def test_the_tables_hold_each_number_exactly(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    history: History = request.getfixturevalue(name)
    assert main(["export", str(history.folder.path), "--to", "csv", "--out", str(tmp_path)]) == 0
    search = Search.of(history)
    with (tmp_path / "trials.csv").open(newline="") as file:
        trials = list(csv.DictReader(file))
    with (tmp_path / "curves.csv").open(newline="") as file:
        curves = list(csv.DictReader(file))
    assert [row["trial"] for row in trials] == [trial.trial for trial in search.trials]
    for row, trial in zip(trials, search.trials, strict=True):
        assert row["status"] == trial.fate
        assert row["value"] == ("" if trial.value is None else repr(trial.value))
        assert float(row["config_lr"]) == trial.configuration["lr"]
        assert row["config_momentum"] == str(trial.configuration.get("momentum", ""))
        assert int(row["epochs"]) == len(trial.rows)
    expected = [
        (trial.trial, epoch, row["score"]) for trial in search.trials for epoch, row in enumerate(trial.rows, 1)
    ]
    found = [(row["trial"], int(row["epoch"]), float(row["metric_score"])) for row in curves]
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    assert [row[2] for row in found] == pytest.approx([row[2] for row in expected], rel=0, abs=0, nan_ok=True)
    assert any(math.isnan(row[2]) for row in found)


def test_the_curves_can_be_replayed(finished: History, tmp_path: Path) -> None:
    assert main(["export", "finished.yaml", "--to", "csv", "--out", str(tmp_path)]) == 0
    table = read(tmp_path / "curves.csv", "long", "metric_score", "max")
    assert len(table.curves) == sum(bool(trial.rows) for trial in Search.of(finished).trials)

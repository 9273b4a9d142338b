from __future__ import annotations

import math
from pathlib import Path

import pytest

from swift_hyperband.errors import UserError
from swift_hyperband.targets import Context
from swift_hyperband.targets.curve_table import CurveTable

TABLE = "row,epoch,accuracy,loss\n0,1,0.5,2\n0,2,0.75,1\n1,1,0.25,3\n1,2,,\n"


def replay(path: Path, row: int) -> CurveTable:
    target = CurveTable()
    target.setup({"row": row}, Context("a", 0, 1, {"table": str(path)}, path.parent))
    return target


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


def test_a_recorded_curve_is_replayed(table: Path) -> None:
    target = replay(table, 0)
    target.train_epoch(1)
    assert target.validate() == {"accuracy": 0.5, "loss": 2.0}
    target.train_epoch(2)
    assert target.validate() == {"accuracy": 0.75, "loss": 1.0}


def test_it_goes_on_from_its_state(table: Path) -> None:
    first, second = replay(table, 0), replay(table, 0)
    first.train_epoch(2)
    second.load_state_dict(first.state_dict())
    assert second.validate() == first.validate()


@pytest.mark.parametrize(("row", "epoch"), [(1, 2), (1, 3), (9, 1)])
def test_what_was_not_recorded_is_nan(table: Path, row: int, epoch: int) -> None:
    target = replay(table, row)
    target.train_epoch(epoch)
    assert math.isnan(target.validate()["accuracy"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("row,epoch\n", "must have the columns row, epoch and a metric, found row, epoch"),
        ("row,step,loss\n", "must have the columns row, epoch and a metric, found row, step, loss"),
        ("row,epoch,loss\n0,1,2\n0,2,high\n", "line 3 must hold numbers only"),
        (None, "target.options.table must be the path of a CSV file, found no file"),
    ],
)
def test_a_table_that_is_none_is_told_in_one_line(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=message):
        replay(path, 0)

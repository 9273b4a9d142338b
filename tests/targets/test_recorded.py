from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import load, parse
from swift_hyperband.targets import Context
from swift_hyperband.targets.recorded import CurveTable
from swift_hyperband.workflow.driver import run_search

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


@pytest.mark.parametrize("epoch", [2, 3])
def test_a_curve_that_diverged_is_nan_from_there_on(table: Path, epoch: int) -> None:
    target = replay(table, 1)
    target.train_epoch(epoch)
    assert math.isnan(target.validate()["accuracy"])


def test_a_row_that_the_table_does_not_have_is_no_divergence(table: Path) -> None:
    with pytest.raises(UserError, match=r"row 9 is not in table\.csv \(0 to 1\)"):
        replay(table, 9)


def test_nor_is_an_epoch_behind_the_end_of_a_finite_curve(table: Path) -> None:
    target = replay(table, 0)
    target.train_epoch(3)
    with pytest.raises(UserError, match=r"search\.max_epochs must be at most epoch 2, where table\.csv ends, found 3"):
        target.validate()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("row,epoch\n", "must have the columns row, epoch and a metric, each once, found row, epoch"),
        ("row,step,loss\n", "must have the columns row, epoch and a metric, each once, found row, step, loss"),
        ("row,epoch,loss,loss\n0,1,2,2\n", "each once"),
        ("row,epoch,loss\n", "must hold at least one row of a curve, found none"),
        ("row,epoch,loss\n0,1,2\n0,2,high\n", "line 3, column loss must hold a number, found 'high'"),
        ("row;epoch;loss\n0;1;0,5\n", "line 2, column loss must hold a number, found '0,5'"),
        ("row,epoch,loss\n0,1,0,5\n", "line 2 must have 3 cells, found 4"),
        ("row,epoch,loss\na,1,2\n", "line 2, column row must hold a number, found 'a'"),
        ("row,epoch,loss\n0.5,1,2\n", "line 2, column row must hold a whole number"),
        ("row,epoch,loss\n,1,2\n", "line 2, column row must hold a whole number"),
        ("row,epoch,loss\n0,0,2\n0,1,2\n", "line 2, column epoch must count from 1, found 0"),
        ("row,epoch,loss\n0,1,2\n0,1,3\n", "line 3 must be of another epoch than line 2, found epoch 1 of row 0 again"),
        ("row,epoch,loss\n0,1,2\n0,3,3\n", "must have epoch 2 of row 0, found epoch 3 and no such line"),
        (None, "target.options.table must be the path of a CSV file, found no file"),
    ],
)
def test_a_table_that_is_none_is_told_in_one_line(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=re.escape(message)):
        replay(path, 0)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffrow,epoch,accuracy,loss\r\n0,1,0.5,2\r\n0,2,0.75,1\r\n",
        "row;epoch;accuracy;loss\n0;1;0.5;2\n0;2;0.75;1\n",
        " row, epoch, accuracy, loss\n0, 2, 0.75, 1\n\n0.0, 1, 0.5, 2\n",
    ],
)
def test_a_table_is_read_whatever_its_dress(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    target = replay(path, 0)
    target.train_epoch(2)
    assert target.validate() == {"accuracy": 0.75, "loss": 1.0}


def study(table: Path, low: int = 0, high: int = 400, options: object = None, **search: object) -> Path:
    """Write a study over a table of 40 rows and 20 epochs; row 3 diverges at epoch 2, and no row behind it is told."""
    rows = [f"{row},{epoch},{1 / epoch}" for row in range(40) for epoch in range(1, 21) if row != 3]
    (table.parent / "ok.csv").write_text("\n".join(["row,epoch,loss", *rows, "3,1,1.0", "3,2,"]) + "\n")
    path = table.parent / "study.yaml"
    content = {
        "name": "beyond",
        "target": {
            "name": "curve-table",
            "metric": "loss",
            "mode": "min",
            "options": {"table": str(table.parent / "ok.csv")} if options is None else options,
        },
        "space": {"row": {"type": "int", "low": low, "high": high}},
        "search": {"algorithm": "random", "trials": 30, "max_epochs": 3, **search},
    }
    path.write_text(json.dumps(content))
    return path


def test_rows_and_epochs_beyond_the_table_are_one_line_before_anything_is_trained(table: Path) -> None:
    with pytest.raises(
        UserError, match=r"^.*study\.yaml: space\.row must .*: row \d+ is not in ok\.csv \(0 to 39\)[^\n]*$"
    ):
        load(study(table))
    with pytest.raises(
        UserError, match=r"^.*study\.yaml: search\.max_epochs must be at most epoch 20, [^\n]*found 27[^\n]*$"
    ):
        load(study(table, high=39, max_epochs=27))
    load(study(table, high=39, max_epochs=20))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "target.options.table must be the path of a CSV file, found nothing"),
        ({"table": ["ok.csv"]}, "target.options.table must be the path of a CSV file, found ['ok.csv']"),
        ({"table": "{}/ok.csv", "seconds": "abc"}, "target.options.seconds must be a number from 0 to 86400, found 'a"),
        ({"table": "{}/ok.csv", "seconds": -1}, "target.options.seconds must be a number from 0 to 86400, found -1"),
    ],
)
def test_options_that_no_training_could_follow_are_one_line_at_load(
    table: Path, options: dict[str, object], message: str
) -> None:
    if isinstance(place := options.get("table"), str):
        options = options | {"table": place.format(table.parent)}
    with pytest.raises(UserError, match=rf"^.*study\.yaml: {re.escape(message)}[^\n]*$"):
        load(study(table, high=39, options=options))


def test_a_search_over_a_table_too_small_leaves_nothing_behind(table: Path, tmp_path: Path) -> None:
    found = parse(json.loads(study(table).read_text()), "study.yaml")
    with pytest.raises(UserError, match="is not in ok"):
        run_search(found, StudyFolder(tmp_path / "results"), 1)
    assert not (tmp_path / "results").exists()

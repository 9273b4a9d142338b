import json
import math
import random
import shutil

import pyarrow
import pyarrow.parquet
import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.compare import store
from swift_hyperband.replay.tables.cells import read_parquet
from swift_hyperband.results.curves import write_curves
from swift_hyperband.results.standing import fates


def written(history, path):
    write_curves(history, path / "curves.parquet")
    return pyarrow.parquet.read_table(path / "curves.parquet")


@pytest.fixture
def table(swift, tmp_path):
    return written(swift, tmp_path)


def test_there_is_a_row_for_each_trial_and_epoch_in_the_order_of_brackets(swift, table):
    expected = [(trial.bracket, trial.trial, row) for trial in swift.trials.values() for row in trial.curve]
    rows = table.to_pylist()
    assert [(row["bracket"], row["trial"], row["epoch"]) for row in rows] == [
        (bracket, trial, row["epoch"]) for bracket, trial, row in expected
    ]
    brackets = [row["bracket"] for row in rows]
    assert brackets == sorted(brackets, reverse=True)
    assert set(brackets) == {3, 2, 1, 0}


def test_values_configurations_and_fates_are_those_of_the_trials(swift, table):
    rows = table.to_pylist()
    for folder in swift.folder.path.glob("trials/*"):
        config = json.loads((folder / "config.json").read_text())
        curve = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
        found = [row for row in rows if row["trial"] == folder.name]
        assert [row["seconds"] for row in found] == [row["seconds"] for row in curve]
        for row, published in zip(found, curve, strict=True):
            assert row["config_row"] == config["configuration"]["row"]
            assert (row["slot"], row["bracket"]) == (config["slot"], config["bracket"])
            assert row["status"] == fates(swift)[folder.name]
            loss = published["loss"]
            assert math.isnan(row["metric_loss"]) if loss is None else row["metric_loss"] == loss


def test_values_that_are_not_finite_are_nan_and_not_missing(table):
    assert any(math.isnan(loss) for loss in table["metric_loss"].to_pylist())
    assert table["metric_loss"].null_count == 0


def test_equal_searches_give_equal_tables_but_for_the_seconds(searches, tmp_path):
    one = written(searches.run("twice"), tmp_path)
    shutil.rmtree(searches.path / "results/twice")
    other = written(searches.run("twice"), tmp_path)
    assert one.num_rows > 17
    assert one.drop_columns("seconds").equals(other.drop_columns("seconds"))


def test_names_cannot_collide_and_types_follow_the_space(searches, tmp_path):
    """Hyperparameters and metrics may be called as they like."""
    searches.table("names.csv", metrics=["status", "config_row"])
    space = {
        "row": {"type": "int", "low": 0, "high": 299},
        "epoch": {"type": "float", "low": 0.0, "high": 1.0},
        "status": {"type": "categorical", "choices": ["a", "b"]},
        "only_a": {"type": "float", "low": 1.0, "high": 2.0, "when": {"status": "a"}},
        "mixed": {"type": "categorical", "choices": ["x", 3, True, 2.5]},
        "flag": {"type": "categorical", "choices": [True, False]},
        "size": {"type": "categorical", "choices": [16, 32]},
        "share": {"type": "categorical", "choices": [1, 0.5]},
    }
    options = {"table": str(searches.path / "names.csv")}
    history = searches.run("names", target__metric="status", target__options=options, space=space)
    table = written(history, tmp_path)
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {
        "study": "string",
        "bracket": "int64",
        "slot": "int64",
        "trial": "string",
        "status": "string",
        "config_row": "int64",
        "config_epoch": "double",
        "config_status": "string",
        "config_only_a": "double",
        "config_mixed": "string",
        "config_flag": "bool",
        "config_size": "int64",
        "config_share": "double",
        "epoch": "int64",
        "metric_status": "double",
        "metric_config_row": "double",
        "seconds": "double",
    }
    rows = table.to_pylist()
    assert {row["config_mixed"] for row in rows} == {"x", "3", "true", "2.5"}
    assert {row["config_share"] for row in rows} == {1.0, 0.5}
    assert all((row["config_only_a"] is None) == (row["config_status"] == "b") for row in rows)
    assert {row["config_status"] for row in rows} == {"a", "b"}


def test_a_search_without_an_epoch_gives_an_empty_table_with_all_columns(all_failed, tmp_path):
    table = written(all_failed, tmp_path)
    assert table.num_rows == 0
    assert {"trial", "config_row", "epoch", "metric_loss", "seconds"} <= set(table.column_names)


def test_a_flipped_bit_in_a_page_is_one_line_that_names_the_table(swift, tmp_path):
    written(swift, tmp_path)
    path, draw = tmp_path / "curves.parquet", random.Random(0)
    sound = path.read_bytes()
    footer = len(sound) - 8 - int.from_bytes(sound[-8:-4], "little")
    rows = repr(list(read_parquet(path).cells))
    told = []
    for _ in range(50):
        damaged, at = bytearray(sound), draw.randrange(4, footer)
        damaged[at] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        try:
            # some bits of a page's header say nothing that a reader needs
            assert repr(list(read_parquet(path).cells)) == rows
        except UserError as error:
            told.append(str(error))
    assert len(told) > 25
    assert all(line.startswith(f"{path}: must be a parquet file") and "\n" not in line for line in told)


def test_kept_runs_with_a_damaged_page_are_made_anew_and_that_is_told(tmp_path, capsys):
    path = tmp_path / "runs.parquet"
    columns = {"seed": int, "regret": float}
    rows = {seed: {"seed": seed, "regret": seed / 7} for seed in range(500)}
    store.write(path, rows, columns, {"search": "asha"})
    assert store.read(path, store.digest({"search": "asha"})) == rows
    damaged = bytearray(path.read_bytes())
    damaged[1000] ^= 1
    path.write_bytes(damaged)
    assert store.read(path, store.digest({"search": "asha"})) == {}
    assert f"{path}: is damaged or none of ours, and made anew" in capsys.readouterr().err

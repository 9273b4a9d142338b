from __future__ import annotations

import csv
import gzip
import json
import math
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import Metric
from swift_hyperband.replay.tables.reader import FORMATS, PUBLISHED, guess, published_epochs, read
from swift_hyperband.results.curves import write_curves
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import parse
from swift_hyperband.workflow.driver import run_search

CURVES = Path(__file__).parents[4] / "shared/curves"
FILES = {
    "mlpf": "mlpf_delphes/delphes_trainings_processed.csv",
    "cifar10": "cifar10_cnn/cifar_curves_mod.json",
    "ptb": "lstm_ptb/lstm_ptb.csv",
    "svhn": "metaqnn_svhn/metaqnn_svhn.csv",
}


@pytest.fixture(scope="module")
def published():
    """Read a published table by the name of its format; each once."""
    if not CURVES.is_dir():
        pytest.skip(f"the published tables are not part of the repository, and not in {CURVES}")
    tables = {}

    def table(format_):
        if format_ not in tables:
            tables[format_] = read(CURVES / FILES[format_])
        return tables[format_]

    return table


@pytest.fixture
def write(tmp_path):
    def written(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
        return path

    return written


@pytest.mark.parametrize(
    ("format_", "rows", "epochs", "distinct", "hyperparameters"),
    [
        (
            "mlpf",
            295,
            100,
            183,
            ["bin_size", "dropout", "lr", "n_glayers_id", "n_glayers_reg", "output_dim", "weight_decay"],
        ),
        ("cifar10", 167, 200, 167, ["momentum", "lr", "batch_size", "num_filters", "num_layers"]),
        ("ptb", 280, 60, 280, ["n_layer", "n_inputs"]),
        ("svhn", 1300, 20, 1300, ["net", "num_params", "depth", "lr"]),
    ],
)
def test_published_tables_have_the_rows_epochs_and_hyperparameters_they_are_known_for(
    published, format_, rows, epochs, distinct, hyperparameters
):
    table = published(format_)
    assert (table.rows, table.epochs, table.distinct().rows) == (rows, epochs, distinct)
    assert list(table.hyperparameters) == hyperparameters
    assert table.recorded.tolist() == [epochs] * rows
    assert np.isfinite(table.curves).all()
    assert guess(CURVES / FILES[format_]) == format_
    assert published_epochs(table) == PUBLISHED[format_].max_epochs <= table.epochs
    assert table.seconds is None


def test_published_tables_are_called_by_their_names_and_the_stand_in_a_stand_in(published):
    told = {name: (published(name).name, published(name).metric.name, published(name).metric.mode) for name in FILES}
    assert told == {
        "mlpf": ("MLPF", "loss", "min"),
        "cifar10": ("CIFAR-10", "accuracy", "max"),
        "ptb": ("PTB", "perplexity", "min"),
        "svhn": ("SVHN stand-in", "accuracy", "max"),
    }


def test_the_row_that_the_authors_of_mlpf_drop_is_dropped_and_repeats_are_told(published):
    table = published("mlpf")
    with (CURVES / FILES["mlpf"]).open() as file:
        lines = list(csv.reader(file))[1:]
    worst = max(lines, key=lambda line: float(line[-1]))
    assert table.curves.tolist() == [[float(cell) for cell in line[7:]] for line in lines if line is not worst]
    assert table.notes == (
        "row 53, with the largest last loss (597.309), is left out, as by the table's authors; 295 rows remain",
        "112 of 295 rows repeat the configuration of an earlier one",
    )


def test_optimum_and_median_of_the_published_tables_are_those_of_the_last_column(published):
    table = published("cifar10")
    assert table.optimum(100) == -table.curves[:, 99].max()
    assert published("ptb").optimum(60) == 65.19
    assert published("ptb").median(60) == np.median(published("ptb").curves[:, -1])
    assert published("svhn").optimum(20) == -0.954


def test_columns_that_tell_nothing_are_no_hyperparameters_and_told(published):
    assert published("ptb").notes == (
        "columns that tell nothing of a configuration are left out: base_model, training_dataset, base_lr, ss",
    )
    assert published("cifar10").notes == ("columns that tell nothing of a configuration are left out: index",)
    assert {type(value) for value in published("svhn").hyperparameters["net"]} == {str}
    assert {type(value) for value in published("cifar10").hyperparameters["batch_size"]} == {int}


def test_defaults_are_there_for_every_published_format():
    assert FORMATS == ("mlpf", "cifar10", "ptb", "svhn", "long")
    assert {format_: published.max_epochs for format_, published in PUBLISHED.items()} == {
        "mlpf": 100,
        "cifar10": 100,
        "ptb": 60,
        "svhn": 20,
    }


def test_empty_cells_at_a_row_s_end_end_its_recording_and_in_the_middle_are_a_gap(write):
    table = read(write("n_layer,ep_0,ep_1,ep_2\n1,9,8,7\n2,9,8,\n3,9,,7\n4,9,nan,\n,,,\n"))
    assert table.recorded.tolist() == [3, 2, 2, 2, 0]
    assert table.losses(3) == [[9.0, 8.0, 7.0], [9.0, 8.0], [9.0, math.inf], [9.0, math.inf], []]
    assert table.hyperparameters == {"n_layer": [1, 2, 3, 4, None]}
    assert table.complete(3).ids == ["1", "3", "4"]
    assert table.notes[0].startswith("2 of 5 rows diverge")
    assert table.notes[1].startswith("1 of 5 rows have a gap")


def test_columns_of_epochs_may_stand_in_any_order_and_beside_the_index_of_pandas(write):
    table = read(write(",ep_1,lr,ep_0\n0,2,0.1,1\n1,4,0.2,3\n"))
    assert table.curves.tolist() == [[1, 2], [3, 4]]
    assert table.hyperparameters == {"lr": [0.1, 0.2]}


def test_a_byte_order_mark_blank_lines_and_windows_ends_of_lines_do_no_harm(write):
    table = read(write(b"\xef\xbb\xbfloss_0,lr\r\n\r\n2,0.1\r\n3,0.2\r\n\r\n"))
    assert (table.name, table.curves.tolist()) == ("MLPF", [[2]])


def test_a_column_dict_may_have_missing_values(write):
    columns = {
        "index": {"0": 1, "1": 2},
        "lr": {"0": 0.1, "1": None},
        "0": {"0": 0.5, "1": 0.25},
        "1": {"0": 0.75, "1": None},
    }
    table = read(write(json.dumps(columns), "curves.json"))
    assert table.hyperparameters == {"lr": [0.1, None]}
    assert table.losses(2) == [[-0.5, -0.75], [-0.25]]
    assert table.ids == ["0", "1"]


LONG = """\
config_id,epoch,lr,layers,opt,val_loss,speed,phase,seconds
b,2,0.1,3,adam,0.5,7,late,2
a,1,0.2,4,,0.75,8,early,
b,1,0.1,3,adam,1,8,early,4
a,2,0.2,4,,nan,6,late,
"""


@pytest.mark.parametrize("name", ["curves.csv", "curves.csv.gz", "curves.parquet"])
def test_a_long_table_is_sorted_out_into_configurations_metrics_and_hyperparameters(write, tmp_path, name):
    path = write(LONG, "curves.csv")
    if name == "curves.csv.gz":
        path = write(gzip.compress(LONG.encode()), name)
    elif name == "curves.parquet":
        lines = list(csv.DictReader(LONG.splitlines()))
        typed = {"lr": float, "layers": int, "epoch": int, "val_loss": float, "speed": float, "seconds": float}
        rows = [{key: typed.get(key, str)(cell) if cell else None for key, cell in line.items()} for line in lines]
        path = tmp_path / name
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    table = read(path, metric="val_loss")
    assert (table.name, table.metric) == ("curves", Metric("val_loss", "min"))
    assert table.ids == ["b", "a"]
    assert table.losses(2) == [[1.0, 0.5], [0.75, math.inf]]
    assert table.hyperparameters == {"lr": [0.1, 0.2], "layers": [3, 4], "opt": ["adam", None]}
    assert table.seconds.tolist() == [3.0, 3.0]
    assert table.notes == (
        "columns of text that change within a configuration are left out: phase",
        "1 of 2 rows have no seconds and get the mean of the others",
        "1 of 2 rows diverge: their first value that is not finite ends them",
    )
    assert read(path, metric="speed", mode="max").losses(1) == [[-8.0], [-8.0]]


def test_of_several_metrics_one_must_be_chosen(write):
    with pytest.raises(UserError, match="must have one metric, found val_loss, speed; choose one with --metric"):
        read(write(LONG))


def test_the_only_metric_need_not_be_named(write):
    table = read(write("row,epoch,accuracy\n0,1,0.5\n0,2,0.75\n1,1,0.25\n"))
    assert (table.metric, table.hyperparameters) == (Metric("accuracy", "max"), {})
    assert table.complete(2).ids == ["0"]
    assert table.distinct().rows == 2


def test_a_metric_whose_name_does_not_tell_needs_a_mode(write):
    path = write("row,epoch,score\n0,1,0.5\n0,2,0.75\n")
    with pytest.raises(UserError, match="whose name does not tell; give --mode min if smaller is better, --mode max"):
        read(path)
    assert read(path, mode="max").losses(1) == [[-0.5]]


def test_epochs_that_count_from_0_are_taken_with_a_note(write):
    table = read(write("row,epoch,loss\n0,1,2\n0,0,3\n1,0,5\n"))
    assert table.losses(2) == [[3.0, 2.0], [5.0]]
    assert table.notes == ("epochs count from 0 in the file: its epoch 0 is epoch 1 here",)


def test_values_keep_their_types(write):
    lines = ["row,epoch,loss,whole,real,flag,word,mixed"]
    cells = ["3,0.5,True,adam,1", ",nan,False,sgd,x", "-4,1e-3,,True,"]
    lines += [f"{row},{epoch},{row + 1 / epoch},{cells[row]}" for row in range(3) for epoch in (1, 2)]
    assert read(write("\n".join(lines)), metric="loss").hyperparameters == {
        "whole": [3, None, -4],
        "real": [0.5, None, 0.001],
        "flag": [True, False, None],
        "word": ["adam", "sgd", "True"],
        "mixed": ["1", "x", None],
    }


def test_our_own_table_of_a_search_is_read_back_as_it_was_trained(tmp_path, write):
    draw = random.Random(1)
    lines = ["row,epoch,loss,accuracy"]
    for row in range(40):
        end = draw.random()
        for epoch in range(1, 10):
            value = "" if row % 7 == 0 and epoch > 2 else end + 1 / epoch
            lines.append(f"{row},{epoch},{value},{end}")
    content = {
        "name": "recorded",
        "target": {
            "name": "curve-table",
            "metric": "loss",
            "mode": "min",
            "options": {"table": str(write("\n".join(lines), "made-up.csv"))},
        },
        "space": {
            "row": {"type": "int", "low": 0, "high": 39},
            "id": {"type": "categorical", "choices": ["x", "y"]},
            "only_x": {"type": "float", "low": 1.0, "high": 2.0, "when": {"id": "x"}},
        },
        "search": {"max_epochs": 9, "eta": 3, "seed": 2, "algorithm": "hyperband"},
        "retries": 0,
    }
    folder = StudyFolder(tmp_path / "results/recorded")
    run_search(parse(content, "test"), folder, 1, lambda _: None)
    history = History(folder)
    write_curves(history, tmp_path / "curves.parquet")
    with pytest.raises(UserError, match="must have one metric, found loss, accuracy; choose one with --metric"):
        read(tmp_path / "curves.parquet")
    table = read(tmp_path / "curves.parquet", metric="loss")
    assert (table.name, table.metric) == ("curves", Metric("loss", "min"))
    trials = {trial.trial: trial for trial in history.trials.values() if trial.curve}
    assert table.ids == list(trials)
    assert set(table.hyperparameters) == {"row", "id", "only_x"}
    for row, trial in enumerate(trials.values()):
        for name, values in table.hyperparameters.items():
            assert values[row] == trial.configuration.get(name)
        expected = [epoch["loss"] for epoch in trial.curve]
        losses = [math.inf if math.isnan(loss) else loss for loss in expected]
        assert table.losses(9)[row] == losses
        # an epoch that is looked up may take less than the clock tells
        if told := [epoch["seconds"] for epoch in trial.curve if epoch["seconds"]]:
            assert table.seconds[row] == pytest.approx(np.mean(told))
    assert any(losses[-1] == math.inf for losses in table.losses(9)), "some diverge"
    full = [losses for losses in table.losses(9) if len(losses) == 9 or losses[-1] == math.inf]
    assert table.complete(9).losses(9) == full
    assert 0 < len(full) < table.rows


def test_parquet_columns_of_other_types_are_left_out_and_told(tmp_path):
    columns = {"config_id": [1, 1], "epoch": [1, 2], "loss": [2.0, 1.0], "tags": [["a"], ["b"]], "size": ["b", "b"]}
    content = pyarrow.table(columns)
    content = content.set_column(4, "size", content["size"].dictionary_encode())
    pyarrow.parquet.write_table(content, tmp_path / "t.parquet")
    table = read(tmp_path / "t.parquet")
    assert table.hyperparameters == {"size": ["b"]}
    assert table.ids == ["1"]
    assert table.notes == ("columns that hold neither numbers nor text are left out: tags",)


BROKEN = {
    "an empty file": ("t.csv", "", "must hold a table of curves, found an empty file"),
    "only blank lines": ("t.csv", "\n\n", "must begin with the names of its columns, found none"),
    "no rows": ("t.csv", "lr,ep_0\n", "must hold at least one row of numbers, found none"),
    "no rows, long": ("t.csv", "row,epoch,loss\n", "must hold at least one row of a curve, found none"),
    "a name twice": ("t.csv", "lr,ep_0,lr\n1,2,3\n", "must name each column once, found 'lr' 2 times"),
    "unknown columns": ("t.csv", "a;b\n1;2\n", "found columns a, b; give --format mlpf, cifar10, ptb, svhn or long"),
    "a missing epoch column": ("t.csv", "lr,ep_0,ep_2\n1,2,3\n", "found none named ep_1"),
    "text in a curve": (
        "t.csv",
        "lr,ep_0,ep_1\n1,2,3\n1,2,high\n",
        "line 3, column ep_1 must hold a number, found 'high'; correct the cell, or empty it",
    ),
    "an underscore in a number": ("t.csv", "lr,ep_0\n1,2_0\n", "line 2, column ep_0 must hold a number, found '2_0'"),
    "a short line": ("t.csv", "lr,ep_0,ep_1\n1,2,3\n1,2\n", "line 3 must have 3 cells as the header has, found 2"),
    "a long line": ("t.csv", "row,epoch,loss\n1,1,2\n1,2,3,4\n", "line 3 must have 3 cells as the header has, found 4"),
    "an open quote": ("t.csv", 'lr,ep_0\n1,2\n"1,2\n', "must be a CSV file, found unexpected end of data after line 2"),
    "an infinite hyperparameter": ("t.csv", "lr,ep_0\n1,2\ninf,2\n", "line 3, column lr must hold a finite number"),
    "text in a metric": (
        "t.csv",
        "row,epoch,loss\n1,1,2\n1,2,high\n",
        "line 3, column loss must hold a number, found 'high'",
    ),
    "text as an epoch": (
        "t.csv",
        "row,epoch,loss\n1,one,2\n",
        "line 2, column epoch must hold a whole number from 1 on, found 'one'",
    ),
    "a negative epoch": ("t.csv", "row,epoch,loss\n1,-1,2\n", "found '-1'; count epochs from 1"),
    "an endless epoch": ("t.csv", "row,epoch,loss\n1,1e300,2\n", "found '1e300'; count epochs from 1"),
    "no epoch": (
        "t.csv",
        "row,epoch,loss\n1,,2\n",
        "line 2, column epoch must hold a whole number from 1 on, found no",
    ),
    "no id": ("t.csv", "row,epoch,loss\n,1,2\n", "line 2, column row must name the configuration"),
    "an epoch twice": (
        "t.csv",
        "row,epoch,loss\n7,1,2\n7,2,3\n8,1,1\n7,1,3\n",
        "line 5, column epoch must hold each epoch of configuration '7' once, found 1 again (it is in line 2 too)",
    ),
    "an epoch too few": (
        "t.csv",
        "row,epoch,loss\n7,1,2\n7,4,3\n7,2,2\n",
        "line 3, column epoch must have a row for epoch 3 of configuration '7' before it, found epoch 4",
    ),
    "a late begin": ("t.csv", "row,epoch,loss\n7,2,2\n", "line 2, column epoch must have a row for epoch 1"),
    "a late begin from 0": (
        "t.csv",
        "row,epoch,loss\n7,0,2\n8,1,2\n",
        "line 3, column epoch must have a row for epoch 0",
    ),
    "broken seconds": (
        "t.csv",
        "row,epoch,loss,seconds\n1,1,2,long\n",
        "line 2, column seconds must hold a number of at",
    ),
    "no column of ids": (
        "t.csv",
        "conf_id,epoch,loss\n1,1,2\n",
        "must have a column config_id, trial or row, found conf_id",
    ),
    "no metric": ("t.csv", "row,epoch,lr\n1,1,2\n1,2,2\n", "that changes from epoch to epoch, found none; choose the"),
    "a changing hyperparameter": (
        "t.csv",
        "trial,config_lr,epoch,metric_loss\na,1,1,2\na,2,2,1\n",
        "line 3, column config_lr must hold the same value in all rows of a configuration, found '2' after another one",
    ),
    "no JSON": ("t.json", "{'a': 1}", "must be JSON, found Expecting property name"),
    "deep JSON": ("t.json", "[" * 100_000, "must be JSON, found"),
    "a list": ("t.json", '[{"a": 1}]', "must be a mapping of columns to mappings of rows to values"),
    "records": ("t.json", '{"a": [1, 2]}', "as pandas writes a table in JSON, found [1, 2] in column a"),
    "unlike rows": (
        "t.json",
        '{"lr": {"0": 1}, "0": {"1": 1}}',
        "column 0 must have the rows that the first column has",
    ),
    "no rows in JSON": ("t.json", '{"lr": {}, "0": {}}', "must hold at least one row of numbers, found none"),
    "no epochs in JSON": ("t.json", '{"lr": {"0": 1}}', "must have a column for each epoch, 0, 1 and so on"),
    "text in JSON": ("t.json", '{"0": {"a": "high"}}', "row 'a', column 0 must hold a number, found 'high'"),
    "a list in JSON": ("t.json", '{"0": {"a": [1]}}', "row 'a', column 0 must hold a number or text, found [1]"),
    "no parquet": ("t.parquet", "row,epoch\n", "must be a parquet file, found something else or a part of one"),
    "no gzip": ("t.csv.gz", "row,epoch,loss\n1,1,2\n", "must be a CSV file in UTF-8, found other bytes"),
    "garbage": ("t.csv", b"\x80\x02\xff\x00\x00\xfe" * 50, "must be a CSV file in UTF-8, found other bytes"),
    "garbage in the middle": (
        "t.csv",
        b"lr,ep_0\n" + b"1,2\n" * 5000 + b"\xff\xfe\x00",
        "found other bytes after line",
    ),
    "zeros": ("t.csv", b"\0" * 500, "found columns"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_table_is_told_in_one_line_with_the_file_and_the_place(write, what):
    name, content, message = BROKEN[what]
    path = write(content, name)
    with pytest.raises(UserError) as raised:
        read(path)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{path}: ")
    assert str(raised.value).isprintable(), "one line"
    assert len(str(raised.value)) < 600


def test_a_file_that_is_not_there_and_a_folder_are_told_in_one_line(tmp_path):
    for format_ in (None, *FORMATS):
        with pytest.raises(UserError, match="found no such file; mend the path"):
            read(tmp_path / "nothing.csv", format_)
        with pytest.raises(UserError, match="found a folder; name a file in it"):
            read(tmp_path, format_) if format_ != "long" else read(
                tmp_path.rename(tmp_path.with_suffix(".csv")), format_
            )


def test_a_parquet_file_that_was_cut_off_or_damaged_is_told_in_one_line(tmp_path):
    path = tmp_path / "t.parquet"
    rows = [{"row": row, "epoch": epoch, "loss": random.random()} for row in range(50) for epoch in range(1, 50)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    content = path.read_bytes()
    for broken in (content[: len(content) // 2], content[:100] + b"\xff" * 400 + content[500:]):
        path.write_bytes(broken)
        with pytest.raises(UserError, match="must be a parquet file, found something else or a part of one"):
            read(path)


def test_what_is_asked_for_in_vain_is_told_with_what_there_is(write):
    long, wide = write(LONG), write("lr,ep_0\n1,2\n", "wide.csv")
    for given, message in [
        ({"metric": "val_los"}, "metric 'val_los', found the metrics val_loss, speed; did you mean val_loss?"),
        ({"mode": "maximum"}, "--mode must be min or max, found 'maximum'"),
        ({"format": "Long"}, "--format must be mlpf, cifar10, ptb, svhn or long, found 'Long'; did you mean long?"),
    ]:
        with pytest.raises(UserError, match=message.replace("?", r"\?")):
            read(long, **given)
    for given, message in [
        ({"metric": "loss"}, "--metric must be perplexity for a table of the format ptb, found 'loss'; leave it out"),
        ({"mode": "max"}, "--mode must be min for a table of the format ptb, found 'max'"),
        ({"format": "svhn"}, "acc_1, acc_2 and so on, found none named acc_1"),
        ({"format": "cifar10"}, "must be JSON, found"),
        ({"format": "long"}, "must have a column config_id, trial or row, found lr, ep_0"),
    ]:
        with pytest.raises(UserError, match=message):
            read(wide, **given)
    with pytest.raises(UserError, match=r"must end in .parquet, .csv or .csv.gz, found 'curves.txt'"):
        read(write(LONG, "curves.txt"))


def test_the_command_line_need_not_wait_for_pyarrow_to_read_csv(write):
    code = "import sys, pathlib; from swift_hyperband.replay.tables.reader import read; read(pathlib.Path(sys.argv[1]))"
    code += "; sys.exit('pyarrow' in sys.modules or 'pandas' in sys.modules)"
    path = write("row,epoch,loss\n0,1,2\n0,2,3\n")
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 0

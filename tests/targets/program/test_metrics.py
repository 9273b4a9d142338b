"""Metrics of programs: whatever their file looks like, the right value of an epoch or one line on what is wrong."""

import json
import math
import os
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from swift_hyperband.base.errors import InvalidKeysError, UserError
from swift_hyperband.study.target import MetricsFile, Target
from swift_hyperband.targets.program import patterns
from swift_hyperband.targets.program.files import ProgramError, Written, before_start, written
from swift_hyperband.targets.program.metrics import Keys, Wanted, measured

TABLE = {"format": "csv", "epoch": "epoch"}
RECORDS = {"format": "json", "epoch": "epoch"}
LINES = {"format": "jsonl", "epoch": "epoch"}
NAN = math.nan


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def section(**given):
    return Keys.of(MetricsFile.model_validate(given).model_dump())


def read(content, given, end, begin=0, metric="loss", last=None):
    """Return all metrics of a file that a start wrote from nothing."""
    path = written_file(content)
    return measured([Written(path)], section(**given), Wanted(metric, begin, end, last or {}))


def written_file(content):
    path = Path("log")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def values(content, given, end, begin=0, metric="loss", **more):
    return [row[metric] for row in read(content, given, end, begin, metric, **more).values()]


def refused(content, given, end, begin=0, metric="loss", kind=ProgramError, **more):
    with pytest.raises(kind) as error:
        read(content, given, end, begin, metric, **more)
    assert "\n" not in str(error.value)
    return str(error.value)


# --- tables, whoever wrote them ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    {
        "commas": "epoch,loss\n1,0.5\n2,1e-4\n",
        "semicolons": "epoch;loss;note\n1;0.5;a, b\n2;1e-4;c\n",
        "tabs": "epoch\tloss\n1\t0.5\n2\t1e-4\n",
        "tabs and blanks": "epoch \t loss \n 1 \t 0.5 \n 2\t1e-4\n",
        "padded names": "   epoch,      loss\n       1,       0.5\n       2,      1e-4\n",
        "quotes": '"epoch","loss","note"\n"1","0.5","a, ""b"""\n"2","1e-4","c;d"\n',
        "quotes after blanks": '"epoch", "loss", "note"\n1, 0.5, "a, b"\n2, 1e-4, ""\n',
        "a separator in a quoted name": '"epoch";"loss";"a,b,c,d"\n1;0.5;1\n2;1e-4;1\n',
        "a byte order mark": "\ufeffepoch,loss\n1,0.5\n2,1e-4\n",
        "UTF-16 of Windows": "epoch,loss\r\n1,0.5\r\n2,1e-4\r\n".encode("utf-16"),
        "line ends of Windows": "epoch,loss\r\n1,0.5\r\n2,1e-4\r\n",
        "line ends of an old Macintosh": "epoch,loss\r1,0.5\r2,1e-4\r",
        "no last line end": "epoch,loss\n1,0.5\n2,1e-4",
        "blank lines": "\n\nepoch,loss\n\n1,0.5\n\n2,1e-4\n\n",
        "lines of blanks": " \nepoch,loss\n  \n1,0.5\n\t\n2,1e-4\n  ",
        "a separator at the end of lines": "epoch,loss\n1,0.5,\n2,1e-4,\n",
        "an unnamed first column": ",epoch,loss\n0,1,0.5\n1,2,1e-4\n",
        "epochs as floats": "epoch,loss\n1.0,0.5\n2.0,1e-4\n",
        "another order": "loss,epoch\n1e-4,2\n0.5,1\n",
        "a repeated header": "epoch,loss\n1,0.5\nepoch,loss\n2,1e-4\n",
        "letters that end lines elsewhere": "epoch,note,loss\n1,a\u2028b\x0cc\x85,0.5\n2,,1e-4\n",
        "other columns with text": "epoch,loss,note,time\n1,0.5,fine,00:01\n2,1e-4,,00:02\n",
    }.items(),
    ids=lambda item: item[0],
)
def test_a_table_is_read_however_it_is_written(content):
    assert values(content[1], TABLE, 2) == [0.5, 1e-4]


def test_the_format_tsv_has_tabs_alone():
    assert values("epoch\ta,b,c\tloss\n1\tx\t0.5\n", {**TABLE, "format": "tsv"}, 1) == [0.5]


def test_rows_of_an_epoch_are_merged_cell_by_cell_and_rows_without_one_skipped():
    # as Lightning writes with a LearningRateMonitor
    content = (
        "lr-Adam,step,epoch,val_loss,train_loss\n0.01,0,,,\n,9,0,0.9,\n,9,0,,1.1\n0.01,10,,,\n,19,1,0.8,\n,19,1,,1.0\n"
    )
    found = read(content, {**TABLE, "counts_from_zero": True}, 2, metric="val_loss")
    assert found == {
        1: {"step": 9.0, "val_loss": 0.9, "train_loss": 1.1},
        2: {"step": 19.0, "val_loss": 0.8, "train_loss": 1.0},
    }


@pytest.mark.parametrize("empty", ["", " ", "NA", "N/A", "null", "None", "<NA>"])
def test_an_empty_cell_replaces_no_value_and_is_no_divergence(empty):
    assert values(f"epoch,loss,x\n1,0.5,1\n1,{empty},2\n2,{empty},3\n2,0.4,{empty}\n", TABLE, 2) == [0.5, 0.4]


@pytest.mark.parametrize("nan", ["nan", "NaN", "-nan", "NAN", "-nan(ind)", "inf", "-Infinity", "1e999"])
def test_what_is_not_finite_is_divergence_and_later_epochs_need_not_be_there(nan):
    found = values(f"epoch,loss\n1,0.5\n2,{nan}\n", TABLE, 5)
    assert found[0] == 0.5
    assert len(found) == 2
    assert not math.isfinite(found[1])


def test_a_whole_epoch_is_not_overwritten_by_a_fraction_of_one():
    records = [
        {"epoch": 0.5, "loss": 9.0},
        {"epoch": 1.0, "loss": 0.5},
        {"epoch": 1.3333, "loss": 7.0},
        {"epoch": 2.0, "loss": 0.4, "step": 4},
        {"epoch": 2.0, "train_runtime": 3.0},
        {"epoch": 2.4, "loss": 5.0},
    ]
    assert values(json.dumps({"epoch": 2.4, "log_history": records}), RECORDS, 2) == [0.5, 0.4]
    found = refused(json.dumps([{"epoch": 0.96, "loss": 1.0}, {"epoch": 1.92, "loss": 0.9}]), RECORDS, 2)
    assert found.endswith("found none of epoch 1; its epochs are no whole ones (0.96, 1.92 ...)")


@pytest.mark.parametrize(
    ("content", "needed"),
    [
        (
            "epoch,loss\n1,0.5\n2,tensor(0.5)\n",
            "line 3, column loss must hold numbers, found 'tensor(0.5)'; write the n",
        ),
        ("epoch;loss\n1;0,5\n", "line 2, column loss must hold numbers, found '0,5'; write numbers with a point"),
        ('epoch,loss\n1,"0,5"\n', "line 2, column loss must hold numbers, found '0,5'; write numbers with a point"),
        (
            "epoch,loss\n1,0,5\n",
            "line 2 must have 2 cells as the header has, found 3; does the program write decimal c",
        ),
        ("epoch,loss,acc\n1,0.5\n", "line 2 must have 3 cells as the header has, found 2"),
        ("epoch,loss\n1,1_0\n", "line 2, column loss must hold numbers, found '1_0'"),
        ("epoch,loss\n1,50%\n", "line 2, column loss must hold numbers, found '50%'; write the number alone"),
        ("epoch,loss\n1,0.5 s\n", "line 2, column loss must hold numbers, found '0.5 s'; write the number alone"),
        ("epoch,loss\n1,True\n", "line 2, column loss must hold numbers, found 'True'"),
        ("epoch,loss\none,0.5\n", "line 2, column epoch must hold epochs as numbers, found 'one'"),
        ("epoch,loss\nnan,0.5\n", "line 2, column epoch must hold epochs as numbers, found 'nan'"),
        ("epoch,loss\n1/3,0.5\n", "line 2, column epoch must hold epochs as numbers, found '1/3'"),
        ("epoch,val_los\n1,0.5\n", "must have a column val_loss, as target.metric says, found epoch, val_los; did you"),
        ("Epoch,loss\n1,0.5\n", "must have the column epoch of epochs, found Epoch, loss; did you mean Epoch?"),
        ("epoch,loss,loss\n1,0.5,0.6\n", "must name each column once, found loss several times"),
        ("epoch,epoch,loss\n1,1,0.6\n", "must name each column once, found epoch several times"),
        ("", "must hold metrics of the epochs 1 to 2, found no rows"),
        ("epoch,loss\n", "must hold metrics of the epochs 1 to 2, found no rows below the header epoch, loss"),
        (
            "# of today\nepoch,loss\n1,0.5\n",
            "line 2 must have 1 cells as the header has, found 2; a table has no li",
        ),
        (
            "epoch,loss\n# of today\n1,0.5\n",
            "line 2 must have 2 cells as the header has, found 1; a table has no li",
        ),
        (
            "epoch loss\n1 0.5\n",
            "found epoch loss; cells are to be separated by commas, semicolons or tabs (format re",
        ),
        ('epoch,loss\n1,"1,234.5"\n', "found '1,234.5'; write numbers without commas between thousands"),
        ("epoch;loss\n1;0,5\n", "found '0,5'; write numbers with a point"),
        ('epoch,loss\n1,"0.5\n', "must be a table, found unexpected end of data after line 1"),
        (b"epoch,loss\n1,\xff\xfe\n", "must be text in UTF-8, found other bytes; name the right file"),
        ("epoch,loss\n1,0.5\n", "must hold metrics of the epochs 1 to 2, found none of epoch 2, but 1; if the program"),
        ("epoch,loss\n1,0.5\n2,\n", "must hold loss for epoch 2, found an empty cell in line 3; if the program rep"),
        (
            "epoch,loss\n0,0.5\n1,0.4\n",
            "found none of epoch 2, but 0 to 1; if its first epoch is 0, set target.metrics.c",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_file_row_and_column(content, needed):
    metric = "val_loss" if "val_los\n" in str(content) else "loss"
    found = refused(content, TABLE, 2, metric=metric)
    assert found.startswith("log")
    assert needed in found


def test_other_columns_that_are_there_twice_are_left_out():
    assert read("epoch,loss,lr,lr\n1,0.5,1,2\n", TABLE, 1) == {1: {"loss": 0.5}}


# --- epochs that come again --------------------------------------------------------------------------------------


def test_a_later_value_of_an_epoch_counts():
    # as after a crash within one start: from the last checkpoint on
    assert values("epoch,loss\n1,0.5\n2,0.4\n3,0.3\n2,0.45\n3,0.35\n", TABLE, 3) == [0.5, 0.45, 0.35]
    # a summary at the end
    assert values("epoch,loss\n1,0.5\n2,0.4\n3,0.45\n2,0.4\n", TABLE, 3) == [0.5, 0.4, 0.45]


def test_two_trainings_in_one_file_are_not_mixed():
    found = refused("epoch,loss\n1,0.5\n2,0.4\n3,0.3\n1,0.9\n2,0.8\n", TABLE, 3)
    assert "line 6 has 0.8 for epoch 2, after 0.4 in line 3 and after epoch 3, as if there were two trainings" in found


def test_a_counter_that_begins_again_is_told_by_a_key():
    content = "epoch,loss\n1,0.5\n2,0.4\nepoch,loss\n1,0.3\n2,0.2\n"
    assert values(content, {**TABLE, "counts_anew": True}, 4, begin=2) == [0.3, 0.2]
    assert values("epoch,loss\n1,0.3\n2,0.2\n", {**TABLE, "counts_anew": True}, 4, begin=2) == [0.3, 0.2]
    found = refused("epoch,loss\n1,0.3\n2,0.2\n", TABLE, 4, begin=2)
    assert "but 1 to 2; if each start counts its epochs anew, set target.metrics.counts_anew: true" in found
    # and one that goes on is not shifted
    found = refused("epoch,loss\n3,0.3\n4,0.2\n", {**TABLE, "counts_anew": True}, 4, begin=2)
    assert "must hold epochs up to 4, found 6" in found
    assert "if it goes on, set target.metrics.counts_anew: false" in found


def test_a_count_from_zero_with_an_epoch_too_many_is_refused_as_all_would_be_one_late():
    zero = {**TABLE, "counts_from_zero": True}
    before_training = "epoch,loss\n0,9\n1,0.5\n2,0.4\n"
    found = refused(before_training, zero, 2)
    assert "must hold epochs from 0 to 1 in its own count from 0, found 2, too, with another loss; if epoch 0" in found
    assert values(before_training, TABLE, 2) == [0.5, 0.4]
    # as Trainer.validate() of Lightning writes after the training
    assert values("epoch,loss\n0,0.5\n1,0.4\n2,0.4\n", zero, 2) == [0.5, 0.4]
    assert values("epoch,loss,x\n0,0.5,\n1,0.4,\n2,,9\n", zero, 2) == [0.5, 0.4]


def test_epochs_that_are_not_there_are_told_with_the_key_or_the_reason():
    zero = {**TABLE, "counts_from_zero": True}
    assert "but 2 to 3; if its first epoch is 1, set target.metrics.counts_from_zero: false" in refused(
        "epoch,loss\n1,0.5\n2,0.4\n", zero, 2
    )
    assert "but 3 to 4; if the program ends by itself (early stopping), switch that off" in refused(
        "epoch,loss\n3,0.5\n4,0.4\n", TABLE, 6, begin=2
    )
    assert "but 2 to 6; if the program reports every n-th epoch, set" in refused(
        "epoch,loss\n2,0.5\n4,0.4\n6,0.3\n", TABLE, 6
    )


# --- a metric of every n-th epoch --------------------------------------------------------------------------------

SECOND = "epoch,train,loss\n1,9,\n2,8,0.5\n3,7,\n4,6,0.4\n5,5,\n6,4,0.3\n"


def test_the_search_counts_reports_where_every_says_so():
    assert read(SECOND, {**TABLE, "every": 2}, 3) == {
        1: {"train": 8.0, "loss": 0.5},
        2: {"train": 6.0, "loss": 0.4},
        3: {"train": 4.0, "loss": 0.3},
    }
    assert values(SECOND, {**TABLE, "every": 2}, 3, begin=1) == [0.4, 0.3]


def test_the_last_value_counts_on_where_missing_says_so_also_from_the_start_before():
    later = {**TABLE, "missing": "last"}
    assert values(SECOND, later, 6, begin=2, last={"loss": 0.5}) == [0.5, 0.4, 0.4, 0.3]
    assert values("epoch,train\n3,1\n", later, 3, begin=2, last={"loss": 0.5}) == [0.5]
    assert values("epoch,train\n", {**later, "counts_from_zero": True}, 3, begin=2, last={"loss": 0.5}) == [0.5]
    assert "must hold loss before or at epoch 1, from which it could count on, found none" in refused(SECOND, later, 6)


@pytest.mark.parametrize("word", ["nan", "-nan(ind)", "1.#QNAN", "-1.#IND00", "1.#INF", "Infinity", "-inf"])
def test_every_word_for_what_is_not_finite_is_divergence(word):
    assert not math.isfinite(values(f"epoch,loss\n1,0.5\n2,{word}\n", TABLE, 3)[1])


def test_an_empty_cell_is_divergence_where_missing_says_so():
    found = values("epoch,loss\n1,0.5\n2,\n", {**TABLE, "missing": "diverged"}, 4)
    assert found == pytest.approx([0.5, NAN], nan_ok=True)
    assert "none of epoch 3" in refused("epoch,loss\n1,0.5\n2,0.4\n", {**TABLE, "missing": "diverged"}, 4)
    assert refused("epoch,loss\n1,0.5\n2,\n", TABLE, 2).endswith("if it stands for a NaN, missing: diverged")


# --- JSON --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        [
            {"epoch": 1, "loss": 0.5, "best": True, "batches": [{"loss": 9}]},
            {"epoch": 2, "loss": 0.4, "config": {"lr": 1}},
        ],
        {"log_history": [{"epoch": 1.0, "loss": 0.5}, {"epoch": 2.0, "loss": 0.4}], "epoch": 2.0},
        {"callbacks": [{"name": "x"}], "rows": [{"epoch": "1", "loss": "0.5"}, {"epoch": "2", "loss": "0.4"}]},
        {"epoch": [1, 2], "loss": [0.5, 0.4], "val": [1], "name": "x"},
        {"1": {"loss": 0.5}, "2": {"loss": 0.4}},
        {"epoch": {"0": 1, "1": 2}, "loss": {"0": 0.5, "1": 0.4}, "note": {"0": "x", "1": None}},
    ],
)
def test_json_holds_records_or_columns(content):
    assert values(json.dumps(content), RECORDS, 2) == [0.5, 0.4]


def test_json_without_an_epoch_has_values_in_turn():
    assert values(json.dumps({"loss": [0.5, 0.4], "val": [1]}), {"format": "json"}, 2) == [0.5, 0.4]


@pytest.mark.parametrize("word", ["NaN", '"null"', '"nan"', "Infinity"])
def test_what_json_has_for_a_number_that_is_not_finite_is_divergence(word):
    line = '{"epoch": 1, "loss": 0.5}\n{"epoch": 2, "loss": ' + word + "}\n"
    assert not math.isfinite(values(line, LINES, 3)[1])
    assert len(values("[" + line.strip().replace("\n", ",") + "]", RECORDS, 3)) == 2


def test_json_null_is_not_measured():
    content = '{"epoch": 1, "loss": 0.5}\n{"epoch": 1, "loss": null}\n{"epoch": 2, "loss": null}\n'
    assert values(content, LINES, 1) == [0.5]
    assert "must hold loss for epoch 2, found an empty cell in line 3" in refused(content, LINES, 2)


def test_a_loss_that_transformers_logs_as_zero_is_the_nan_that_it_was():
    records = [{"epoch": 1.0, "grad_norm": 2.0, "loss": 0.5}, {"epoch": 2.0, "grad_norm": NAN, "loss": 0.0}]
    assert values(json.dumps({"log_history": records}), {"writer": "huggingface"}, 3) == pytest.approx(
        [0.5, NAN], nan_ok=True
    )
    # a sound one may overflow in a step, which its scaler leaves out, or be perfect
    records = [{"epoch": 1.0, "grad_norm": NAN, "loss": 0.5}, {"epoch": 2.0, "grad_norm": 0.0, "loss": 0.0}]
    assert values(json.dumps({"log_history": records}), {"writer": "huggingface"}, 2) == [0.5, 0.0]


def test_metrics_below_others_are_named_by_their_path():
    assert values('{"epoch": 1, "eval": {"loss": 0.5}}', LINES, 1, metric="eval/loss") == [0.5]


def test_what_is_printed_between_json_lines_and_a_torn_last_one_do_not_count():
    content = 'loading ...\n{"epoch": 1, "loss": 0.5}\n[1/2] done\n{"epoch": 2, "loss": 0.4}\n{"epoch": 3, "lo'
    assert values(content, LINES, 2) == [0.5, 0.4]
    prefixed = '12:00 metrics {"epoch": 1, "loss": 0.5}\n12:01 hello\n'
    assert values(prefixed, {**LINES, "pattern": r"metrics (?P<json>\{.*)"}, 1) == [0.5]


@pytest.mark.parametrize(
    ("content", "given", "needed"),
    [
        (
            "{'epoch': 1}\n{}\n",
            LINES,
            "line 1 must be a JSON object, found '{'epoch': 1}'; a dict as Python prints it is",
        ),
        ("epoch,loss\n1,0.5\n", LINES, "found no line with a JSON object"),
        (
            '{"log_history": [], "epoch": 0.5, "x": {}}',
            RECORDS,
            "must hold metrics of the epochs 1 to 1, found no rows",
        ),
        ('[1, 2]\n{"epoch": 1, "loss": 1}', LINES, "line 1 must be a JSON object, found '[1, 2]'"),
        ('{"epoch": 1, "loss": "tensor(0.5)"}', LINES, "line 1, column loss must hold numbers, found 'tensor(0.5)'; w"),
        ('{"epoch": 1, "loss": [1]}', LINES, "line 1, column loss must hold numbers, found [1]"),
        ('{"epoch": 1, "loss": 1, "loss": 2}', LINES, "line 1, column loss must hold numbers, found [1, 2]"),
        ('{"epoch": 1, "loss": true}', LINES, "line 1, column loss must hold numbers, found true"),
        ('{"epoch": "x", "loss": 1}', LINES, "line 1, column epoch must hold epochs as numbers, found 'x'"),
        ('{"epoch": 1, "los": 1}', LINES, "must have a column loss, as target.metric says, found epoch, los; did you"),
        ('[{"epoch": 1, "loss": "x"}]', RECORDS, "record 1, column loss must hold numbers, found 'x'"),
        ("[1, 2]", RECORDS, "must hold a list of records, an object with such a list in it"),
        ('"text"', RECORDS, "must hold a list of records"),
        ("{}", RECORDS, "found an object of nothing"),
        ('{"a": {"b": 1}}', RECORDS, "found an object of a"),
        ('[{"epoch": 1', RECORDS, "must be a JSON file, found Expecting ',' delimiter"),
        ("[" * 100000, RECORDS, "must be a JSON file, found "),
        ('{"epoch": [1], "loss": [1, 2]}', RECORDS, "must have as many values of loss as of epoch, found 2 and 1"),
        (
            '{"a": [{"loss": 1}], "b": [{"loss": 2}]}',
            RECORDS,
            "must hold loss in one list of records, found it in a, b",
        ),
        ('{"meta": 1, "iterations": [1]}', RECORDS, "must hold meta and iterations as CatBoost writes them"),
        ('[{"epoch": 1, "loss": 1' + "0" * 5000 + "}]", RECORDS, "must be a JSON file, found Exceeds the limit"),
    ],
)
def test_json_that_cannot_be_read_is_told_in_one_line(content, given, needed):
    assert needed in refused(content, given, 1)


# --- what is printed ---------------------------------------------------------------------------------------------


def printed(pattern, **more):
    return {"format": "regex", "pattern": pattern, **more}


def test_named_groups_are_metrics_and_what_matches_nothing_is_not_measured():
    pattern = r"^Epoch (?P<epoch>\d+)(?:: loss (?P<loss>\S+))?(?: acc (?P<acc>\S+))?"
    content = "Epoch 1: loss 0.5\nEpoch 1 acc 0.9\n\x1b[0mnoise \xff\rEpoch 2: loss 0.4 acc 0.8\n".encode("latin-1")
    assert read(content, printed(pattern), 2) == {1: {"loss": 0.5, "acc": 0.9}, 2: {"loss": 0.4, "acc": 0.8}}
    assert "line 1, column loss must hold numbers, found '0.5,'" in refused("Epoch 1: loss 0.5,\n", printed(pattern), 1)
    assert "found no place where target.metrics.pattern fits" in refused("nothing\n", printed(pattern), 1)


def test_an_epoch_and_its_metric_must_be_of_one_match():
    content = "Epoch 1/9\n10/10 - loss: 0.5\n"
    found = refused(content, printed(r"^Epoch (?P<epoch>\d+)|loss: (?P<loss>\S+)"), 1)
    assert "must hold loss for epoch 1, found none in line 1; one match of target.metrics.pattern must take b" in found
    assert values(content, printed(r"^Epoch (?P<epoch>\d+)/(?:.|\n)*?loss: (?P<loss>\S+)"), 1) == [0.5]


def test_the_group_of_the_epoch_may_have_another_name():
    given = printed(r"it (?P<it>\d+) loss (?P<loss>\S+)", epoch="it", counts_from_zero=True)
    assert values("it 0 loss 0.5\nit 1 loss 0.4\n", given, 2) == [0.5, 0.4]


def test_lines_of_a_booster_are_read_whatever_its_metrics_are_called():
    keys = {"writer": "xgboost"}
    content = "[12:00:00] WARNING:\tnot: 1\n[0]\ta-rmse:0.5\n\tb: 3\n[1]\ta-rmse:0.4\tb-auc@2:0.9\nbye\tx:1\n"
    assert read(content, keys, 2, metric="a-rmse") == {1: {"a-rmse": 0.5}, 2: {"a-rmse": 0.4, "b-auc@2": 0.9}}
    found = refused("[0]\ta-rmse:0.5+0.1\n", keys, 1, metric="a-rmse")
    assert "line 1, column a-rmse must hold numbers, found '0.5+0.1'" in found


@pytest.mark.parametrize(
    ("pattern", "line", "taken"),
    [
        (r"loss: (?P<loss>[\d.]+)", "loss: 1.5e-05", "loss takes '1.5' of '1.5e-05'"),
        (r"loss: (?P<loss>\d+)", "loss: 12.5", "loss takes '12' of '12.5'"),
        (r"loss.*(?P<loss>\d+\.\d+)", "loss: 13.21", "loss takes '3.21' of '13.21'"),
        (r"loss.*?(?P<loss>\d+\.\d+)", "loss: -0.5", "loss takes '0.5' of '-0.5'"),
        (r"loss: 0\.(?P<loss>\d+)", "loss: 0.25", "loss takes '25' of '0.25'"),
        (r"epoch (?P<epoch>\d+).*loss: (?P<loss>\S+)", "epoch 0.5 loss: 1", "epoch takes '0' of '0.5'"),
        (r"epoch (?P<epoch>\d).*loss: (?P<loss>\S+)", "epoch 12/90 loss: 1", "epoch takes '1' of '12'"),
        (r"(?P<name>loss): (?P<value>[\d.]+)", "loss: 2E3", "value takes '2' of '2E3'"),
    ],
)
def test_an_expression_that_takes_a_piece_of_a_number_is_refused(pattern, line, taken):
    found = refused(f"hello\n{line}\n", printed(pattern), 1, kind=UserError)
    assert f"target.metrics.pattern: must take whole numbers, found that {taken} in line 2 of log" in found


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (r"loss: (?P<loss>[\d.]+)", "loss: 0.5, acc: 1"),
        (r"loss: (?P<loss>[\d.]+)", "loss: 0.5e"),
        (r"loss: (?P<loss>\d.\d)", "loss: 0.5. Next"),
        (r"loss\D*(?P<loss>[\d.]+)", "loss...0.5"),
        (r"0*(?P<epoch>\d+)/\d+ loss (?P<loss>\S+)", "epoch 001/100 loss 0.5"),
        (r"(?P<epoch>\d+),(?P<loss>\S+)", "1,0.5"),
        (r"'loss': '(?P<loss>\d.\d).*'epoch': (?P<epoch>\d+)", "{'loss': '0.50', 'epoch': 1.0}"),
        (r"epoch=(?P<epoch>\d+)-loss-(?P<loss>[\d.]+)", "epoch=1-loss-0.5"),
        (r"epoch-(?P<epoch>\d+)-(?P<loss>[\d.]+)", "epoch-1-0.5"),
        (r"12:00:(?P<second>\d)\d (?P<loss>\S+)", "12:00:01 0.5"),
        (r"loss: (?P<loss>-?[\d.]+(?:[eE][-+]?\d+)?)", "loss: 5e-1"),
    ],
)
def test_an_expression_that_takes_whole_numbers_is_not(pattern, line):
    assert values(f"{line}\n", printed(pattern), 1) == [0.5]


def test_an_expression_that_tries_without_end_is_ended_and_named(monkeypatch):
    monkeypatch.setattr(patterns, "PATIENCE", 0.2)
    found = refused("x" * 60 + "!\n", printed(r"^(?:(?:x+)+)+(?P<loss>\d)$"), 1, kind=UserError)
    assert found.startswith("target.metrics.pattern: must find its place in log (61 letters) within 0 s, found that it")
    assert values("loss 1\n", printed(r"loss (?P<loss>\d)"), 1) == [1.0]
    endless = {**LINES, "pattern": r"^(?:(?:x+)+)+(?P<json>\{)"}
    assert refused("x" * 60 + "!\n", endless, 1, kind=UserError).startswith(
        "target.metrics.pattern: must find its place"
    )


# --- in turn -----------------------------------------------------------------------------------------------------

IN_TURN = {"format": "csv"}


def test_without_an_epoch_a_file_of_this_start_has_its_own_values_or_all():
    assert values("loss\n0.3\n0.2\n", IN_TURN, 4, begin=2) == [0.3, 0.2]
    assert values("loss\n0.5\n0.4\n0.3\n0.2\n", IN_TURN, 4, begin=2) == [0.3, 0.2]
    assert values("loss\n0.5\nloss\n0.4\n", IN_TURN, 2) == [0.5, 0.4]


@pytest.mark.parametrize("count", [3, 5, 6])
def test_without_an_epoch_another_number_of_values_is_refused(count):
    found = refused("loss\n" + "0.5\n" * count, IN_TURN, 4, begin=2, kind=UserError)
    assert "must hold one value of loss for each of the epochs 3 to 4 (2), or for all from 1 on (4), found" in found
    assert found.endswith("name the column of the epoch: target.metrics.epoch")


def test_without_an_epoch_too_few_values_are_the_programs_failure():
    assert refused("loss\n0.5\n", IN_TURN, 2).endswith("for each of the epochs 1 to 2 (2), found 1")


def test_without_an_epoch_a_training_that_diverges_may_end_early():
    assert values("loss\n0.5\nnan\n", IN_TURN, 9) == pytest.approx([0.5, NAN], nan_ok=True)
    assert values("loss\n0.5\nnan\n", IN_TURN, 9, begin=2) == pytest.approx([0.5, NAN], nan_ok=True)
    # of the epochs 1 to 3 or 3 to 5
    assert "found 3" in refused("loss\n0.5\n0.4\nnan\n", IN_TURN, 9, begin=2)


def test_without_an_epoch_rows_without_the_metric_are_none():
    assert values("loss,acc\n0.5,\n,0.1\n0.4,\n", IN_TURN, 2) == [0.5, 0.4]
    assert values("loss,acc\n0.5,1\n,2\n", {**IN_TURN, "missing": "last"}, 2) == [0.5, 0.5]


# --- which rows are of this start --------------------------------------------------------------------------------


class Log:
    """A log of a program that has been started before."""

    def __init__(self, content, name="log.csv"):
        self.path = Path(name).absolute()
        self.path.write_text(content)
        os.utime(self.path, (1, 1))
        self.before = before_start(str(self.path))

    def read(self, given, begin, end):
        files = written(str(self.path), self.before)
        return [row["loss"] for row in measured(files, section(**given), Wanted("loss", begin, end)).values()]


@pytest.mark.parametrize(
    ("given", "old", "new"),
    [
        (IN_TURN, "loss\n1\n2\n", "3\n4\n"),
        (IN_TURN, "loss\n1\n2\n", "loss\n3\n4\n"),
        (IN_TURN, "loss\n1\n2\n9\n", "3\n4\n"),
        (TABLE, "epoch,loss\n1,1\n2,2\n3,9\n", "3,3\n4,4\n"),
        (TABLE, '"epoch","loss"\r\n1,1\r\n', "3,3\r\n4,4\r\n"),
        ({**TABLE, "counts_anew": True}, "epoch,loss\n1,1\n2,2\n3,8\n4,9\n", "epoch,loss\n1,3\n2,4\n"),
        (LINES, '{"epoch": 1, "loss": 1}\n', '{"epoch": 3, "loss": 3}\n{"epoch": 4, "loss": 4}\n'),
        (LINES, '{"epoch": 4, "loss": 9}\n', '{"epoch": 3, "loss": 3}\n{"epoch": 4, "loss": 4}'),
        (printed(r"^loss (?P<loss>\d)"), "loss 1\n\nloss 9\n", "loss 3\nloss 4\n"),
    ],
)
def test_of_a_log_that_is_appended_to_the_new_lines_count(given, old, new):
    log = Log(old)
    with log.path.open("a") as file:
        file.write(new)
    assert log.read(given, 2, 4) == [3, 4]


def test_a_log_that_is_written_whole_again_counts_whole():
    log = Log("loss\n1\n2\n")
    log.path.write_text("loss\n1\n2\n3\n4\n")
    assert log.read(IN_TURN, 2, 4) == [3, 4]
    log = Log("loss\n1\n2\n")
    log.path.write_text("loss\n1.5\n2.5\n3\n4\n")
    assert log.read(IN_TURN, 2, 4) == [3, 4]
    # the same bytes, as a start that was killed after it left them
    log = Log("epoch,loss\n1,1\n2,2\n3,3\n4,4\n")
    log.path.write_text("epoch,loss\n1,1\n2,2\n3,3\n4,4\n")
    assert log.read(TABLE, 2, 4) == [3, 4]


@pytest.mark.parametrize("given", [IN_TURN, TABLE])
def test_a_log_that_a_start_left_as_it_was_is_refused(given):
    log = Log("epoch,loss\n1,1\n2,2\n3,3\n4,4\n")
    with pytest.raises(
        ProgramError, match=r"log\.csv must be written by each start of the program, found that this one"
    ):
        log.read(given, 2, 4)


def test_without_an_epoch_the_same_values_as_before_are_refused_unless_they_are_all():
    log = Log("loss\n1\n2\n")
    log.path.write_text("loss\n1\n2\n")
    with pytest.raises(ProgramError, match=r"found the same values as before; where that is right, name the column of"):
        log.read(IN_TURN, 2, 4)
    # as a start that was killed after it left them
    log = Log("loss\n1\n2\n3\n4\n")
    log.path.write_text("loss\n1\n2\n3\n4\n")
    assert log.read(IN_TURN, 2, 4) == [3, 4]


def test_epochs_of_an_earlier_start_do_not_fill_gaps():
    log = Log("epoch,loss\n1,1\n2,2\n3,9\n")
    with log.path.open("a") as file:
        file.write("4,4\n")
    with pytest.raises(ProgramError, match="epochs 3 to 4 in what this start wrote, found none of epoch 3, but 4"):
        log.read(TABLE, 2, 4)
    log = Log("loss\n1\n2\n9\n")
    log.path.touch()
    with pytest.raises(UserError, match="found 3; name the column of the epoch"):
        log.read(IN_TURN, 2, 4)


def test_a_line_that_an_earlier_start_left_half_written_is_not_glued():
    log = Log("loss\n1\n0")
    with log.path.open("a") as file:
        file.write("3\n4\n")
    with pytest.raises(ProgramError, match=r"log\.csv: must end with a whole line .* found that line 3 was left half"):
        log.read(IN_TURN, 2, 4)


def test_a_place_without_a_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(ProgramError, match=r"/x\[1\]\.csv must hold the program's metrics, found no such file"):
        written(f"{tmp_path}/x[[]1].csv", {})
    with pytest.raises(
        ProgramError, match=r"must be a file with the program's metrics, found a folder; name the file in"
    ):
        written(str(tmp_path), {})


def test_files_that_fit_a_place_must_agree(tmp_path):
    for name, loss in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.csv").write_text(f"epoch,loss\n1,{loss}\n")
    files = written(f"{tmp_path}/*/log.csv", {})
    with pytest.raises(
        UserError, match=r"target\.metrics\.path: must fit one file, or files that agree, found 1 and 2"
    ):
        measured(files, section(**TABLE), Wanted("loss", 0, 1))
    with pytest.raises(UserError, match=r"must fit one file where target\.metrics\.epoch is left out"):
        measured(files, section(**IN_TURN), Wanted("loss", 0, 1))


# --- the section of the study file -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ({}, "format must be given, or writer, found neither"),
        ({"writer": "keras"}, "path must name the file that the program writes"),
        ({"format": "tensorboard"}, "path must name the file"),
        ({"format": "regex", "pattern": "x{99999999999}(?P<loss>.)"}, "pattern must be a regular expression"),
        (
            {"format": "regex", "pattern": "(?P<loss>.)", "epoch": "it"},
            "epoch must be a named group of pattern, found 'i",
        ),
        ({"format": "jsonl", "pattern": "x(.*)"}, "pattern must have the named group json"),
    ],
)
def test_keys_that_cannot_be_right_are_told_at_load(given, needed):
    with pytest.raises(ValidationError) as error:
        MetricsFile.model_validate(given)
    [detail] = error.value.errors()
    assert isinstance(detail["ctx"]["error"], InvalidKeysError)
    assert str(detail["ctx"]["error"]).startswith(needed)


def test_a_metric_that_the_pattern_cannot_find_is_told_at_load():
    metrics = {"format": "regex", "pattern": "(?P<los>.)"}
    with pytest.raises(ValueError, match=r"metrics\.pattern must have the named group loss, as target\.metric says"):
        Target.model_validate({"command": "x", "metrics": metrics, "metric": "loss", "mode": "min"})


def test_what_the_user_gives_wins_over_what_the_writer_fills():
    keys = section(writer="catboost", path="here", counts_anew=False)
    assert (keys.format, keys.path, keys.epoch, keys.counts_from_zero, keys.counts_anew) == (
        "tsv",
        "here",
        "iter",
        True,
        False,
    )


def test_a_section_frozen_before_keys_came_has_their_defaults():
    old = {"format": "csv", "path": "x", "epoch": "epoch", "counts_from_zero": True, "pattern": None}
    assert Keys.of(old) == section(format="csv", path="x", epoch="epoch", counts_from_zero=True)


def test_an_expression_can_be_looked_for_outside_of_the_main_thread():
    found = []
    thread = threading.Thread(target=lambda: found.extend(values("loss 1\n", printed(r"loss (?P<loss>\d)"), 1)))
    thread.start()
    thread.join()
    assert found == [1.0]

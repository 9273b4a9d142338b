"""Files that real libraries wrote, read as a study reads them: the values that the training itself measured."""

import importlib.util
import json
import math
import shutil
from pathlib import Path
from typing import get_args

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.study.target import MetricsFile
from swift_hyperband.targets.program.files import ProgramError, Written, before_start, written
from swift_hyperband.targets.program.metrics import Keys, Wanted, measured
from swift_hyperband.targets.program.writers import WRITERS

HERE = Path(__file__).parent / "writers"
TAGGED = {"writer": "tensorboard", "counts_from_zero": True}
SECOND_JSON = {"format": "json", "epoch": "iteration"}

# case, what the study has beside `writer`, metric as the file names it, epochs before this start, name in expected.json
CASES = [
    ("catboost/first_tsv", {}, "RMSE", 0, None),
    ("catboost/second_tsv", {}, "MAE", 5, None),
    ("catboost/snapshot_tsv", {"counts_anew": False}, "RMSE", 0, None),
    ("catboost/snapshot_tsv", {"counts_anew": False}, "RMSE", 5, None),
    ("catboost/first_json", SECOND_JSON, "test/RMSE", 0, "RMSE"),
    ("catboost/second_json", SECOND_JSON, "test/MAE", 5, "MAE"),
    ("fastai/first", {}, "valid_loss", 0, None),
    ("fastai/second", {}, "mae", 3, None),
    ("fastai/overwritten", {}, "valid_loss", 3, None),
    ("huggingface/first", {}, "eval_loss", 0, None),
    ("huggingface/checkpoint", {}, "eval_accuracy", 0, None),
    ("huggingface/second", {}, "eval_loss", 3, None),
    ("huggingface/eval_on_start", {}, "eval_loss", 0, None),
    ("huggingface/eval_on_start", {}, "eval_accuracy", 1, None),
    ("huggingface/diverged", {}, "eval_loss", 0, None),
    ("keras/first", {}, "val_loss", 0, None),
    ("keras/second", {}, "val_mae", 3, None),
    ("keras/diverged", {}, "val_loss", 0, None),
    ("keras/every_second", {}, "loss", 0, None),
    ("keras/every_second", {"every": 2}, "val_loss", 0, None),
    ("lightgbm/first", {}, "val's l2", 0, None),
    ("lightgbm/second", {}, "val's l1", 4, None),
    ("lightgbm/every_fifth", {"every": 5}, "val's l2", 0, None),
    ("lightning/first", {}, "val_loss", 0, None),
    ("lightning/first", {}, "train_loss_epoch", 0, None),
    ("lightning/second", {}, "val_loss", 3, None),
    ("lightning/every_second", {"every": 2}, "val_loss", 0, None),
    ("lightning/twice", {}, "val_loss", 0, None),
    ("lightning/twice", {}, "train_loss_epoch", 1, None),
    ("skorch/first", {}, "valid_loss", 0, None),
    ("skorch/second", {}, "valid_loss", 3, None),
    ("skorch/scored", {}, "valid_mae", 0, None),
    ("ray/first", {}, "val_loss", 0, None),
    ("ray/second", {}, "val_loss", 3, None),
    ("ray/diverged", {}, "val_loss", 0, None),
    ("ray/diverged_python", {}, "val_loss", 0, None),
    ("syne_tune/first", {}, "val_loss", 0, None),
    ("syne_tune/second", {}, "val_loss", 3, None),
    ("syne_tune/diverged", {}, "val_loss", 0, None),
    ("ultralytics/first", {}, "metrics/mAP50(B)", 0, None),
    ("ultralytics/second", {}, "val/box_loss", 2, None),
    ("xgboost/first", {}, "validation-rmse", 0, None),
    ("xgboost/second", {}, "validation-mae", 4, None),
    ("tensorboard/first", {"counts_from_zero": True}, "val/loss", 0, None),
    ("tensorboard/second", {"counts_from_zero": True}, "val/loss", 3, None),
    ("tensorboard/tensors", {"counts_from_zero": True}, "val/loss", 0, None),
    ("lightning/events", {**TAGGED, "epoch": "epoch"}, "val_loss", 0, None),
    ("lightning/events", {**TAGGED, "epoch": "epoch"}, "train_loss_epoch", 1, None),
]


def writer_of(case):
    return case.partition("/")[0].replace("_", "-")


def the_file(case):
    return next(path for path in sorted((HERE / case).iterdir()) if path.name != "expected.json")


def expected(case, metric):
    """Return what the training measured by epoch, up to the first value that is not finite, and how exact it is."""
    told = json.loads((HERE / case / "expected.json").read_text())
    values = {int(epoch): row[metric] for epoch, row in told["epochs"].items() if metric in row}
    return dict(sorted(values.items())), told["tolerance"]


def keys_of(writer, given, path="x"):
    return Keys.of(MetricsFile.model_validate({"writer": writer, "path": path, **given}).model_dump())


def read(case, given, metric, begin, end):
    keys = keys_of(writer_of(case), given)
    return measured([Written(the_file(case))], keys, Wanted(metric, begin, end))


@pytest.mark.parametrize(
    ("case", "given", "metric", "begin", "name"), CASES, ids=[f"{c[0]}-{c[2]}-{c[3]}" for c in CASES]
)
def test_a_start_of_a_known_writer_has_the_values_that_its_training_measured(case, given, metric, begin, name):
    if "tfevents" in the_file(case).name and importlib.util.find_spec("tensorboard") is None:
        pytest.skip("event files are read by the package tensorboard, which is not installed")
    values, tolerance = expected(case, name or metric)
    every = given.get("every", 1)
    end = max(values) // every
    found = {epoch: row[metric] for epoch, row in read(case, given, metric, begin, end).items()}
    needed = {}
    for epoch in range(begin + 1, end + 1):
        needed[epoch] = values[epoch * every]
        if not math.isfinite(needed[epoch]):
            break
    assert list(found) == list(needed)
    assert found == pytest.approx(needed, rel=tolerance, abs=0, nan_ok=True)


def test_every_writer_is_a_word_of_the_study_file_and_has_a_file_of_its_own_here():
    words = {word for option in get_args(MetricsFile.model_fields["writer"].annotation) for word in get_args(option)}
    assert words == set(WRITERS) == {writer_of(case) for case, *_ in CASES}


def test_iterations_between_reports_take_the_last_value():
    found = read("catboost/every_fourth_tsv", {"missing": "last"}, "RMSE", 0, 9)
    values, _ = expected("catboost/every_fourth_tsv", "RMSE")
    assert [found[epoch]["RMSE"] for epoch in range(1, 10)] == pytest.approx(
        [values[1]] * 4 + [values[5]] * 4 + [values[9]]
    )


def test_iterations_between_reports_are_an_error_that_names_the_keys():
    with pytest.raises(ProgramError) as error:
        read("catboost/every_fifth_tsv", {}, "RMSE", 0, 8)
    assert (
        "found none of epoch 2, but 1 to 8; if the program reports every n-th epoch, set target.metrics.every: n"
        in str(error.value)
    )
    with pytest.raises(ProgramError, match=r"must hold val_loss for epoch 1, found an empty cell in line 2; if the "):
        read("keras/every_second", {}, "val_loss", 0, 4)


def test_a_checkpoint_of_an_earlier_epoch_that_lies_beside_does_not_disturb(tmp_path):
    for name, case in (("checkpoint-14", "checkpoint"), ("checkpoint-35", "second")):
        (tmp_path / name).mkdir()
        shutil.copy(the_file(f"huggingface/{case}"), tmp_path / name)
    files = written(f"{tmp_path}/**/trainer_state.json", {})
    values, _ = expected("huggingface/second", "eval_loss")
    found = measured(files, keys_of("huggingface", {}), Wanted("eval_loss", 0, 5))
    assert {epoch: row["eval_loss"] for epoch, row in found.items()} == values


def events(folder, losses):
    """Write an event file with a loss for each step."""
    pytest.importorskip("tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    for step, loss in enumerate(losses):
        writer.add_event(Event(step=step, summary=Summary(value=[Summary.Value(tag="loss", simple_value=loss)])))
    writer.close()


def test_all_points_of_an_event_file_are_read(tmp_path):
    events(tmp_path, range(12_000))
    keys = keys_of("tensorboard", {"counts_from_zero": True})
    found = measured(written(str(tmp_path), {}), keys, Wanted("loss", 0, 12_000))
    assert [found[epoch]["loss"] for epoch in range(1, 12_001)] == list(range(12_000))


def test_steps_of_training_are_epochs_by_the_tag_that_tells_them_or_by_their_number_in_an_epoch():
    pytest.importorskip("tensorboard")
    values, tolerance = expected("lightning/events", "val_loss")
    found = read("lightning/events", {**TAGGED, "every": 10}, "val_loss", 0, 3)
    assert [row["val_loss"] for row in found.values()] == pytest.approx(list(values.values()), rel=tolerance)
    with pytest.raises(ProgramError, match=r"found none of epoch 1, but 4 to 30; if the program reports every n-th"):
        read("lightning/events", TAGGED, "val_loss", 0, 3)
    with pytest.raises(ProgramError, match=r"must have the column epochs of epochs, found .*; did you mean epoch\?"):
        read("lightning/events", {**TAGGED, "epoch": "epochs"}, "val_loss", 0, 3)


def test_event_files_of_earlier_starts_are_not_read_again(tmp_path):
    pytest.importorskip("tensorboard")
    shutil.copy(the_file("tensorboard/first"), tmp_path)
    before = before_start(str(tmp_path))
    shutil.copy(the_file("tensorboard/second"), tmp_path)
    files = written(str(tmp_path), before)
    assert [file.path.name for file in files] == [the_file("tensorboard/second").name]


def test_event_files_of_two_folders_must_agree(tmp_path):
    events(tmp_path / "train", [0.5, 0.4])
    events(tmp_path / "validation", [0.9, 0.8])
    keys = keys_of("tensorboard", {"counts_from_zero": True})
    with pytest.raises(UserError, match=r"target\.metrics\.path: must fit one file, or files that agree, found "):
        measured(written(str(tmp_path), {}), keys, Wanted("loss", 0, 2))
    found = measured(written(str(tmp_path / "validation"), {}), keys, Wanted("loss", 0, 2))
    assert [row["loss"] for row in found.values()] == pytest.approx([0.9, 0.8])


def test_without_the_package_tensorboard_one_line_names_it():
    if importlib.util.find_spec("tensorboard") is not None:
        pytest.skip("tensorboard is installed")
    with pytest.raises(Exception, match=r"tensorboard needs packages that are not installed, found no module"):
        read("tensorboard/first", {}, "val/loss", 0, 3)

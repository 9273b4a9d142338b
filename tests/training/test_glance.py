"""A glance at a trial's folder sees what reading all of it finds, and leaves what looks odd to that."""

import json

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import Metric
from swift_hyperband.training import glance, trial
from swift_hyperband.training.glance import Glance

LAST, BEST = Metric("loss", "min"), Metric("loss", "min", "best")
ROW = '{"epoch": 1, "loss": 0.5, "seconds": 1.0}\n'


def rows(*losses, **more):
    return [{"epoch": epoch, "loss": loss, **more, "seconds": 0.5} for epoch, loss in enumerate(losses, 1)]


def read(folder, metric):
    return Glance.of(trial.state_of(folder, metric.name), metric)


def look(folder, metric):
    return glance.look(str(folder), metric, (folder / trial.FAILURES).exists())


CURVES = {
    "nothing": [],
    "one": rows(0.25),
    "many": rows(*(1 / epoch for epoch in range(1, 200))),
    "rising": rows(0.1, 0.2, 0.3),
    "whole numbers": rows(3, 2, 1),
    "further metrics": rows(0.5, 0.4, accuracy=0.9, **{"val.loss": None, "größe": 1.0}),
    "diverged": rows(0.5, 0.4, None),
    "diverged at once": rows(None),
    "tiny": rows(1e-300, -1e300),
}


@pytest.mark.parametrize("metric", [LAST, BEST], ids=["last", "best"])
@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_a_glance_sees_what_reading_finds(curve, metric, tmp_path):
    if curve:
        trial.write_rows(tmp_path, curve)
    # nan is not equal to itself
    assert str(look(tmp_path, metric)) == str(read(tmp_path, metric))


@pytest.mark.parametrize("metric", [LAST, BEST], ids=["last", "best"])
def test_a_failed_trial_keeps_what_it_reached(metric, tmp_path):
    trial.write_rows(tmp_path, rows(0.5, 0.25))
    trial.count_crash(tmp_path, "error", "traceback", retries=0)
    assert look(tmp_path, metric) == Glance("failed", 2, 2, 0.25) == read(tmp_path, metric)


def test_another_metric_with_a_similar_name_is_not_taken_for_it(tmp_path):
    trial.write_rows(tmp_path, [{"epoch": 1, "train loss": 0.1, "loss": 0.5, "seconds": 1.0}])
    assert look(tmp_path, LAST).value == 0.5
    assert look(tmp_path, Metric("train loss", "min")).value == 0.1
    with pytest.raises(UserError, match="must hold the metric accuracy, found loss, train loss"):
        look(tmp_path, Metric("accuracy", "max"))


@pytest.mark.parametrize(
    "text",
    [
        "no row\n",
        ROW + "{}\n",
        ROW + '{"epoch": 3, "loss": 0.5}\n',
        ROW + '{"epoch": 2, "loss": 0.5',
        ROW + '{"epoch": 2, "loss": "0.5"}\n',
        ROW + '{"epoch": 2, "loss": NaN}\n',
        ROW.replace("0.5", "NaN") + '{"epoch": 2, "loss": 0.5}\n',
        ROW.replace("0.5", "-Infinity") + '{"epoch": 2, "loss": 0.5}\n',
        ROW.replace("}", "") + '{"epoch": 2, "loss": 0.5}\n',
        ROW.replace("{", "") + '{"epoch": 2, "loss": 0.5}\n',
        ROW + "\n" + '{"epoch": 2, "loss": 0.5}\n',
        ROW.replace("\n", "") + '{"epoch": 2, "loss": 0.5}\n',
        ROW + '{"epoch": 2, "other": 0.5}\n',
        '{"epoch": 1, "other": 0.5}\n{"epoch": 2, "loss": 0.5}\n',
        '{"epoch": 2, "loss": 0.5}\n',
        ROW + '{"epoch": 2, "loss": 1e999}\n',
        ROW + '{"epoch": true, "loss": 0.5}\n',
        ROW + '[{"epoch": 2, "loss": 0.5}\n',
        ROW + "\0" * 20,
        "\0" * 20,
        "\n",
    ],
)
def test_what_is_no_curve_is_told_as_by_reading_it(text, tmp_path):
    (tmp_path / trial.CURVE).write_text(text)
    with pytest.raises(UserError) as expected:
        trial.state_of(tmp_path, "loss")
    with pytest.raises(UserError) as told:
        look(tmp_path, LAST)
    assert str(told.value) == str(expected.value)


def test_an_empty_curve_and_a_folder_in_its_place_are_as_by_reading_them(tmp_path):
    (tmp_path / trial.CURVE).touch()
    assert str(look(tmp_path, LAST)) == str(read(tmp_path, LAST))
    (tmp_path / trial.CURVE).unlink()
    (tmp_path / trial.CURVE).mkdir()
    with pytest.raises(UserError, match="must be a file, found a folder"):
        look(tmp_path, LAST)


BEGUN = {
    "none": [],
    "one": [1],
    "in a row": [1, 2, 3, 4],
    "from a state on": [4, 5, 6],
    "one again": [1, 2, 2, 3],
    "some again": [1, 2, 3, 2, 3, 4],
    "the last again": [1, 2, 3, 3],
    "again, in flight": [1, 2, 3, 4, 2],
    "all again": [1, 2, 3, 1, 2, 3],
    "a gap": [1, 2, 9, 10],
    "the first again and again": [1, 1, 1],
}


@pytest.mark.parametrize("epochs", BEGUN.values(), ids=BEGUN)
def test_epochs_that_began_again_are_counted(epochs, tmp_path):
    for epoch in epochs:
        trial.mark_started(tmp_path, epoch)
    found = glance.begun(str(tmp_path))
    assert (found.repeated, found.ahead) == (trial.started(tmp_path).repeated, frozenset())
    assert found.repeated == len(epochs) - len(set(epochs))


def test_epochs_that_began_ahead_are_seen(tmp_path):
    for epoch in (1, 2, 3):
        trial.mark_started(tmp_path, epoch, ahead=epoch > 1)
    assert glance.begun(str(tmp_path)).ahead == {2, 3}


TORN = ['{"epoch": 3, "ti', "no line", '{"epoch": 3, "ti{"epoch": 3, "time": 1}\n', "\0\0\0\n"]


@pytest.mark.parametrize("torn", TORN)
def test_a_torn_line_counts_as_for_who_reads_all(torn, tmp_path):
    for epoch in (1, 2):
        trial.mark_started(tmp_path, epoch)
    with (tmp_path / trial.STARTED).open("a") as file:
        file.write(torn)
    assert glance.begun(str(tmp_path)).repeated == trial.started(tmp_path).repeated == 0


def test_stamps_change_with_the_files(tmp_path):
    assert glance.stamps(str(tmp_path)) == (None, None, None)
    trial.write_rows(tmp_path, rows(0.5))
    (tmp_path / trial.FAILURES).write_text(json.dumps({}))
    curve, failures, started = glance.stamps(str(tmp_path))
    assert started is None
    assert (curve[1], failures[1]) == ((tmp_path / trial.CURVE).stat().st_size, 2)

"""A user's mistake of type is told in one line, and numbers of numpy, paths and ranges count as what they hold."""

from pathlib import Path

import numpy as np
import pytest

from swift_hyperband import Results, Study, UserError

KEYS = {
    "name": "given",
    "target": {"name": "ask-tell", "metric": "loss", "mode": "min"},
    "space": {"speed": {"type": "float", "low": 0.1, "high": 10.0}},
    "search": {"algorithm": "hyperband", "max_epochs": 3, "eta": 3, "seed": 1},
}


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """A study with two trainings that were asked for."""
    monkeypatch.chdir(tmp_path)
    study = Study.from_dict(KEYS)
    yield study, study.ask(), study.ask()
    study.close()


def generated(*values):
    yield from values


VALUES = r"tell: values must be a list with one value for each new epoch, such as \[0.5\], found "
TRAINING = r"must be one that ask\(\) returned, or the id of its trial, found "
WRONG = {
    "from_dict(None)": (lambda study, _: Study.from_dict(None), "study: must be a mapping .*, found nothing; a study"),
    "from_dict([])": (lambda study, _: Study.from_dict([1]), "study: must be a mapping with the keys of a study file"),
    "from_dict(file)": (
        lambda study, _: Study.from_dict("a.yaml"),
        "found 'a.yaml'; a study file is read by",
    ),
    "load(None)": (lambda study, _: Study.load(None), "path of a study file must be a text or a Path, found nothing"),
    "load(5)": (lambda study, _: Study.load(5), "path of a study file must be a text or a Path, found 5"),
    "open(None)": (lambda study, _: Results.open(None), "path of the folder of a search must be a text or a Path"),
    "plan('2')": (lambda study, _: study.plan(workers="2"), "workers must be a whole number, found '2'"),
    "plan(2.5)": (lambda study, _: study.plan(workers=2.5), "workers must be a whole number, found 2.5"),
    "plan(True)": (lambda study, _: study.plan(workers=True), "workers must be a whole number, found true"),
    "seconds": (lambda study, _: study.plan(seconds_per_epoch="a"), "seconds_per_epoch must be above 0, found 'a'"),
    "nan": (lambda study, _: study.plan(seconds_per_epoch=float("nan")), "seconds_per_epoch must be above 0, found"),
    "tell(None)": (lambda study, _: study.tell(None, [1.0]), f"tell: training {TRAINING}nothing"),
    "tell(5)": (lambda study, _: study.tell(5, [1.0]), f"tell: training {TRAINING}5"),
    "fail(None)": (lambda study, _: study.fail(None, "odd"), f"fail: training {TRAINING}nothing"),
    "a number": (lambda study, training: study.tell(training, 0.5), f"{VALUES}0.5"),
    "of numpy": (lambda study, training: study.tell(training, np.float64(0.5)), f"{VALUES}0.5"),
    "nothing": (lambda study, training: study.tell(training, None), f"{VALUES}nothing"),
    "a text": (lambda study, training: study.tell(training, "5"), f"{VALUES}'5'"),
    "a mapping": (lambda study, training: study.tell(training, {"loss": 0.5}), f"{VALUES}a mapping"),
    "a name": (
        lambda study, training: study.tell(training, [{"loss": 1, 2: 1}]),
        "names of metrics must be texts",
    ),
    "a table": (
        lambda study, training: study.tell(training, [np.zeros(3)]),
        "value of epoch 1 must be a number, found",
    ),
}


def test_each_mistake_is_one_line_that_says_what_must_hold_and_changes_nothing(asked):
    study, training, _ = asked
    for name, (call, message) in WRONG.items():
        with pytest.raises(UserError, match=message) as told:
            call(study, training)
        assert "\n" not in str(told.value), name
    assert [path.name for path in training.folder.iterdir()] == ["config.json"]


def test_a_function_of_rounds_must_be_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text("row,epoch,loss\n0,1,1.0\n0,2,0.5\n0,3,0.2\n1,1,1.0\n1,2,0.5\n1,3,0.2\n")
    target = {"name": "curve-table", "metric": "loss", "mode": "min", "options": {"table": "table.csv"}}
    space = {"row": {"type": "int", "low": 0, "high": 1}}
    with pytest.raises(UserError, match="run: on_round must be a function of a round, such as print, found 'print'"):
        Study.from_dict(KEYS | {"target": target, "space": space}).run(on_round="print")
    assert not Path("results").exists()


def test_values_may_come_one_by_one_and_numbers_beyond_all_floats_are_not_finite(asked):
    study, first, second = asked
    study.tell(first, generated(*[0.5] * (first.epochs - first.trained)))
    study.tell(second, [10**400])
    trials = study.results().trials
    assert trials.by_id(first.trial).values[0] == 0.5
    assert trials.by_id(second.trial).fate == "diverged"


def test_numpy_paths_and_ranges_count_as_what_a_study_file_would_have(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = Study.from_dict(
        KEYS
        | {
            "search": {**KEYS["search"], "max_epochs": np.int64(3)},
            "results": tmp_path / "out",
            "space": {
                "speed": {"type": "float", "low": np.float32(0.5), "high": np.float64(10)},
                "count": {"type": "categorical", "choices": range(3)},
                "width": {"type": "categorical", "choices": np.array([4, 8])},
                "depth": {"type": "categorical", "choices": [np.int32(1), (2)]},
            },
        }
    )
    keys = given.to_dict()
    assert given.path == tmp_path / "out/given"
    assert keys["search"]["max_epochs"] == 3
    assert {name: keys["space"][name]["choices"] for name in ("count", "width", "depth")} == {
        "count": [0, 1, 2],
        "width": [4, 8],
        "depth": [1, 2],
    }
    assert keys["space"]["speed"]["low"] == 0.5
    assert Study.from_dict(keys).to_dict() == keys
    plan = given.plan(workers=np.int64(2), seconds_per_epoch=np.float32(2))
    assert repr(plan) == repr(given.plan(workers=2, seconds_per_epoch=2))

import json
import math

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import digest
from swift_hyperband.base.metric import Metric
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.results.decided import Decided, Fit, Promotion, Threshold, changed_input, verify_inputs
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search.decisions import Decision, Verdict
from swift_hyperband.search.rounds import fit_curves

METRIC = Metric("accuracy", "max")
INF = math.inf


@pytest.fixture
def folder(tmp_path):
    return StudyFolder(tmp_path / "results/small")


@pytest.fixture
def place(folder):
    found = folder.path / "bracket=1/round=0"
    found.mkdir(parents=True)
    return found


def test_a_threshold_is_told_in_values_and_read_in_losses(place):
    path = place / "threshold.json"
    Threshold(-0.75, {"a": [-0.5, -0.75], "b": [-0.5, INF]}).write(path, METRIC)
    assert json.loads(path.read_text()) == {
        "threshold": 0.75,
        "reference": {"a": [0.5, 0.75], "b": [0.5, None]},
        "inputs": {},
    }
    assert Threshold.read(path, METRIC) == Threshold(-0.75, {"a": [-0.5, -0.75], "b": [-0.5, INF]})


def test_a_decision_is_read_as_it_was_taken(place):
    verdicts = {"a": Verdict(-0.5, -0.75, True), "b": Verdict(-0.25, None, False), "c": Verdict(INF, None, False)}
    decided = Decided(Decision(-0.5, 0.125, verdicts, {"d": 1e9}), "no answer", ["e"])
    decided.write(place / "decision.json", METRIC)
    stored = json.loads((place / "decision.json").read_text())
    assert stored["verdicts"]["a"] == {"seen": 0.5, "predicted": 0.75, "continues": True}
    assert stored["verdicts"]["c"] == {"seen": None, "predicted": None, "continues": False}
    assert list(stored) == ["fallback", "left_out", "threshold", "sigma", "verdicts", "outside", "inputs"]
    found = Decided.read(place / "decision.json", METRIC)
    assert found == decided
    assert (found.continuing, found.outside) == (["a"], {"d", "e"})


def test_a_threshold_that_stops_nobody_is_null(place):
    Decided(Decision(INF, 0.0, {}), None, []).write(place / "decision.json", METRIC)
    assert json.loads((place / "decision.json").read_text())["threshold"] is None
    assert Decided.read(place / "decision.json", METRIC).decision.threshold == INF


def test_a_decision_of_an_older_version_says_nothing_of_trials_far_outside(place):
    Decided(Decision(-0.5, 0.0, {}), None, []).write(place / "decision.json", METRIC)
    stored = json.loads((place / "decision.json").read_text())
    del stored["left_out"], stored["outside"]
    (place / "decision.json").write_text(json.dumps(stored))
    assert Decided.read(place / "decision.json", METRIC).outside == frozenset()


def test_a_promotion_keeps_the_loss_of_a_failed_trial_infinite(place):
    found = Promotion({"a": -0.5, "b": INF}, ["a"])
    found.write(place / "promotion.json", METRIC)
    assert json.loads((place / "promotion.json").read_text())["values"] == {"a": 0.5, "b": None}
    assert Promotion.read(place / "promotion.json", METRIC) == found


def test_a_predictor_predicts_the_same_after_it_was_stored(place):
    curves = [[1 / (row + epoch) for epoch in (1, 2, 3)] for row in range(1, 9)]
    predictor = fit_curves(curves, 1, 3, PredictorSettings("last-value"))
    Fit(predictor.to_dict()).write(place / "predictor.json")
    stored = Fit.read(place / "predictor.json").load(place / "predictor.json")
    assert stored.to_dict() == predictor.to_dict()
    assert Fit(None).load(place / "predictor.json") is None
    with pytest.raises(UserError, match=r"predictor.json: predictor must be as it was stored, found KeyError 'name'"):
        Fit({}).load(place / "predictor.json")


def test_a_decision_of_the_workflow_notes_the_files_that_it_was_taken_from(folder, place):
    source, path = place / "full/x.json", place / "promotion.json"
    source.parent.mkdir()
    source.write_text("{}")
    Promotion({}, []).write(path, METRIC, [source])
    assert Promotion.read(path, METRIC).inputs == {"bracket=1/round=0/full/x.json": digest(source)}
    assert json.loads(path.read_text())["time"] > 0
    verify_inputs(folder, [path])
    source.write_text("[]")
    assert changed_input(folder, Promotion.read(path, METRIC).inputs) == "bracket=1/round=0/full/x.json"
    with pytest.raises(UserError, match=r"promotion.json: was taken from another bracket=1/round=0/full/x.json than"):
        verify_inputs(folder, [path])

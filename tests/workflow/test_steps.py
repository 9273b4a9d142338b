"""The jobs between trainings: each makes one file of a round from files that are there, and always the same."""

import json
from pathlib import Path

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.workflow.steps import Steps


@pytest.fixture
def steps(copied, monkeypatch):
    """The steps of a finished search."""
    monkeypatch.chdir(copied.path)
    return Steps(StudyFolder(Path("results/table")))


def content(path):
    """Return what a file decides, without the time at which it was written."""
    return {key: value for key, value in json.loads(path.read_text()).items() if key != "time"}


def test_each_step_makes_its_file_again_from_its_inputs(steps):
    made = {"threshold": steps.threshold, "predictor": steps.fit, "decision": steps.decide, "promotion": steps.promote}
    again = 0
    for round_ in steps.schedule.rounds:
        for name, step in made.items():
            path = getattr(steps.folder, name)(round_)
            if path.exists():
                before = content(path)
                path.unlink()
                step(round_)
                # the digests of inputs change with the time in them, and nothing else does
                after = content(path)
                assert after.keys() == before.keys()
                assert after | {"inputs": None} == before | {"inputs": None}
                again += 1
    assert again >= 8, "two rounds of this search have a decision"


def test_the_best_is_the_smallest_loss_of_all_brackets_and_keeps_the_only_state(steps):
    best = steps.folder.best.read_text()
    steps.folder.best.unlink()
    last = [content(steps.folder.promotion(rounds[-1])) for rounds in steps.schedule.brackets.values()]
    smallest = min((found["values"][trial], trial) for found in last for trial in found["promoted"])
    steps.best()
    assert steps.folder.best.read_text() == best
    assert f"value: {smallest[0]}" in best
    assert {path.parent.name for path in steps.folder.path.glob("trials/*/state.*")} == {smallest[1]}


def test_a_batch_that_changed_after_a_decision_was_taken_from_it_is_refused(steps):
    round_ = steps.schedule.rounds[0]
    path = next((steps.folder.promotion(round_).parent / "full").glob("*.json"))
    path.write_text(path.read_text() + "\n")
    with pytest.raises(UserError, match=rf"{path.name}"):
        steps.best()


def test_a_round_that_the_study_does_not_have_is_one_line(steps):
    with pytest.raises(UserError, match=r"study\.json: has no round 7 in bracket 2"):
        steps.round(2, 7)

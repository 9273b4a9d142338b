"""What was decided and trained by holds, wherever the search goes on."""

import random

import pytest

from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import rounds
from swift_hyperband.study.model import load
from swift_hyperband.training.trial import read_rows, write_rows
from swift_hyperband.workflow.driver import begin_search
from swift_hyperband.workflow.round_files import RoundFiles

KEYS = {
    "default": {"swift__thaw": 0.3, "predictor__name": "linear"},
    "published": {"swift": {"preset": "published", "d": 3}, "predictor__name": "svr"},
}


def searched(folder, study, most=10**6):
    """Search, with curves as they are there, or else drawn; return the trainings in their order, and the best."""
    files = RoundFiles(folder, study)
    search, asked, waiting = files.search(), [], []
    while (waiting := waiting + search.ask()) and len(asked) < most:
        files.write(search)
        training = waiting.pop(0)
        asked.append(training)
        search.tell(training.trial, curve(folder, *training))
    files.write(search)
    return asked, search.best


def curve(folder, trial, epochs):
    """Return a trial's curve, after it has trained on; that depends on the trial alone."""
    draw, rows = random.Random(trial), read_rows(folder.trial(trial))
    end, speed = draw.uniform(0.1, 0.6), draw.uniform(0.3, 1.5)
    for epoch in range(len(rows) + 1, epochs + 1):
        rows.append({"epoch": epoch, "loss": end + epoch**-speed, "seconds": 0.1})
    write_rows(folder.trial(trial), rows)
    return [row["loss"] for row in rows[:epochs]]


def files_of(folder):
    """Return the files of all decisions, with their content and when they were written."""
    names = ("threshold", "predictor", "decision", "promotion", "thaw")
    paths = [path for name in names for path in folder.path.glob(f"bracket=*/round=*/{name}.json")]
    return {path: (path.read_text(), path.stat().st_mtime_ns) for path in paths}


def contents(files):
    return {path: content for path, (content, _) in files.items()}


@pytest.fixture(params=KEYS)
def begun(request, project, monkeypatch):
    """A search of 27 epochs that has begun: its folder and its study."""
    monkeypatch.chdir(project.path)
    project.study(search__max_epochs=27, **KEYS[request.param])
    study = load(project.path / "config/config.yaml")
    folder = StudyFolder.of(study.name)
    folder.path.mkdir(parents=True)
    return folder, begin_search(study, folder)


def predict_otherwise(monkeypatch):
    """Let predictions differ, as of another kind of processor but by far more; return how often one was asked for."""
    real, asked = rounds.predict, []

    def predict(*arguments):
        asked.append(arguments)
        return [value * (1.3 if place % 2 else 0.7) for place, value in enumerate(real(*arguments))]

    monkeypatch.setattr(rounds, "predict", predict)
    return asked


def test_a_search_that_goes_on_takes_no_decision_again(begun, monkeypatch):
    found = searched(*begun)
    before = files_of(begun[0])
    assert len([path for path in before if path.name == "decision.json"]) >= 3
    with monkeypatch.context() as patched:
        asked = predict_otherwise(patched)
        assert searched(*begun) == found
        assert asked == []
    assert files_of(begun[0]) == before


def test_only_what_is_missing_is_decided_again(begun):
    found = searched(*begun)
    before = files_of(begun[0])
    (first, *_) = sorted(path for path in before if path.name == "decision.json")
    first.unlink()
    assert searched(*begun) == found
    after = files_of(begun[0])
    assert contents(after) == contents(before)
    # written again, as its threshold is
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {first, first.with_name("threshold.json")}


def test_what_was_decided_before_a_kill_holds_and_the_rest_is_decided_then(begun, monkeypatch):
    searched(*begun, most=60)
    before = files_of(begun[0])
    assert any(path.name == "decision.json" for path in before)
    with monkeypatch.context() as patched:
        asked = predict_otherwise(patched)
        searched(*begun)
        assert asked
    after = files_of(begun[0])
    assert len(after) > len(before)
    assert before.items() <= after.items()


def test_a_decision_from_other_curves_does_not_hold(begun):
    folder, _ = begun
    searched(*begun)
    (first, *_) = sorted(folder.path.glob("bracket=*/round=0/decision.json"), reverse=True)
    before = files_of(folder)
    # trials whose curves were deleted and are others now, as of another GPU
    for path in folder.trials():
        rows = read_rows(path)
        write_rows(path, [row | {"loss": 1.01 * row["loss"] + 0.2 * random.Random(path.name).random()} for row in rows])
    found = searched(*begun)
    after = contents(files_of(folder))
    assert after[first] != before[first][0]
    for path in before:
        path.unlink()
    assert searched(*begun) == found
    assert contents(files_of(folder)) == {path: after[path] for path in files_of(folder)}

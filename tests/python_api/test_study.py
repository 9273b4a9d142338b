"""A study in Python is that of the study file: the same checks, the same search, in processes that can be killed."""

import importlib
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml

from swift_hyperband import Results, Study, UserError
from swift_hyperband.results import provenance
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import load
from swift_hyperband.workflow import driver

MODEL = """\
class Falling:
    def setup(self, configuration, context):
        self.speed, self.epoch = configuration["speed"], 0

    def train_epoch(self, epoch):
        self.epoch += 1

    def validate(self):
        return {"loss": 1 / (1 + self.epoch * self.speed)}

    def state_dict(self):
        return {"epoch": self.epoch}

    def load_state_dict(self, state):
        self.epoch = state["epoch"]
"""
KEYS = {
    "name": "falling",
    "target": {"name": "falling.py:Falling", "metric": "loss", "mode": "min"},
    "space": {"speed": {"type": "float", "low": 0.1, "high": 10.0, "log": True}},
    "search": {"max_epochs": 9, "eta": 3, "seed": 1},
    "swift": {"d": 3, "thaw": 0.0},
    "predictor": {"fewest_curves": 3},
    "speculate": False,
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with a model in falling.py."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "falling.py").write_text(MODEL)
    return tmp_path


def test_a_study_of_a_mapping_is_that_of_the_file(here):
    (here / "study.yaml").write_text(yaml.safe_dump(KEYS))
    given, read = Study.from_dict(KEYS), Study.load("study.yaml")
    assert given.to_dict() == read.to_dict()
    assert (given.name, given.path) == (read.name, read.path) == ("falling", Path("results/falling"))
    assert Study.from_dict(given.to_dict()).to_dict() == given.to_dict()
    assert "falling" in repr(given)
    assert "swift-hyperband" in repr(given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"search": {"max_epoch": 9}}, "study: search.max_epoch is not a key; did you mean max_epochs?"),
        ({"target": {"name": "no.py:Falling", "metric": "loss", "mode": "min"}}, "found no no.py in"),
        ({"space": {"speed": {"type": "float", "low": 2, "high": 1}}}, "study: space.speed.low must be below high"),
        ({"space": {}}, "study: space must"),
        ({"name": "a/b"}, "study: name must"),
    ],
    ids=["key", "target", "space", "empty", "name"],
)
def test_mistakes_are_told_with_their_key(change, message, here):
    with pytest.raises(UserError) as told:
        Study.from_dict(KEYS | change)
    assert message in str(told.value)
    assert "\n" not in str(told.value)
    assert told.value._render_traceback_() == [f"error: {told.value}"], "notebooks show no more"


def test_mistakes_in_a_file_name_the_file(here):
    with pytest.raises(UserError, match=r"study\.yaml: must be a study file, found no such file"):
        Study.load("study.yaml")
    (here / "study.yaml").write_text(yaml.safe_dump(KEYS | {"retries": -1}))
    with pytest.raises(UserError, match=r"study\.yaml: retries must"):
        Study.load(here / "study.yaml")


def test_tuples_and_other_mappings_are_taken(here):
    choice = {"type": "categorical", "choices": ("a", "b")}
    keys = Study.from_dict(KEYS | {"space": {**KEYS["space"], "kind": choice}}).to_dict()
    assert keys["space"]["kind"]["choices"] == ["a", "b"]


def decisions(folder):
    names = ("decision", "promotion")
    return {
        str(path.relative_to(folder)): {k: v for k, v in json.loads(path.read_text()).items() if k != "time"}
        for name in names
        for path in folder.glob(f"bracket=*/round=*/{name}.json")
    }


def epochs_begun(folder):
    return [
        (path.parent.name, json.loads(line)["epoch"])
        for path in folder.glob("trials/*/started.jsonl")
        for line in path.read_text().splitlines()
    ]


@pytest.fixture
def children():
    """Return what tells the worker processes that a test has left behind; those of earlier tests are not its own."""
    before = workers()
    return lambda: workers() - before


def workers():
    found = set()
    for process in psutil.Process().children(recursive=True):
        # of one that has ended nothing can be told
        with suppress(psutil.Error):
            if "work" in process.cmdline():
                found.add(process)
    return found


def test_run_comes_to_what_the_plain_driver_comes_to(here, children):
    (here / "study.yaml").write_text(yaml.safe_dump(KEYS | {"name": "expected"}))
    driver.run_search(load(Path("study.yaml")), expected := StudyFolder.of("expected"), 1)
    shown = []
    results = Study.from_dict(KEYS).run(workers=2, on_round=shown.append)
    assert results.finished
    assert decisions(results.path) == decisions(expected.path)
    best = Results.open(expected.path).best
    assert (results.best.trial, results.best.value) == (best.trial, best.value)
    assert results.best.load().epoch == 9
    rounds = [found for bracket in results.brackets for found in bracket.rounds]
    assert sorted(shown, key=lambda found: (-found.bracket, found.index)) == rounds, "each round, as it is on disk"
    assert all((results.path / name).exists() for name in ("report/index.html", "curves.parquet", "best.yaml"))
    # the search is given back, and nothing runs on
    assert not [*results.path.glob("**/lease")]
    assert not children()


def test_a_search_that_is_over_is_not_run_again(here):
    study = Study.from_dict(KEYS)
    first = study.run(workers=1, report=False)
    begun = epochs_begun(first.path)
    again = study.run(workers=1, report=False)
    assert again.best.trial == first.best.trial
    assert epochs_begun(first.path) == begun
    assert not (first.path / "report").exists()


def test_an_interrupted_run_goes_on_and_leaves_no_process(here, children):
    study = Study.from_dict(KEYS)

    def stop(found):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.run(workers=2, on_round=stop)
    assert not children()
    assert not study.results().finished
    assert study.run(workers=1, report=False).finished
    begun = epochs_begun(study.path)
    assert len(begun) - len(set(begun)) <= 2, "each worker repeats the epoch in flight at most"


def test_the_study_may_go_on_by_the_command_line_and_back(here):
    study = Study.from_dict(KEYS)
    over = []

    def stop(found):
        over.append(found)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.run(on_round=stop)
    (here / "study.yaml").write_text(yaml.safe_dump(KEYS))
    folder = StudyFolder.of("falling")
    # by rounds, as the file says
    driver.run_search(load(Path("study.yaml")), folder, 1)
    assert study.results().finished


def test_a_search_without_rounds_has_one_worker_unless_workers_are_wanted(here):
    asha = KEYS | {"search": {**KEYS["search"], "algorithm": "asha"}}
    results = Study.from_dict(asha).run(report=False)
    first = json.loads((results.path / "journal.jsonl").read_text().splitlines()[0])
    assert first == {"begin": "asha", "workers": 1}
    assert results.rungs[-1].epoch == 9
    two = Study.from_dict(asha | {"name": "two", "execution": "workers"}).run(report=False)
    assert json.loads((two.path / "journal.jsonl").read_text().splitlines()[0])["workers"] == 2


def test_a_class_may_be_the_target(here, monkeypatch):
    monkeypatch.syspath_prepend(str(here))
    monkeypatch.delitem(sys.modules, "falling", raising=False)
    falling = importlib.import_module("falling")
    study = Study.from_dict(KEYS | {"target": {**KEYS["target"], "name": falling.Falling}})
    assert study.to_dict() == Study.from_dict(KEYS).to_dict()
    with pytest.raises(UserError, match=r"study: target\.name must be a class .* use ask and tell"):
        Study.from_dict(KEYS | {"target": {**KEYS["target"], "name": lambda configuration: 0}})


def test_changed_code_is_refused_unless_it_is_allowed(here, monkeypatch):
    monkeypatch.setattr(provenance.sys.stdin, "isatty", lambda: False)
    study = Study.from_dict(KEYS)

    def stop(found):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.run(on_round=stop)
    (here / "falling.py").write_text(MODEL.replace("1 / (1", "2 / (1"))
    with pytest.raises(UserError, match=r"falling\.py was edited"):
        study.run()
    assert study.run(allow_changed_code=True, report=False).finished
    assert provenance.ALLOW not in os.environ


def test_a_target_that_cannot_be_imported_is_told_in_a_line(here, children):
    (here / "falling.py").write_text("import no_such_module\n" + MODEL)
    study = Study.from_dict(KEYS)
    with pytest.raises(UserError, match=r"must be importable, found ModuleNotFoundError") as told:
        study.run(report=False)
    assert "\n" not in str(told.value)
    assert not children()
    # mended, the same study goes on
    (here / "falling.py").write_text(MODEL)
    assert study.run(report=False).finished


@pytest.mark.parametrize("workers", [0, -1])
def test_at_least_one_worker_trains(workers, here):
    with pytest.raises(UserError, match="workers must be at least 1, found"):
        Study.from_dict(KEYS).run(workers=workers)
    with pytest.raises(UserError, match="workers must be at least 1, found"):
        Study.from_dict(KEYS).plan(workers=workers)


def test_results_of_a_search_that_was_not_started_are_told_in_a_line(here):
    with pytest.raises(UserError, match="results/falling: must be the folder of a search"):
        Study.from_dict(KEYS).results()


def test_workers_end_with_the_process_that_runs_the_search(here):
    slow = MODEL.replace("self.epoch += 1", "self.epoch += 1; __import__('time').sleep(0.2)")
    (here / "falling.py").write_text(slow)
    code = f"from swift_hyperband import Study; Study.from_dict({KEYS!r}).run(workers=2)"
    process, folder = psutil.Popen([sys.executable, "-c", code]), Path("results/falling")
    while not [*folder.glob("trials/*/curve.jsonl")]:
        assert process.poll() is None
        time.sleep(0.02)
    workers = process.children(recursive=True)
    assert workers
    process.kill()
    process.wait()
    assert psutil.wait_procs(workers, timeout=60)[1] == []
    assert not Results.open(folder).finished

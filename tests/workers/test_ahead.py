"""Workers that train ahead of a search: it comes to the same, and what they trained is counted apart."""

import json

import pyarrow.parquet
import pytest
from worker_actors import Actor, by_rounds, decided, until

from swift_hyperband.base.metric import Metric
from swift_hyperband.results.curves import write_curves
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Training
from swift_hyperband.workers.agenda import Agenda, asks
from swift_hyperband.workers.ahead import Ahead

KEYS = {"swift__thaw": 0.3, "predictor__name": "linear", "search__max_epochs": 27}


def curves(results):
    """Return the table of all curves, without seconds."""
    write_curves(History(StudyFolder(results)), results / "curves.parquet")
    return pyarrow.parquet.read_table(results / "curves.parquet").drop_columns(["seconds"]).to_pylist()


def test_a_search_comes_to_the_same_with_and_without_training_ahead(project):
    expected = by_rounds(project, **KEYS)
    before = curves(project.path / "by-rounds")
    spent = {}
    for speculate in (True, 0.1):
        project.study(**KEYS, execution="workers", speculate=speculate, resources__workers=3)
        project.run("swift-hyperband", "search")
        assert decided(project.results) == expected
        assert curves(project.results) == before
        found = json.loads(project.run("swift-hyperband", "status", "--json"))["epochs"]
        spent[speculate] = found["spent"]
        ahead = found["ahead_used"] + found["ahead_in_vain"]
        rows = sum(len(path.read_text().splitlines()) for path in project.results.glob("trials/*/curve.jsonl"))
        assert rows == found["spent"] + found["ahead_in_vain"]
        assert ahead or speculate == 0.1
        # a training may begin before the search knows what others did
        assert speculate != 0.1 or found["ahead_in_vain"] <= 0.15 * found["spent"]
        shown = project.run("swift-hyperband", "status")
        assert ("trained ahead" in shown) == (ahead > 0)
        assert len([*project.results.glob("trials/*/state.*")]) == 1, "the best state is kept, no other"
        if speculate is True:
            # nothing is taken for damaged or lost
            assert "again" not in project.run("swift-hyperband", "search")
            assert decided(project.results) == expected
        project.results.rename(project.path / f"speculate-{speculate}")
    assert len(set(spent.values())) == 1


def test_an_agenda_tells_a_training_ahead_whether_to_go_on(tmp_path):
    path = tmp_path / "agenda.json"
    assert asks(path, "a") == 0, "it is written again"
    found = Agenda("x", needed=(Training("a", 3),), taken=(Training("b", 4),), hopes=(Training("c", 9),))
    found.write(path)
    assert [asks(path, trial) for trial in "abcd"] == [3, 4, 0, None]
    Agenda("x", hopes=(Training("c", 9),), over=True).write(path)
    assert asks(path, "c") is None


class Hoping:
    """A search that always hopes for the same."""

    def __init__(self, count):
        self.curves, self.search = {}, self
        self.count = count

    def hopes(self, _ahead, _most):
        return [Training(f"t{number}", 9) for number in range(self.count)]


@pytest.fixture
def ahead(tmp_path):
    found = Ahead(StudyFolder(tmp_path), Metric("loss", "min"), Hoping(6))
    found.allow(True)
    return found


def test_the_least_hopeful_trainings_make_room_for_needed_work(ahead):
    running = {"t0", "t1", "t2", "t5"}

    def stays(needed, slots):
        return {hope.trial for hope in ahead.hopes(needed, slots, 4, running)} & running

    assert stays(needed=0, slots=4) == running
    assert stays(needed=1, slots=5) == running, "a worker is free"
    assert stays(needed=1, slots=4) == {"t0", "t1", "t2"}
    assert stays(needed=9, slots=4) == set()


def test_nothing_is_hoped_for_where_nobody_is_free_or_the_study_forbids_it(ahead):
    assert ahead.hopes(needed=0, slots=0, workers=4, running=()) == ()
    assert len(ahead.hopes(needed=0, slots=1, workers=4, running=())) == 6
    ahead.allow(False)
    assert ahead.hopes(needed=0, slots=1, workers=4, running=()) == ()


FLAKY = """
from pathlib import Path

from swift_hyperband.targets.recorded import CurveTable


class Flaky(CurveTable):
    def setup(self, configuration, context):
        super().setup(configuration, context)
        self.mark = Path("crashed") / context.trial

    def train_epoch(self, epoch):
        if epoch in (8, 9, 21) and not self.mark.exists():
            self.mark.touch()
            raise RuntimeError("a bad moment")
        return super().train_epoch(epoch)
"""


def test_a_crash_ahead_does_not_touch_the_trial(project):
    expected = by_rounds(project, **KEYS)
    (project.path / "flaky.py").write_text(FLAKY)
    (project.path / "crashed").mkdir()
    flaky = {"target__name": "flaky:Flaky", "target__options": {"table": "table.csv", "seconds": 0.02}}
    project.study(**KEYS, **flaky, execution="workers", retries=1, resources__workers=4)
    project.run("swift-hyperband", "search")
    assert decided(project.results) == expected
    assert [*project.results.glob("trials/*/failures-ahead.json")], "some crashed ahead"
    assert not [*project.results.glob("trials/*/failures.json")]


def test_rounds_go_on_where_workers_trained_ahead(project):
    expected = by_rounds(project, **KEYS)
    slow = {"target__options": {"table": "table.csv", "seconds": 0.02}}
    project.study(**KEYS, **slow, execution="workers", resources__workers=4)
    search = Actor(project, "search")
    until(lambda: any("ahead" in path.read_text() for path in project.results.glob("trials/*/started.jsonl")))
    search.kill()
    project.study(**KEYS, **slow, execution="rounds", resources__workers=2)
    project.run("swift-hyperband", "search")
    assert decided(project.results) == expected

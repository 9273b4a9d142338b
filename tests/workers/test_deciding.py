"""One process at a time decides in a search, and only that one mends its folder."""

import json
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from worker_actors import Actor, by_rounds, decided, until
from workflow_project import wait_for

from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.repair import _Mending
from swift_hyperband.study.model import load
from swift_hyperband.workflow import driver
from swift_hyperband.workflow.deciding import deciding

SLOW = {"target__options": {"table": "table.csv", "seconds": 0.1}}


def test_what_is_written_while_a_folder_is_mended_stays(project, monkeypatch):
    monkeypatch.chdir(project.path)
    project.study()
    study = load(Path("config/config.yaml"))
    folder = StudyFolder.of(study.name)
    folder.path.mkdir(parents=True)
    study = driver.begin_search(study, folder)
    mending = _Mending(folder, study)
    mending.look()
    search = multiprocessing.get_context("fork").Process(target=driver.run_search, args=(study, folder, 1))
    search.start()
    search.join()
    assert folder.best.exists()
    before = {path: path.read_bytes() for path in folder.path.rglob("*.*") if path.is_file()}
    assert len(list(folder.path.glob("bracket=*/round=*/*.json"))) > 12
    mending.remove()
    assert {path: path.read_bytes() for path in folder.path.rglob("*.*") if path.is_file()} == before


def test_a_head_that_starts_beside_a_process_that_decides_mends_nothing_and_goes_on_with_it(project):
    expected = by_rounds(project)
    project.study(execution="workers", resources__workers=2, **SLOW)
    actors = [Actor(project, "work", "config/config.yaml")]
    until(lambda: any(project.results.glob("bracket=*/round=*/promotion.json")))
    decider = json.loads((project.results / "decider/lease").read_text())["pid"]
    # the search is not over before the head has begun, however long that takes
    os.kill(actors[0].pid, signal.SIGSTOP)
    head = project.start("swift-hyperband", "run", "--cores", "2", "best")
    wait_for(lambda: "decides already" in log_of(project), head)
    os.kill(actors[0].pid, signal.SIGCONT)
    assert head.wait(240) == 0
    assert f"process {decider} on host" in (log := log_of(project)), log
    assert "decides already, so damaged files are looked for at the next start" in log
    assert "made again" not in log
    assert [actor.wait() for actor in actors] == [0]
    assert decided(project.results) == expected


def log_of(project):
    """Return what the run printed, and its log."""
    return project.printed() + "".join(path.read_text() for path in project.path.glob("logs/*.log"))


@pytest.mark.parametrize("algorithm", ["asha", "swift-hyperband"])
def test_a_search_in_one_process_is_refused_while_another_process_decides(project, monkeypatch, algorithm):
    project.study(search__algorithm=algorithm, execution="rounds" if algorithm == "asha" else "workers")
    monkeypatch.chdir(project.path)
    monkeypatch.setattr("swift_hyperband.workflow.deciding.SILENT_AFTER", 1.0)
    monkeypatch.setattr("swift_hyperband.workflow.deciding.INTERVAL", 0.0)
    folder = StudyFolder.of("table")
    folder.path.mkdir(parents=True)
    with deciding(folder):
        assert Actor(project, "search").wait() == 2
    assert f"one process at a time can decide, and process {os.getpid()} on host" in project.printed()
    assert not folder.journal.exists()
    assert not any(folder.trials())


def test_a_search_in_one_process_decides_as_long_as_it_runs(project):
    project.study(search__algorithm="asha", execution="rounds", **SLOW)
    search = Actor(project, "search")
    until(project.trains)
    assert json.loads((project.results / "decider/lease").read_text())["pid"] == search.pid
    os.killpg(search.pid, signal.SIGINT)
    assert search.wait() == 130
    assert not (project.results / "decider/lease").exists()

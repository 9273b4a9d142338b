"""Searches without rounds, by workers: the journal of their events is right whatever happens to processes."""

import json
import os
import random
import signal
from contextlib import suppress

import pytest
import yaml
from workflow_project import at_work, wait_for

from swift_hyperband.results import journal
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import load
from swift_hyperband.workflow.journaled import JournaledSearch


def test_one_worker_leads_to_the_journal_of_the_plain_loop(project):
    project.study(search__algorithm="swift-asha")
    project.run("swift-hyperband", "search")
    path = project.results / "journal.jsonl"
    events, best = path.read_bytes(), project.best()
    project.results.rename(project.path / "plain")
    project.study(search__algorithm="swift-asha", execution="workers", resources__workers=1)
    project.run("swift-hyperband", "search")
    assert path.read_bytes() == events
    assert project.best() == best


@pytest.mark.parametrize("algorithm", ["asha", "swift-asha", "adaptive-hyperband"])
def test_killed_with_four_workers_the_journal_leads_to_the_same_search_and_that_ends(project, monkeypatch, algorithm):
    keys = {"search__algorithm": algorithm, "execution": "workers", "resources__workers": 4}
    project.study(**keys, target__options={"table": "table.csv", "seconds": 0.03})
    path, moments = project.results / "journal.jsonl", random.Random(algorithm)
    before = []
    for _ in range(3):
        process = project.start("swift-hyperband", "search")
        goal = project.epochs_started().total() + moments.randint(1, 12)
        wait_for(lambda goal=goal: project.epochs_started().total() >= goal or ends(path), process)
        for found in at_work(project.path):
            with suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGKILL)
        process.wait()
        before.append(path.read_bytes())
        check_asked_before_trained(project)
    project.run("swift-hyperband", "search")
    written = path.read_bytes()
    for killed in before:
        assert written.startswith(killed[: killed.rfind(b"\n") + 1]), "what was written stays"
    assert ends(path)
    monkeypatch.chdir(project.path)
    study = load(project.path / "config/config.yaml")
    search = JournaledSearch(StudyFolder.of("table"), study, workers=1)
    assert (search.workers, search.finished, path.read_bytes()) == (4, True, written)
    best = yaml.safe_load(project.best())
    assert (best["trial"], best["value"]) == search.best
    assert [path.parent.name for path in project.results.glob("trials/*/state.*")] == [search.best[0]]


def ends(path):
    return path.exists() and journal.read(path)[-1:] != [] and journal.read(path)[-1].kind == "end"


def check_asked_before_trained(project):
    """Check that each epoch on the disk was asked for in the journal, and each told one is on the disk."""
    events = journal.read(project.results / "journal.jsonl")
    asked = {event.name: event.epochs for event in events if event.kind == "ask"}
    told = {event.name: event.trained for event in events if event.kind == "tell"}
    for curve in project.results.glob("trials/*/curve.jsonl"):
        epochs = len([json.loads(line) for line in curve.read_text().splitlines()])
        assert told.pop(curve.parent.name, 0) <= epochs <= asked[curve.parent.name]
    assert not told

"""After all brackets the trials left behind that may still win train to the end, in workflow and plain loop alike."""

import csv
import json
import os
import re
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from workflow_project import Project, wait_for

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.metric import Metric
from swift_hyperband.cli import main
from swift_hyperband.cli.search import print_round
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.thawed import Thawed
from swift_hyperband.search.scheduled import ScheduledSearch
from swift_hyperband.study.model import load
from swift_hyperband.workflow.steps import Steps

SWIFT = {"preset": "bold", "d": 3, "thaw": 0.2, "thaw_chance": 0.02}
SMALL = {"preset": "bold", "d": 3, "thaw": 0.5, "thaw_chance": 0.01}
LOSS = Metric("loss", "min")


def plain_loop(project):
    """Run the study's search in one loop over the same decision functions, on the same table."""
    table = {}
    with (project.path / "table.csv").open() as file:
        for line in csv.DictReader(file):
            table.setdefault(int(line["row"]), []).append(float(line["loss"]))
    study = load(project.path / "config/config.yaml", data=False)
    drawn = {bracket: study.trials(bracket) for bracket in study.schedule().brackets}
    rows = {trial: configuration["row"] for trials in drawn.values() for trial, (_, configuration) in trials.items()}
    trials = {bracket: list(found) for bracket, found in drawn.items()}
    search = ScheduledSearch(study.schedule(), trials, study.rules())
    while asked := search.ask(1):
        for trial, epochs in asked:
            search.tell(trial, table[rows[trial]][:epochs])
    return search


def file(project):
    return next(project.results.glob("bracket=*/round=0/thaw.json"))


def thawed(project):
    return Thawed.read(file(project), LOSS)


def agree(project, search):
    """All that was found is equal to what a plain loop finds."""
    assert replace(thawed(project), inputs={}) == Thawed.of(search.thawing)
    best = yaml.safe_load(project.best())
    assert (best["trial"], best["value"]) == search.best
    decisions = project.decisions()
    for (bracket, index), record in search.records.items():
        assert decisions[f"bracket={bracket}/round={index}/promotion.json"]["promoted"] == record.promoted
    lengths = {
        path.parent.name: len(path.read_text().splitlines()) for path in project.results.glob("trials/*/curve.*")
    }
    assert lengths == {trial: len(curve) for trial, curve in search.curves.items()}
    assert [path.parent.name for path in project.results.glob("trials/*/state.*")] == [best["trial"]]


@pytest.fixture(scope="module")
def over(tmp_path_factory):
    """A finished search of the workflow with its report, in which trials thawed; tests change copies only."""
    project = Project.create(tmp_path_factory.mktemp("thaw"))
    project.study(swift=SWIFT, search__max_epochs=27)
    project.run("swift-hyperband", "run", "--cores", "2")
    return project


@pytest.fixture
def copied(over, tmp_path):
    shutil.copytree(over.path, tmp_path / "copy", symlinks=True)
    return Project(tmp_path / "copy")


def test_the_workflow_thaws_as_one_plain_loop_does(over):
    search = plain_loop(over)
    assert len(search.thawing.chosen) > 1
    agree(over, search)
    started = over.epochs_started()
    assert started.total() == len(started) == search.epochs, "states stay until the end: no epoch is trained twice"


def test_so_does_the_plain_driver(over, project):
    project.study(swift=SWIFT, search__max_epochs=27)
    printed = project.run("swift-hyperband", "search", "--workers", "2")
    assert f"\nthaw: {len(thawed(project).chosen)} trials to epoch 27\n" in printed
    agree(project, plain_loop(project))
    assert replace(thawed(project), inputs={}) == replace(thawed(over), inputs={})
    assert project.best() == over.best()


def test_the_choice_is_made_again_from_the_files_of_the_brackets(copied, monkeypatch):
    monkeypatch.chdir(copied.path)
    steps, before = Steps(StudyFolder(Path("results/table"))), thawed(copied)
    file(copied).unlink()
    steps.thaw(steps.schedule.thaw)
    assert thawed(copied) == before, "from the same files, which it names by their digests"
    changed = next(copied.results.glob("bracket=3/round=0/full/*.json"))
    changed.write_text(changed.read_text() + "\n")
    with pytest.raises(UserError, match=r"was taken from another .*full/"):
        steps.best()


def test_status_and_report_tell_who_thawed_and_what_it_gained(over):
    chosen = len(thawed(over).chosen)
    printed = " ".join(over.run("swift-hyperband", "status").split())
    assert f"{chosen} of {len(thawed(over).left)} trials left behind train to the end" in printed
    page = (over.results / "report/index.html").read_text()
    epochs = sum(27 - thawed(over).left[trial].epochs for trial in thawed(over).chosen)
    assert f"{chosen} of {len(thawed(over).left)} trials left behind, for {epochs} epochs" in page


def test_a_search_whose_thaw_was_damaged_ends_with_the_same_bits(copied):
    before, chosen = (copied.best(), copied.decisions(), replace(thawed(copied), inputs={})), thawed(copied).chosen
    content = json.loads(file(copied).read_text())
    file(copied).write_text(json.dumps(content | {"chosen": chosen[1:]}))
    assert "thaw.json" in copied.run("swift-hyperband", "run", "--cores", "2")
    assert (copied.best(), copied.decisions(), replace(thawed(copied), inputs={})) == before
    file(copied).write_text("{}")
    (file(copied).parent / "entry.json").write_text("[]")
    (copied.results / "trials" / chosen[0] / "curve.jsonl").unlink()
    next(file(copied).parent.glob("full/*.json")).write_text("")
    copied.run("swift-hyperband", "run", "--cores", "2")
    assert (copied.best(), copied.decisions(), replace(thawed(copied), inputs={})) == before


@pytest.mark.parametrize(("first", "then"), [("run", "search"), ("search", "run")])
def test_kill_9_in_the_middle_of_the_thaw_changes_nothing(project, first, then):
    project.study(swift=SMALL, target__options={"table": "table.csv", "seconds": 0.1}, resources__workers=2)
    commands = {"run": ["run", "--cores", "2", "best"], "search": ["search", "--workers", "2"]}
    process = project.start("swift-hyperband", *commands[first])

    def thaws():
        if not list(project.results.glob("bracket=*/round=0/thaw.json")):
            return False
        started = project.epochs_started()
        return any((trial, thawed(project).left[trial].epochs + 2) in started for trial in thawed(project).chosen)

    wait_for(thaws, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (project.results / "best.yaml").exists()
    project.run("swift-hyperband", *commands[then])
    agree(project, plain_loop(project))


def test_a_search_in_which_nobody_may_still_win_ends_without_a_thaw(project, capsys):
    project.study(swift=SMALL | {"thaw_chance": 1.0})
    project.search()
    search = plain_loop(project)
    assert search.thawing.chosen == []
    print_round(search.records[search.schedule.thaw.key])
    assert capsys.readouterr().out == "thaw: no trial trains on\n"
    agree(project, search)


@pytest.mark.parametrize("batch_size", ["auto", 1])
def test_plan_announces_the_jobs_of_the_dry_run_and_that_all_states_stay(project, batch_size, monkeypatch, capsys):
    project.study(swift=SWIFT, search__max_epochs=27, batch_size=batch_size)
    printed = project.run("snakemake", "-n")
    total = int(re.findall(r"^total +(\d+)$", printed, re.MULTILINE)[-1])
    assert re.search(r"^thaw +1$", printed, re.MULTILINE)
    monkeypatch.chdir(project.path)
    assert main(["plan", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["jobs"]["worst"] == total > plan["jobs"]["best"]
    assert main(["plan"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "all 60 trials keep their states until the search is over" in told

"""Configurations that a model draws from the curves of earlier brackets, in workflow, plain driver and replay alike."""

import json
import os
import re
import shutil
import signal
from dataclasses import replace

import pytest
import yaml
from workflow_project import Project, wait_for

from swift_hyperband.cli import main
from swift_hyperband.replay.model_draws import model_based
from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.runs import Replay
from swift_hyperband.replay.tables.reader import read
from swift_hyperband.results.drawn import DrawnBracket
from swift_hyperband.study.model import load

KEYS = {"search__sampling": "tpe", "search__max_epochs": 27, "swift": {"d": 3}}


def draws(project):
    """Return what was drawn by bracket."""
    paths = project.results.glob("bracket=*/round=0/draw.json")
    return {int(path.parts[-3].partition("=")[2]): DrawnBracket.read(path).trials for path in paths}


def replayed(project):
    """Return the search as a replay over the same table runs it, and the row of each trial."""
    study = load(project.path / "config/config.yaml", data=False)
    table = read(project.path / "table.csv", "long", "loss", "min")
    table = replace(table, hyperparameters={"row": [int(row) for row in table.ids]})
    chosen = recipe(
        "swift-hyperband", 27, 3, swift={"d": 3}, predictor={"name": "last-value", "fewest_curves": 3}, sampling="tpe"
    )
    replay = Replay(table, 27, model_based(table, "tpe", study.search_space()))
    return replay.run(chosen, study.search.seed)[0]


def agree(project, search):
    """All that was found is equal to what a replay finds."""
    best = yaml.safe_load(project.best())
    assert (best["trial"], best["value"]) == search.best
    decisions = project.decisions()
    for (bracket, index), record in search.records.items():
        assert decisions[f"bracket={bracket}/round={index}/promotion.json"]["promoted"] == record.promoted
    lengths = {
        path.parent.name: len(path.read_text().splitlines()) for path in project.results.glob("trials/*/curve.*")
    }
    assert lengths == {trial: len(curve) for trial, curve in search.curves.items()}


@pytest.fixture(scope="module")
def over(tmp_path_factory):
    """A finished search of the workflow with its report; tests change copies only."""
    project = Project.create(tmp_path_factory.mktemp("draws"))
    project.study(**KEYS)
    project.run("swift-hyperband", "run", "--cores", "2")
    return project


@pytest.fixture
def copied(over, tmp_path):
    shutil.copytree(over.path, tmp_path / "copy", symlinks=True)
    return Project(tmp_path / "copy")


def test_the_workflow_draws_as_a_replay_does(over):
    agree(over, replayed(over))


def test_so_does_the_plain_driver_with_any_number_of_workers(over, project):
    project.study(**KEYS)
    project.run("swift-hyperband", "search", "--workers", "3")
    assert draws(project) == draws(over)
    assert (project.best(), project.decisions()) == (over.best(), over.decisions())


def test_a_third_is_drawn_at_random_as_ever_and_the_first_bracket_is_not_drawn_by_the_model(over):
    study = load(over.path / "config/config.yaml", data=False)
    assert sorted(draws(over)) == [1, 2, 3]
    for bracket, drawn in draws(over).items():
        at_random = study.trials(bracket)
        assert drawn.keys() == at_random.keys()
        for trial, found in drawn.items():
            assert found.by_model == (found.slot % 3 != 2)
            assert found.by_model or (found.slot, found.configuration) == at_random[trial]
            config = json.loads((over.results / "trials" / trial / "config.json").read_text())
            assert (config["slot"], config["configuration"]) == (found.slot, found.configuration)


def test_status_and_report_say_which_trials_the_model_drew(over):
    by_model = [trial for drawn in draws(over).values() for trial, found in drawn.items() if found.by_model]
    printed = " ".join(over.run("swift-hyperband", "status").split())
    assert f"{len(by_model)} configurations so far by tpe" in printed
    page = (over.results / "report/index.html").read_text()
    assert f"<th>drawn by tpe</th><td>{len(by_model)} trials, the others at random</td>" in page
    best = yaml.safe_load(over.best())["trial"]
    assert f"<th>drawn</th><td>{'by tpe' if best in by_model else 'at random'}</td>" in page


@pytest.mark.parametrize("batch_size", ["auto", 1])
def test_plan_announces_the_jobs_of_the_dry_run_and_that_brackets_run_in_turn(project, batch_size, monkeypatch, capsys):
    project.study(**KEYS, batch_size=batch_size)
    printed = project.run("snakemake", "-n")
    total = int(re.findall(r"^total +(\d+)$", printed, re.MULTILINE)[-1])
    assert re.search(r"^draw +3$", printed, re.MULTILINE)
    monkeypatch.chdir(project.path)
    assert main(["plan", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["jobs"]["worst"] == total
    assert main(["plan"]) == 0
    assert "Brackets run one after another" in " ".join(capsys.readouterr().out.split())


def test_kill_9_before_the_last_draw_changes_nothing(over, project):
    project.study(**KEYS, target__options={"table": "table.csv", "seconds": 0.02}, resources__workers=2)
    process = project.start("swift-hyperband", "run", "--cores", "2", "best")
    wait_for(lambda: 2 in draws(project), process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (project.results / "best.yaml").exists()
    told = " ".join(project.run("swift-hyperband", "status").split())
    by_model = sum(found.by_model for drawn in draws(project).values() for found in drawn.values())
    assert f"{by_model} configurations so far by tpe" in told
    project.run("swift-hyperband", "search", "--workers", "2")
    assert (draws(project), project.decisions()) == (draws(over), over.decisions())


def test_a_search_whose_draws_were_damaged_ends_with_the_same_bits(copied):
    before = copied.best(), copied.decisions(), draws(copied)
    path = copied.results / "bracket=1/round=0/draw.json"
    trial, drawn = next(iter(draws(copied)[1].items()))
    path.write_text("{}")
    assert "draw.json" in copied.run("swift-hyperband", "run", "--cores", "2")
    assert (copied.best(), copied.decisions(), draws(copied)) == before
    (copied.results / "trials" / trial / "config.json").unlink()
    next(copied.results.glob("bracket=0/round=0/full/*.json")).write_text("")
    copied.run("swift-hyperband", "run", "--cores", "2")
    assert (copied.best(), copied.decisions(), draws(copied)) == before
    config = json.loads((copied.results / "trials" / trial / "config.json").read_text())
    assert config["configuration"] == drawn.configuration

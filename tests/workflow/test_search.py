"""The workflow, run for real over recorded curves."""

import csv
import json
import re

import pytest
import yaml

from swift_hyperband.decisions import Verdict
from swift_hyperband.search.scheduled import ScheduledSearch
from swift_hyperband.study import load


def plain_loop(project):
    """Run the study's search in one loop over the same decision functions, on the same table."""
    table = {}
    with (project.path / "table.csv").open() as file:
        for line in csv.DictReader(file):
            table.setdefault(int(line["row"]), []).append(float(line["loss"]))
    study = load(project.path / "config/config.yaml")
    drawn = {bracket: study.trials(bracket) for bracket in study.schedule().brackets}
    rows = {trial: configuration["row"] for trials in drawn.values() for trial, (_, configuration) in trials.items()}
    search = ScheduledSearch(
        study.schedule(), {bracket: list(trials) for bracket, trials in drawn.items()}, study.rules()
    )
    while not search.finished:
        for training in search.ask():
            search.tell(training.trial, table[rows[training.trial]][: training.epochs])
    return search


@pytest.mark.parametrize("seed", range(5))
def test_the_workflow_decides_as_one_plain_loop_does(project, seed):
    project.study(search__seed=seed, predictor__name="svr")
    project.search()
    search, decisions = plain_loop(project), project.decisions()
    for (bracket, index), record in search.records.items():
        folder = f"bracket={bracket}/round={index}"
        assert decisions[f"{folder}/promotion.json"]["promoted"] == record.promoted
        verdicts = decisions.get(f"{folder}/decision.json", {"verdicts": {}})["verdicts"]
        expected = record.decision.verdicts if record.decision else {}
        assert {trial: Verdict(**verdict) for trial, verdict in verdicts.items()} == expected
    assert any(record.decision for record in search.records.values()), "a search without decisions shows nothing"
    best = yaml.safe_load(project.best())
    assert (best["trial"], best["value"]) == search.best
    started = project.epochs_started()
    assert started.total() == len(started) == search.epochs < 357


def test_hyperband_trains_the_epochs_of_its_schedule(project):
    project.study(search__algorithm="hyperband")
    project.search()
    assert project.epochs_started().total() == 357


def test_results_do_not_depend_on_the_number_of_cores_nor_of_workers(project):
    project.study(resources__workers=2)
    project.run("snakemake", "--cores", "1", "best")
    best, decisions = project.best(), project.decisions()
    project.results.rename(project.path / "one")
    project.study(resources__workers=3)
    project.run("snakemake", "--cores", "2", "best")
    assert project.best() == best
    assert project.decisions() == decisions
    for curve in (project.path / "one").glob("trials/*/curve.jsonl"):
        assert values(project.results / curve.relative_to(project.path / "one")) == values(curve)


def values(path):
    return [json.loads(line)["loss"] for line in path.read_text().splitlines()]


def test_a_finished_search_has_nothing_to_do(project):
    project.search()
    assert "Nothing to be done" in project.search()


def test_the_batch_size_may_change_in_the_middle(project):
    project.study(batch_size=3)
    project.search()
    undisturbed, decisions = project.best(), project.decisions()
    project.results.rename(project.path / "undisturbed")
    project.run("snakemake", "--cores", "2", "results/table/bracket=3/round=1/promotion.json")
    project.study(batch_size=1)
    project.run("snakemake", "--cores", "2", "results/table/bracket=2/round=0/decision.json")
    project.study(batch_size=5)
    project.search()
    assert project.best() == undisturbed
    assert project.decisions() == decisions
    assert max(project.epochs_started().values()) == 1, "nothing may be trained twice"


def test_the_plain_driver_finds_the_same(project):
    project.search()
    best, decisions = project.best(), project.decisions()
    project.results.rename(project.path / "workflow-results")
    project.run("swift-hyperband", "search", "--workers", "2")
    assert project.best() == best
    assert project.decisions() == decisions
    assert len(list(project.results.glob("trials/*/state.*"))) == 1


def test_own_curves_decide_without_other_brackets(project):
    project.study(swift__share_curves=False)
    project.search()
    assert plain_loop(project).best[0] == yaml.safe_load(project.best())["trial"]


def test_diverging_trials_do_not_stop_a_search(project):
    table = project.path / "table.csv"
    lines = table.read_text().splitlines()
    # every fifth row ends in nan at its fourth epoch
    table.write_text(
        "\n".join(
            re.sub(r",[^,]*$", ",nan", line)
            if line[0] != "r" and int(line.split(",")[0]) % 5 == 0 and int(line.split(",")[1]) == 4
            else line
            for line in lines
        )
    )
    project.search()
    assert yaml.safe_load(project.best())["configuration"]["row"] % 5
    trained = [json.loads(path.read_text()) for path in project.results.glob("bracket=*/round=*/*/*.json")]
    assert {entry["status"] for manifest in trained for entry in manifest["trials"].values()} == {"ok", "diverged"}


def test_states_of_trials_that_are_out_are_deleted(project):
    project.search()
    states = [path.parent.name for path in project.results.glob("trials/*/state.*")]
    assert states == [yaml.safe_load(project.best())["trial"]]


def test_states_are_kept_if_wanted(project):
    project.study(keep_states=True)
    project.search()
    assert len(list(project.results.glob("trials/*/state.*"))) == 49


def test_a_decision_taken_from_other_files_than_those_there_now_is_noticed(project):
    project.search()
    decision = next(project.results.glob("bracket=*/round=*/decision.json"))
    content = json.loads(decision.read_text())
    content["sigma"] = 0.5
    decision.write_text(json.dumps(content))
    printed = project.run("swift-hyperband", "job", "best", "results/table/best.yaml", check=False)
    assert "was taken from another" in printed
    assert "Traceback" not in printed

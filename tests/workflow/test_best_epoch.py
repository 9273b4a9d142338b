"""A search where the best epoch of a trial counts: workflow, plain driver, plain loop and replay agree."""

import csv
import json

import pytest
import yaml
from workflow_project import EPOCHS

from swift_hyperband.replay.tables.reader import read
from swift_hyperband.report.numbers import predictions
from swift_hyperband.results import standing as standings
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search.scheduled import ScheduledSearch
from swift_hyperband.study.model import load
from swift_hyperband.training import kept_states


@pytest.fixture
def overfitting(project):
    """The project, with curves that rise again after their minimum, and one with an early minimum that explodes."""
    with (project.path / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        # the later it overfits, the less it does
        turn = 2 + int(row["row"]) % 7
        row["loss"] = float(row["loss"]) + 0.2 * max(0, int(row["epoch"]) - turn) / turn
        if int(row["row"]) % 11 == 0:
            row["loss"] = 0.001 if int(row["epoch"]) == 1 else "nan"
    with (project.path / "table.csv").open("w", newline="") as file:
        lines = csv.DictWriter(file, ["row", "epoch", "loss"])
        lines.writeheader()
        lines.writerows(rows)
    project.study(target__metric_at="best", predictor__name="svr")
    return project


def replayed(project):
    """Return the study's search, replayed over the table."""
    study = load(project.path / "config/config.yaml", data=False)
    drawn = {bracket: study.trials(bracket) for bracket in study.schedule().brackets}
    search = ScheduledSearch(
        study.schedule(), {bracket: list(trials) for bracket, trials in drawn.items()}, study.rules()
    )
    losses = read(project.path / "table.csv", "long", "loss", "min", "best").losses(EPOCHS)
    rows = {
        trial: configuration["row"] for of_bracket in drawn.values() for trial, (_, configuration) in of_bracket.items()
    }
    while asked := search.ask(1):
        for trial, epochs in asked:
            search.tell(trial, losses[rows[trial]][:epochs])
    return search


def measured(project, trial):
    return [
        json.loads(line)["loss"]
        for line in (project.results / "trials" / trial / "curve.jsonl").read_text().splitlines()
    ]


def test_a_search_finds_the_best_epoch_and_keeps_its_state(overfitting):
    project = overfitting
    project.search()
    best, decisions, search = yaml.safe_load(project.best()), project.decisions(), replayed(project)
    assert (best["trial"], best["value"]) == search.best
    for (bracket, index), record in search.records.items():
        assert decisions[f"bracket={bracket}/round={index}/promotion.json"]["promoted"] == record.promoted
    # the curve has what was measured, and the value is that of its best epoch
    curve = measured(project, best["trial"])
    assert len(curve) == 9
    assert curve[best["epochs"] - 1] == best["value"] == min(curve) < curve[-1]
    winner = project.results / "trials" / best["trial"]
    assert best["state"] == f"results/table/trials/{best['trial']}/state.best.json"
    state = json.loads((project.path / best["state"]).read_text())
    assert [row["loss"] for row in state["curve"]] == curve[: best["epochs"]]
    assert sorted(path.name for path in project.results.glob("trials/*/state.*")) == ["state.best.json", "state.json"]
    study = load(project.path / "config/config.yaml", data=False)
    assert kept_states.unsound(winner, study.metric) is None
    # one that explodes is out, however good it was before
    exploded = [trial for trial, losses in search.curves.items() if losses[-1] == float("inf")]
    assert exploded
    assert best["trial"] not in exploded
    status = json.loads(project.run("swift-hyperband", "status", "results/table", "--json"))
    assert (status["best"]["value"], status["best"]["epoch"]) == (best["value"], best["epochs"])
    history = History(StudyFolder(project.results))
    standing = standings.best(history)
    assert (standing.trial, standing.value, standing.epoch) == (best["trial"], best["value"], best["epochs"])
    curves = [measured(project, trial) for trial in history.trials if trial not in exploded]
    reached = {min(curve[: round_.end]) for curve in curves for round_ in history.schedule.rounds}
    checked = {prediction.reached for prediction in predictions(history)}
    assert checked
    assert checked <= reached
    found = project.best(), decisions

    # its state is the result, so it is made again where it is lost
    (winner / "state.best.json").unlink()
    printed = project.run("swift-hyperband", "search")
    assert "state.best.*: the state of the best epoch is gone, and it is the result" in printed
    assert (project.best(), project.decisions()) == found
    assert kept_states.unsound(winner, study.metric) is None

    project.results.rename(project.path / "by-workflow")
    project.run("swift-hyperband", "search")
    assert (project.best(), project.decisions()) == found
    project.study(predictor__name="svr")
    printed = project.run("swift-hyperband", "search", check=False)
    assert 'keeps its definition, but target.metric_at is "best" in the frozen study, "last" now. Give' in printed
    assert "Traceback" not in printed

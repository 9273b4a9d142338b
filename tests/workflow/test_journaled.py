"""Searches without rounds in a study: they decide as in a replay, and their journal gives them back after a kill."""

import csv
import json
import os
import random
import shutil

import pytest
import yaml

from swift_hyperband.base.errors import UserError
from swift_hyperband.processes.lease import LeaseLostError
from swift_hyperband.replay.cluster import ClusterSettings
from swift_hyperband.replay.searches import Recipe
from swift_hyperband.replay.simulator import simulate
from swift_hyperband.results import journal, progress, standing
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import decisions, rounds
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.chances import Prediction
from swift_hyperband.study.model import load
from swift_hyperband.targets.recorded import CurveTable
from swift_hyperband.training import segment
from swift_hyperband.training.trial import state_of
from swift_hyperband.workflow import driver

LIVE = [name for name, row in ALGORITHMS.items() if not row.synchronous]


@pytest.fixture
def run(project, monkeypatch):
    """Run the study's search as `swift-hyperband search` does, but in this process and without its report."""
    monkeypatch.chdir(project.path)
    monkeypatch.setattr(driver, "become_head", lambda folder: None)
    return lambda: driver.run_search(load(project.path / "config/config.yaml"), StudyFolder.of("table"), workers=2)


@pytest.fixture
def quick(run, monkeypatch):
    """The same, but trainings are not forked, which takes most of the time."""

    def train_batch(study_folder, settings, trials, epochs, *_, **__):
        folders = {trial: study_folder / "trials" / trial for trial in trials}
        for folder in folders.values():
            segment.train(folder, settings, CurveTable, epochs)
        return {trial: state_of(folder, settings.metric) for trial, folder in folders.items()}

    monkeypatch.setattr(driver, "train_batch", train_batch)
    return run


def replay(project):
    """Return the study's search after a replay with one worker, and its trainings in their order."""
    table = {}
    with (project.path / "table.csv").open() as file:
        for line in csv.DictReader(file):
            table.setdefault(int(line["row"]), []).append(float(line["loss"] or "nan"))
    study = load(project.path / "config/config.yaml", data=False)
    drawn = {bracket: study.trials(bracket) for bracket in study.supply().brackets}
    rows = {trial: configuration["row"] for found in drawn.values() for trial, (_, configuration) in found.items()}
    recipe = Recipe("replay", study.search.algorithm, study.frozen(), study.fast, study.adaptive)
    assert recipe.schedule.brackets.keys() == drawn.keys()
    search = recipe.start({bracket: list(found) for bracket, found in drawn.items()})
    found = simulate(search, lambda trial: table[rows[trial]], ClusterSettings(workers=1))
    return search, [(job.trial, job.asked) for job in found.jobs]


def asked(project):
    """Return the trainings of the journal in their order."""
    return [
        (event.name, event.epochs) for event in journal.read(project.results / "journal.jsonl") if event.kind == "ask"
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("algorithm", LIVE)
def test_a_live_search_with_one_worker_trains_what_its_replay_does_epoch_for_epoch(project, quick, algorithm, seed):
    project.study(search__algorithm=algorithm, search__seed=seed)
    live, (replayed, trainings) = quick(), replay(project)
    assert asked(project) == trainings
    assert (live.best, live.stopped, live.epochs) == (replayed.best, replayed.stopped, replayed.epochs)
    assert live.curves == replayed.curves
    best = yaml.safe_load(project.best())
    assert (best["trial"], best["value"]) == live.best
    assert project.epochs_started().total() == len(project.epochs_started()) == live.epochs
    assert [path.parent.name for path in project.results.glob("trials/*/state.*")] == [live.best[0]]


@pytest.mark.parametrize("algorithm", LIVE)
def test_a_journal_that_ends_anywhere_leads_to_the_same_search(project, quick, algorithm):
    project.study(search__algorithm=algorithm)
    quick()
    path, moments = project.results / "journal.jsonl", random.Random(algorithm)
    written, best = path.read_bytes(), project.best()
    for cut in [0, *sorted(moments.sample(range(len(written)), 3))]:
        path.write_bytes(written[:cut])
        quick()
        assert (path.read_bytes(), project.best()) == (written, best)


@pytest.mark.parametrize("algorithm", ["swift-asha", "fast-hyperband", "adaptive-hyperband"])
def test_a_search_that_goes_on_where_predictions_differ_keeps_its_decisions(project, quick, monkeypatch, algorithm):
    keys = {"predictor__name": "linear", "fast__confidence": 0.6, "fast__d": 3, "adaptive__d": 3}
    project.study(search__algorithm=algorithm, search__max_epochs=27, **keys)
    quick()
    path = project.results / "journal.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    stops = [number for number, line in enumerate(lines) if "stop" in line]
    assert len(stops) > 5
    # another kind of processor, or another version of a library; here it would change many verdicts
    draw = random.Random(0)
    if algorithm == "fast-hyperband":
        # the predictions themselves compete in its promotions
        chance = decisions.chance_beaten
        monkeypatch.setattr(decisions, "chance_beaten", lambda *given: chance(*given) + draw.uniform(-0.3, 0.3))
    predict, below, among = rounds.predict, Prediction.below, Prediction.among_best
    if algorithm == "swift-asha":
        monkeypatch.setattr(rounds, "predict", lambda *given: [one * draw.uniform(0.8, 1.2) for one in predict(*given)])
    monkeypatch.setattr(Prediction, "below", lambda *given: varied(draw, below(*given)))
    monkeypatch.setattr(Prediction, "among_best", lambda *given: varied(draw, among(*given)))
    for cut in [stops[3], stops[-1] + 1, len(lines) - 1]:
        path.write_text("".join(lines[:cut]))
        # the last verdicts may be missing there, and are predicted then
        sure = lines[: cut if cut == len(lines) - 1 else max(n for n in range(cut) if "tell" in lines[n])]
        search = quick()
        after = path.read_text().splitlines(keepends=True)
        assert after[: len(sure)] == sure
        assert {event.name for event in journal.read(path) if event.kind == "stop"} >= search.stopped


def varied(draw, chances):
    return [min(1.0, max(0.0, one + draw.uniform(-0.3, 0.3))) for one in chances]


def test_some_of_these_searches_stop_trials_by_prediction(project, quick):
    project.study(search__algorithm="swift-asha", search__max_epochs=27)
    search = quick()
    events = journal.read(project.results / "journal.jsonl")
    assert search.stopped
    assert {event.name for event in events if event.kind == "stop"} == search.stopped


@pytest.mark.parametrize("algorithm", ["asha", "adaptive-hyperband"])
def test_lost_and_changed_curves_are_trained_again_and_nothing_else_changes(project, run, algorithm):
    project.study(search__algorithm=algorithm)
    run()
    path = project.results / "journal.jsonl"
    before, best = path.read_bytes(), project.best()
    winner = yaml.safe_load(best)["trial"]
    trials = sorted(path.name for path in project.results.glob("trials/*") if path.name != winner)
    shutil.rmtree(project.results / "trials" / trials[0])
    (project.results / "trials" / trials[1] / "curve.jsonl").write_text("{}\n")
    curve = project.results / "trials" / trials[2] / "curve.jsonl"
    lines = curve.read_text().splitlines()
    curve.write_text("\n".join([*lines[:-1], json.dumps({**json.loads(lines[-1]), "loss": 7.5})]) + "\n")
    next((project.results / "trials" / winner).glob("state.*")).unlink()
    run()
    assert (path.read_bytes(), project.best()) == (before, best)
    assert json.loads(curve.read_text().splitlines()[-1])["loss"] == json.loads(lines[-1])["loss"]
    assert next((project.results / "trials" / winner).glob("state.*")).exists()


def other_trial(event):
    return {**event, "ask": "000000000000"}


@pytest.mark.parametrize(
    ("line", "change", "told"),
    [
        (1, lambda event: {**event, "begin": "swift-asha"}, "line 1: must begin a search of algorithm asha, found "),
        (4, other_trial, "line 4: must ask for trial .* to epoch 1, as the search does after the lines above, found "),
        (4, lambda event: {**event, "epochs": 3}, "line 4: must ask for trial .* to epoch 1, .*epochs 3"),
        (5, lambda event: {**event, "epochs": 3}, "line 5: must tell of a training that a line above asks for, found "),
        (5, lambda event: {**event, "value": 0.5}, r"line 5: must tell the curve in .*, 1 epochs that end .*0.5"),
        (5, lambda event: {**event, "trained": "x"}, 'line 5: trained must be a whole number, found "x"'),
        (5, lambda event: {"say": 1}, "line 5: must hold begin, ask, tell, stop or end, found "),
        (5, lambda event: [], "line 5: must hold begin, ask, tell, stop or end, found "),
        (5, None, "line 5: must be JSON, found "),
    ],
)
def test_a_journal_that_contradicts_the_search_is_one_line(project, quick, line, change, told):
    project.study(search__algorithm="asha", search__max_epochs=3)
    quick()
    path = project.results / "journal.jsonl"
    lines, best = path.read_text().splitlines(), project.best()
    lines[line - 1] = "{" if change is None else json.dumps(change(json.loads(lines[line - 1])))
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError, match=f"^results/table/journal.jsonl: {told}.*; delete the file and start") as error:
        quick()
    assert "\n" not in str(error.value)
    path.unlink()
    quick()
    assert project.best() == best


BROKEN = """
from pathlib import Path


class Net:
    def setup(self, configuration, context):
        self.x = configuration["x"]

    def train_epoch(self, epoch):
        if not Path("mended").exists():
            raise NameError("name 'lenght' is not defined")

    def validate(self):
        return {"loss": self.x}

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass
"""


def test_where_nothing_was_trained_all_trials_that_crashed_start_again(project, run):
    (project.path / "net.py").write_text(BROKEN)
    space = {"x": {"type": "float", "low": 0.0, "high": 1.0}}
    target = {"name": "net.py:Net", "metric": "loss", "mode": "min"}
    project.study(search__algorithm="asha", target=target, space=space, retries=0, give_up_after=3)
    with pytest.raises(UserError, match="all of them alike"):
        run()
    told = [event for event in journal.read(project.results / "journal.jsonl") if event.kind == "tell"]
    assert told
    # a journal of an older version, after whose crashes were forgotten: these trials failed
    for path in project.results.glob("trials/*/failures.json"):
        path.rename(path.with_suffix(".gone"))
    found = History(StudyFolder.of("table"))
    (counted,) = progress.Reader(found.folder, asks=False).read().brackets
    assert counted.trials["failed"] == len(told)
    fates = standing.fates(found)
    assert {fates[event.name] for event in told} == {standing.Fate.FAILED}
    for path in project.results.glob("trials/*/failures.gone"):
        path.rename(path.with_suffix(".json"))
    (project.path / "mended").touch()
    run()
    found = History(StudyFolder.of("table"))
    assert all(trial.curve for trial in found.trials.values())
    assert not any(rung.lost for rung in found.rungs.rungs)
    assert set(standing.fates(found).values()) == {standing.Fate.NOT_PROMOTED, standing.Fate.FINISHED}


def test_the_workflow_says_that_these_searches_have_no_rounds(project):
    project.study(search__algorithm="asha")
    printed = project.run("snakemake", "-n", check=False)
    assert "config/config.yaml: execution must be workers with algorithm asha, which has no rounds, found" in printed
    assert "Traceback" not in printed


def test_an_annealer_in_the_network_is_refused_as_its_answers_would_be_asked_for_again(project, run):
    project.study(search__algorithm="swift-asha", predictor={"name": "qsvr", "sampler": {"name": "qpu"}})
    told = "table: predictor.sampler.name must be simulated-annealing, .* with algorithm swift-asha, .*, found qpu$"
    with pytest.raises(UserError, match=told):
        run()


def test_settings_of_the_algorithm_are_frozen(project, quick):
    project.study(search__algorithm="adaptive-hyperband")
    quick()
    project.study(search__algorithm="adaptive-hyperband", adaptive={"budget": 2.0})
    with pytest.raises(UserError, match=r"adaptive.budget is 1.0 in the frozen study, 2.0 now"):
        quick()


@pytest.mark.parametrize("algorithm", ["swift-asha", "adaptive-hyperband"])
def test_status_plan_best_and_report_tell_of_rungs(project, quick, algorithm):
    project.study(search__algorithm=algorithm)
    search, best = quick(), project.best()
    (project.results / "best.yaml").unlink()
    project.run("swift-hyperband", "job", "best", "results/table/best.yaml")
    assert project.best() == best
    project.run("swift-hyperband", "job", "report", "results/table/report")
    page = (project.results / "report/index.html").read_text()
    assert f"<th>epochs trained</th><td>{search.epochs}</td>" in page
    assert "<th>reached epoch 9</th>" in page
    status = json.loads(project.run("swift-hyperband", "status", "--json"))
    assert (status["finished"], status["brackets"], status["best"]["trial"]) == (True, [], search.best[0])
    assert status["epochs"]["spent"] == search.epochs
    reached = {rung["epoch"]: rung["trials"] for rung in status["rungs"]}
    ended = [curve for curve in search.curves.values() if len(curve) == 9]
    assert reached[9] == {"reached": len(ended), "promoted": 0, "running": 0, "stopped": 0, "lost": 0} | {
        "stopped": reached[9]["stopped"]
    }
    assert sum(rung["stopped"] for rung in reached.values()) == len(search.stopped)
    assert reached[1]["reached"] >= reached[1]["promoted"] > 0
    assert "rung at" in project.run("swift-hyperband", "status")
    plan = json.loads(project.run("swift-hyperband", "plan", "--json"))
    assert plan["epochs"] == {"hyperband": 69, "worst": None if "asha" in algorithm else 69}
    assert search.epochs <= (plan["epochs"]["worst"] or search.epochs)
    assert "of Hyperband" in project.run("swift-hyperband", "plan")


@pytest.mark.parametrize("algorithm", ["asha", "adaptive-hyperband"])
def test_a_model_draws_configurations_again_as_it_drew_them(project, quick, algorithm):
    space = {f"x{number}": {"type": "float", "low": 0.0, "high": 1.0} for number in range(3)}
    row = {"row": {"type": "int", "low": 0, "high": 119}}
    project.study(search__algorithm=algorithm, search__sampling="tpe", space=row | space)
    quick()
    configs = {path: path.read_text() for path in project.results.glob("trials/*/config.json")}
    study = load(project.path / "config/config.yaml")
    places = [json.loads(text) for text in configs.values()]
    by_seed = [study.configuration(place["bracket"], place["slot"]) == place["configuration"] for place in places]
    assert 0.1 < sum(by_seed) / len(by_seed) < 0.9
    written, best = (project.results / "journal.jsonl").read_bytes(), project.best()
    for path in configs:
        path.unlink()
    quick()
    assert {path: path.read_text() for path in configs} == configs
    assert ((project.results / "journal.jsonl").read_bytes(), project.best()) == (written, best)
    shutil.rmtree(min(configs).parent)
    with pytest.raises(UserError, match=r"config.json: must be there, as the curve of the trial is lost, too; restore"):
        quick()


def test_a_process_that_was_suspended_while_another_wrote_writes_no_more(tmp_path):
    path = tmp_path / "journal.jsonl"
    first = journal.Journal(path)
    first.append(journal.Event("begin", "asha", workers=2))
    with path.open("a") as file:
        file.write('{"ask": "torn')
    second = journal.Journal(path)
    second.append(journal.Event("ask", "a", 1))
    with pytest.raises(LeaseLostError):
        first.append(journal.Event("ask", "b", 1))
    assert journal.read(path) == second.events


def test_a_line_that_a_full_disk_took_a_part_of_is_an_error_and_the_next_start_takes_it_away(tmp_path, monkeypatch):
    path, write = tmp_path / "journal.jsonl", os.write
    writer = journal.Journal(path)
    writer.append(journal.Event("begin", "asha", workers=1))
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:20]))
        with pytest.raises(OSError, match="No space left on device"):
            writer.append(journal.Event("ask", "a", 3), journal.Event("ask", "b", 3))
    again = journal.Journal(path)
    assert [event.kind for event in again.events] == ["begin"]
    again.append(journal.Event("ask", "b", 3))
    assert [event.name for event in journal.read(path)] == ["asha", "b"]

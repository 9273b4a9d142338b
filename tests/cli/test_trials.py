"""What `swift-hyperband trials` and `report` say of searches that were really run, by the plain driver."""

import contextlib
import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from swift_hyperband.cli import main
from swift_hyperband.report.trials import rows
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.standing import best
from swift_hyperband.study.model import load
from swift_hyperband.workflow.driver import run_search

STUDY = """\
name: listed
target: {name: curve-table, metric: score, mode: max, options: {table: curves.csv}}
space:
  row: {type: int, low: 0, high: 199}
  optimizer: {type: categorical, choices: ["[red]sgd", adam]}
  momentum: {type: float, low: 0.0, high: 0.9, when: {optimizer: ["[red]sgd"]}}
search: {max_epochs: 9, eta: 3, seed: 4}
swift: {d: 3, margin: 0, thaw: 0.0}
predictor: {fewest_curves: 3}
"""
TRIALS = 17


STOP_AFTER_A_ROUND = """
import os
from pathlib import Path
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import load
from swift_hyperband.workflow.driver import run_search
run_search(load(Path("study.yaml")), StudyFolder.of("listed"), 1, lambda record: os._exit(0))
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Two folders: of a finished search, and of one that was stopped after its first round."""
    places = []
    for stops in (False, True):
        place = tmp_path_factory.mktemp("listed")
        (place / "study.yaml").write_text(STUDY)
        lines = [
            f"{row},{epoch},{'' if row % 4 == 0 else (row + 1) * (1 - 0.8 / epoch)}"
            for row in range(200)
            for epoch in range(1, 10)
        ]
        (place / "curves.csv").write_text("\n".join(["row,epoch,score", *lines]) + "\n")
        with contextlib.chdir(place):
            if stops:
                # another process, as the head of a search is one to its end
                subprocess.run([sys.executable, "-c", STOP_AFTER_A_ROUND], check=True)
            else:
                run_search(load(Path("study.yaml")), StudyFolder.of("listed"), 1, lambda record: None)
        places.append(place)
    return places


@pytest.fixture
def finished(ran, monkeypatch):
    monkeypatch.chdir(ran[0])
    monkeypatch.setenv("COLUMNS", "120")
    return History(StudyFolder.of("listed"))


@pytest.fixture
def stopped(ran, monkeypatch):
    monkeypatch.chdir(ran[1])
    return History(StudyFolder.of("listed"))


def printed(capsys, *words):
    assert main(words) == 0
    return capsys.readouterr().out


def test_the_best_trial_is_the_first_line_of_the_table(finished, capsys):
    head, _, first, *_ = printed(capsys, "trials", "study.yaml").splitlines()
    assert head.split() == [
        "#",
        "trial",
        "status",
        "epochs",
        "score",
        "row",
        "optimizer",
        "momentum",
        "bracket",
        "seconds",
    ]
    found = best(finished)
    assert first.split()[:5] == ["1", found.trial, "finished", "9", f"{found.value:.4g}"]


def test_folder_and_study_file_mean_the_same(finished, capsys):
    assert printed(capsys, "trials", "study.yaml") == printed(capsys, "trials", "results/listed")


def test_columns_fit_the_width_and_the_others_are_named(finished, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = printed(capsys, "trials", "study.yaml").splitlines()
    assert max(map(len, lines[:-1])) <= 80
    assert "…" not in "".join(lines)
    assert lines[-1] == "no room for momentum, seconds; --json and --csv have all columns"
    # the longest fate is shortened for it
    assert any(line.split()[2] == "stopped" for line in lines[2:-1])
    assert "stopped by prediction" in printed(capsys, "trials", "study.yaml", "--csv")


def test_so_many_as_asked_for_are_printed(finished, capsys):
    lines = printed(capsys, "trials", "study.yaml", "--top", "3").splitlines()
    assert len(lines) == 6
    assert lines[-1] == f"3 of {TRIALS} trials; --top {TRIALS} shows all"


def test_users_names_are_shown_as_they_are(finished, capsys):
    assert "[red]sgd" in printed(capsys, "trials", "study.yaml")


def told(capsys, *words):
    return json.loads(printed(capsys, "trials", "study.yaml", "--json", *words))


def test_json_has_all_trials_in_full(finished, capsys):
    assert told(capsys) == [json.loads(json.dumps(row.to_json())) for row in rows(finished)]
    assert len(told(capsys)) == TRIALS


def test_csv_has_a_column_for_each_hyperparameter(finished, capsys):
    found = list(csv.DictReader(io.StringIO(printed(capsys, "trials", "study.yaml", "--csv"))))
    assert [line["trial"] for line in found] == [row.trial for row in rows(finished)]
    assert {"config_row", "config_optimizer", "config_momentum"} <= set(found[0])
    inactive = [line["config_momentum"] == "" for line in found]
    assert inactive == ["momentum" not in row.configuration for row in rows(finished)]


def test_rows_are_sorted_by_a_column_and_those_without_a_value_come_last(finished, capsys):
    values = [row["value"] for row in told(capsys, "--sort", "value") if row["value"] is not None]
    assert values == sorted(values, reverse=True), "larger is better"
    assert told(capsys, "--sort", "score") == told(capsys, "--sort", "value")
    found = [row["configuration"].get("momentum") for row in told(capsys, "--sort", "momentum", "--reverse")]
    active = [value for value in found if value is not None]
    assert 0 < len(active) < TRIALS
    assert found == [*sorted(active, reverse=True), *[None] * (TRIALS - len(active))]


def test_rows_can_be_those_of_some_fates_only(finished, capsys):
    found = told(capsys, "--status", "diverged", "--status", "finished")
    assert {row["status"] for row in found} == {"diverged", "finished"}
    assert len(found) == sum(row.status in ("diverged", "finished") for row in rows(finished))
    assert printed(capsys, "trials", "study.yaml", "--status", "failed") == "no trial with this status\n"
    assert printed(capsys, "trials", "study.yaml", "--status", "failed", "--csv").count("\n") == 1


def test_mistakes_get_one_line(finished, capsys, tmp_path, monkeypatch):
    assert main(["trials", "study.yaml", "--sort", "lr"]) == 2
    line = capsys.readouterr().err
    assert "--sort must be one of rank, value, epochs, " in line
    assert line.endswith("score, row, optimizer, momentum; found 'lr'\n")
    shutil.copy("study.yaml", tmp_path)
    shutil.copy("curves.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    for command in ("trials", "report"):
        assert main([command, "study.yaml"]) == 2
        assert "its search must have been started" in capsys.readouterr().err


def test_a_report_is_made_anew_at_any_time_and_says_what_it_wrote(stopped, capsys):
    assert not stopped.finished
    lines = printed(capsys, "report", "study.yaml").splitlines()
    assert lines[0] == "The search is not finished: the report shows it so far."
    assert lines[1].startswith("page: results/listed/report/index.html (2.")
    assert "brackets.png, epochs.png, jobs.png, learning_curves.png, predictions.png" in lines[2]
    assert "The search is not finished" in Path("results/listed/report/index.html").read_text()
    assert Path("results/listed/curves.parquet").exists()


def test_a_search_goes_on_after_its_report(stopped, capsys):
    """And the report of its end takes the place of the other one."""
    assert main(["report", "study.yaml"]) == 0
    assert main(["search", "study.yaml"]) == 0
    assert "The search is not finished" not in Path("results/listed/report/index.html").read_text()
    capsys.readouterr()
    assert printed(capsys, "report", "study.yaml").startswith("page: ")

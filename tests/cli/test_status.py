"""What `swift-hyperband status` says of searches that were really run, by the plain driver over recorded curves."""

import atexit
import contextlib
import json
import random
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

import pytest
import yaml

from swift_hyperband.base.files import read_json
from swift_hyperband.cli import main
from swift_hyperband.results import jobs
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.progress import Reader
from swift_hyperband.study.model import load
from swift_hyperband.training.trial import count_crash, mark_started, read_rows, write_rows
from swift_hyperband.workflow.driver import run_search

STUDY = """\
name: watched
target: {name: curve-table, metric: score, mode: max, options: {table: curves.csv}}
space: {row: {type: int, low: 0, high: 199}}
search: {max_epochs: 9, eta: 3, seed: 4}
swift: {d: 3, margin: 0}
predictor: {fewest_curves: 3}
"""
HYPERBAND_EPOCHS = 69


class StopHereError(Exception):
    pass


def write_table(path, diverging=()):
    """Rising scores, nan from epoch 2 on for the rows that diverge."""
    rng = random.Random(0)
    lines = ["row,epoch,score"]
    for row in range(200):
        end, speed = rng.uniform(0.5, 1), rng.uniform(0.5, 1.5)
        for epoch in range(1, 10):
            lost = row in diverging and epoch > 1
            lines.append(f"{row},{epoch},{'' if lost else end * (1 - 0.8 * epoch**-speed)}")
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "study.yaml").write_text(STUDY)
    write_table(tmp_path / "curves.csv")
    return StudyFolder(tmp_path / "results" / "watched")


def search(folder, rounds=None):
    """Give the folder a search of its study, run to its end or until so many rounds are over."""
    here = folder.path.parents[1]
    found, made = searched((here / "study.yaml").read_text(), (here / "curves.csv").read_text(), rounds)
    shutil.copytree(made, here / "results")
    return found


@cache
def searched(study, curves, rounds):
    """Return what a search ended with, and its folder of results: tests that begin alike share one search."""
    here = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, here)
    (here / "study.yaml").write_text(study)
    (here / "curves.csv").write_text(curves)
    over = []

    def stop(record):
        over.append(record)
        if len(over) == rounds:
            raise StopHereError

    with contextlib.chdir(here):
        study, folder = load(Path("study.yaml")), StudyFolder(Path("results/watched"))
        if rounds is None:
            return run_search(study, folder, 1), here / "results"
        with pytest.raises(StopHereError):
            run_search(study, folder, 1, stop)
        return None, here / "results"


def status(capsys, *arguments):
    assert main(["status", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def numbers(capsys, where):
    return json.loads(status(capsys, where, "--json"))


def values(folder):
    return {
        path.parent.name: [row["score"] for row in read_rows(path.parent)]
        for path in folder.path.glob("trials/*/curve.jsonl")
    }


def stopped_by_prediction(folder):
    verdicts = [read_json(path)["verdicts"] for path in folder.path.glob("bracket=*/round=*/decision.json")]
    return {trial for found in verdicts for trial, verdict in found.items() if not verdict["continues"]}


def test_a_study_that_was_not_started_is_one_clear_line(folder, capsys):
    text = status(capsys, "study.yaml")
    assert text.count("\n") == 1
    assert "results/watched" in text
    assert "not started" in text
    assert numbers(capsys, "study.yaml") == {"started": False}


def test_a_folder_that_holds_no_search_is_a_mistake(folder, capsys):
    assert main(["status", "results/wtched"]) == 2
    assert capsys.readouterr().err.startswith(
        "error: results/wtched: must be a study file or the folder of a started search"
    )


def test_an_unfinished_search_adds_up(folder, capsys):
    search(folder, rounds=3)
    found = numbers(capsys, "study.yaml")
    curves = values(folder)
    epochs = found["epochs"]
    assert epochs["spent"] == sum(map(len, curves.values())) == sum(b["epochs"]["spent"] for b in found["brackets"])
    assert 0 < epochs["spent"] < HYPERBAND_EPOCHS == epochs["hyperband"]
    assert epochs["spent"] + epochs["saved"] + epochs["to_come"] == HYPERBAND_EPOCHS
    assert epochs["to_come"] > 0
    assert not found["finished"]
    assert [sum(bracket["trials"].values()) for bracket in found["brackets"]] == [9, 5, 3]


def test_best_so_far_is_the_best_value_that_a_trial_has_where_it_stands(folder, capsys):
    search(folder, rounds=2)
    best, curves = numbers(capsys, "study.yaml")["best"], values(folder)
    assert best["value"] == max(curve[-1] for curve in curves.values()) == curves[best["trial"]][-1]
    assert best["epoch"] == len(curves[best["trial"]])
    assert best["configuration"] == read_json(folder.trial(best["trial"]) / "config.json")["configuration"]
    assert "not yet the result" in status(capsys, folder.path)


def test_a_finished_search_shows_what_best_yaml_says(folder, capsys):
    done = search(folder)
    found, best = numbers(capsys, folder.path), yaml.safe_load(folder.best.read_text())
    stopped = len(stopped_by_prediction(folder))
    assert stopped > 0, "the study must stop somebody for this test to mean anything"
    assert found["finished"]
    assert found["best"] == {key: best[key] for key in ("trial", "value", "configuration")} | {"epoch": 9}
    assert found["epochs"] == {
        "spent": done.epochs,
        "saved": HYPERBAND_EPOCHS - done.epochs,
        "to_come": 0,
        "repeated": 0,
        "ahead_used": 0,
        "ahead_in_vain": 0,
        "earlier": 0,
        "earlier_again": 0,
        "hyperband": HYPERBAND_EPOCHS,
    }
    assert sum(bracket["trials"]["stopped"] for bracket in found["brackets"]) == stopped
    assert [bracket["trials"]["alive"] for bracket in found["brackets"]] == [1, 1, 1]
    assert [bracket["round"] for bracket in found["brackets"]] == [None, None, None]
    text = status(capsys, "study.yaml")
    assert "results/watched/best.yaml" in text
    assert text.count("100 %") == 3
    assert "to come" not in text


def test_diverged_trials_are_counted_and_not_taken_for_stopped_ones(folder, capsys, tmp_path):
    write_table(tmp_path / "curves.csv", diverging=range(0, 200, 3))
    search(folder)
    lost = {trial for trial, curve in values(folder).items() if curve[-1] is None}
    found = numbers(capsys, folder.path)
    assert lost
    assert sum(bracket["trials"]["diverged"] for bracket in found["brackets"]) == len(lost)
    stopped = stopped_by_prediction(folder) - lost
    assert sum(bracket["trials"]["stopped"] for bracket in found["brackets"]) == len(stopped)
    assert found["epochs"]["spent"] + found["epochs"]["saved"] < HYPERBAND_EPOCHS
    assert "diverged" in status(capsys, folder.path)


def test_a_search_of_which_nothing_is_left_is_over_without_a_result(folder, capsys, tmp_path):
    write_table(tmp_path / "curves.csv", diverging=range(200))
    with pytest.raises(Exception, match="every trial"):
        run_search(load(tmp_path / "study.yaml"), folder, 1)
    text = status(capsys, folder.path, "--watch", "0.1")
    assert "without a result" in text


def test_crashes_are_shown_with_their_last_error_and_file(folder, capsys):
    search(folder, rounds=1)
    first, second = sorted(values(folder))[:2]
    for _ in range(3):
        count_crash(folder.trial(first), "RuntimeError: CUDA [device 0]\nout of memory", "...", retries=2)
    written = folder.trial(second) / "logs/start-1.txt"
    count_crash(folder.trial(second), "ValueError: bad luck", "...", retries=2, log=written)
    capsys.readouterr()
    found, text = numbers(capsys, folder.path), status(capsys, "study.yaml")
    assert found["crashes"][first]["failed"]
    assert found["crashes"][second] | {"epoch": None} == {
        "starts": 1,
        "epoch": None,
        "alike": None,
        "error": "ValueError: bad luck",
        "failed": False,
        "log": str(written),
    }
    assert sum(bracket["trials"]["failed"] for bracket in found["brackets"]) == 1
    assert "RuntimeError: CUDA [device 0] out of memory" in text
    assert f"results/watched/trials/{first}/failures.json" in text
    assert f"results/watched/trials/{second}/logs/start-1.txt" in text
    assert text.index("trial failed") < text.index("trial crashed")


def test_crashes_that_are_alike_are_shown_once(folder, capsys):
    search(folder, rounds=1)
    trials = sorted(values(folder))[:3]
    for trial in trials:
        count_crash(folder.trial(trial), f"model.py:3 in setup: KeyError: '{trial}'", "...", 2, "model.py:3: KeyError")
    capsys.readouterr()
    text = status(capsys, "study.yaml")
    assert text.count("KeyError") == 1
    assert "; 2 more alike" in text


def test_a_job_that_ended_with_an_error_is_shown_until_its_file_is_there(folder, capsys):
    search(folder, rounds=1)
    place = folder.path / "bracket=0" / "round=0"
    (batch,) = (name for name in read_json(place / "entry.json")["batches"]["full"])
    log = place / "logs" / f"full-{batch}.log"
    log.parent.mkdir()
    log.write_text("something else\nerror: target.name: 'my.py:Net' must be importable\n")
    assert numbers(capsys, folder.path)["errors"] == {str(log): "target.name: 'my.py:Net' must be importable"}
    assert "job failed" in status(capsys, folder.path)
    (place / "full").mkdir()
    (place / "full" / f"{batch}.json").write_text("{}")
    assert numbers(capsys, folder.path)["errors"] == {}


def test_a_curve_that_grows_is_seen_at_the_next_look(folder):
    search(folder, rounds=1)
    reader = Reader(folder)
    entry = read_json(folder.path / "bracket=0" / "round=0" / "entry.json")
    trial = entry["competitors"][-1]
    *rows, last = read_rows(folder.trial(trial))
    write_rows(folder.trial(trial), rows)
    before = reader.read()
    write_rows(folder.trial(trial), [*rows, {**last, "score": 0.99999}])
    after = reader.read()
    assert after.sum("spent") == before.sum("spent") + 1
    assert after.sum("to_come") == before.sum("to_come") - 1
    assert after.best.trial == trial


def test_watching_ends_with_the_search(folder, capsys):
    search(folder)
    assert "finished" in status(capsys, folder.path, "--watch", "0.1")


def test_ctrl_c_leaves_watching_without_a_traceback(folder, capsys, monkeypatch):
    search(folder, rounds=1)

    def interrupt(seconds):
        raise KeyboardInterrupt

    # not to be asked, and asked again, for jobs: where SLURM is installed and not set up, that sleeps, too
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(time, "sleep", interrupt)
    assert "best so far" in status(capsys, folder.path, "--watch")


def test_a_folder_taken_for_seconds_is_explained(folder, capsys):
    with pytest.raises(SystemExit) as left:
        main(["status", "--watch", "results/watched"])
    assert left.value.code == 2
    assert "give --watch last" in capsys.readouterr().err


@pytest.mark.parametrize("width", [80, 120])
def test_no_number_is_cut_off_in_a_narrow_terminal(folder, capsys, monkeypatch, tmp_path, width):
    monkeypatch.setenv("COLUMNS", str(width))
    write_table(tmp_path / "curves.csv", diverging=range(0, 200, 3))
    search(folder, rounds=2)
    count_crash(folder.trial(min(values(folder))), "RuntimeError: boom", "...", retries=0)
    text = status(capsys, folder.path)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


def squeue(folder, monkeypatch, answer):
    """Put a squeue on the path that answers so."""
    command = folder.path.parents[1] / "bin/squeue"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f"#!/bin/sh\n{answer}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")


def test_jobs_in_slurm_are_shown_with_node_time_and_log(folder, capsys, monkeypatch):
    search(folder, rounds=1)
    here = folder.path.parents[1]
    squeue(
        folder,
        monkeypatch,
        f"echo '12|swift-hyperband-watched_0a1b|PENDING|0:00||rule_train_full_wildcards_watched_1_0_9f|{here}'\n"
        f"echo '11|swift-hyperband-watched_0a1b|RUNNING|1:02|n2|rule_train_partial_wildcards_watched_2_0_77|{here}'\n"
        f"echo '10|swift-hyperband-other_0a1b|RUNNING|1:02|n1|rule_train_full_wildcards_other_2_0_77|{here}'",
    )
    lines = [line.split() for line in status(capsys, folder.path).splitlines()]
    log = f"{folder.path}/bracket=2/round=0/logs/partial-77.log"
    (running,) = [line for line in lines if line[:1] == ["11"]]
    assert running[:4] == ["11", "running", "n2", "1:02"]
    assert "".join(running[4:]) in log, "folded where the terminal is narrow"
    assert [line[1] for line in lines if line[:1] in (["10"], ["12"])] == ["pending"]


def test_workers_are_shown_with_what_they_train(folder, capsys, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    search(folder, rounds=1)
    for name in ("0", "1", "2"):
        place = folder.worker(name)
        place.mkdir(parents=True)
        (place / "worker.json").write_text(json.dumps({"host": "n1", "gpu": name}))
    event = {"what": "began", "trial": "0abc", "epochs": 9, "time": 4e9}
    (folder.worker("1") / "events.jsonl").write_text(json.dumps(event) + "\n")
    with (
        jobs.recorded(folder.worker("0"), jobs.WORKER, "0", gpus=1, cpus=1, queued=False),
        jobs.recorded(folder.worker("1"), jobs.WORKER, "1", gpus=1, cpus=1, queued=False),
    ):
        lines = [" ".join(line.split()) for line in status(capsys, folder.path).splitlines()]
        found = numbers(capsys, folder.path)
    table = lines[next(number for number, line in enumerate(lines) if line.startswith("worker host GPU")) :]
    shown = " ".join(table)
    assert [line[:6] for line in table if line[1:5] == " n1 "] == ["0 n1 0", "1 n1 1"], "the third has ended"
    assert "waits for work" in shown
    assert "trial 0abc to epoch 9" in shown
    assert {name: one["trials"] for name, one in found["workers"].items()} == {"0": {}, "1": {"0abc": 9}}


def test_a_slurm_that_does_not_answer_is_said_of_a_search_that_has_used_it(folder, capsys, monkeypatch):
    search(folder, rounds=1)
    squeue(folder, monkeypatch, "echo 'cannot reach the controller' >&2; exit 1")
    # a machine with SLURM's commands and without SLURM
    assert "squeue" not in status(capsys, folder.path)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    with jobs.recorded(folder.path / "bracket=2/round=0", "full", "9f", gpus=0, cpus=1, queued=True):
        said = " ".join(status(capsys, folder.path).split())
    assert "squeue: must answer, found: cannot reach the controller" in said


def test_what_jobs_took_and_what_was_trained_twice_is_told(folder, capsys):
    search(folder, rounds=1)
    with jobs.recorded(folder.path / "bracket=2/round=0", "full", "9f", gpus=0, cpus=1, queued=False) as record:
        record.outcome = "out of time"
    trial = next(folder.path.glob("trials/*"))
    mark_started(trial, 1)
    text = status(capsys, folder.path)
    assert "1 started, 1 out of time; " in text
    assert "and 1 again, after kills or crashes" in text
    found = numbers(capsys, folder.path)
    assert (found["epochs"]["repeated"], found["jobs"]["outcomes"]) == (1, {"out of time": 1})

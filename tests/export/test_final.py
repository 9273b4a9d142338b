"""`swift-hyperband final`: the winner trains on, or anew with other seeds, as a study of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import forked
import pytest
import yaml

from swift_hyperband.results import standing
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.training.trial import read_rows


@pytest.fixture
def here(finished: History, inside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a copy of the user's folder with the finished search alone."""
    shutil.copytree(finished.folder.path, tmp_path / "results/finished")
    for name in ("bowl.py", "finished.yaml"):
        shutil.copy(inside / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: object) -> str:
    """Run a command in a process of its own, which may be the head of a search; return what it printed."""
    ran = forked.here(forked.SWIFT_HYPERBAND, *map(str, words))
    assert ran.returncode == 0, ran.stderr
    return str(ran.stdout)


def refused(*words: object) -> str:
    """Run a command that must end by one line of error; return that."""
    ran = forked.here(forked.SWIFT_HYPERBAND, *map(str, words))
    assert (ran.returncode, ran.stderr.count("error: ")) == (2, 1), ran.stderr
    return str(ran.stderr).rpartition("error: ")[2]


def told(*arguments: object) -> dict[str, Any]:
    return dict(json.loads(run("final", "finished.yaml", *arguments, "--json")))


def rows(folder: str, trial: str) -> list[dict[str, Any]]:
    """Return a curve without its times."""
    found = read_rows(StudyFolder(Path(folder)).trial(trial))
    return [{name: value for name, value in row.items() if name != "seconds"} for row in found]


def started(folder: str) -> Counter[int]:
    lines = [line for path in Path(folder).glob("trials/*/started.jsonl") for line in path.read_text().splitlines()]
    return Counter(json.loads(line)["epoch"] for line in lines)


def test_the_winner_trains_on_from_its_state(finished: History, here: Path) -> None:
    best = standing.best(finished)
    assert best is not None
    found = told("--epochs", 12)
    assert found["folder"] == "results/finished-final"
    ((trial, value),) = found["values"].items()
    curve = rows(found["folder"], trial)
    assert len(curve) == 12
    assert curve[:9] == rows("results/finished", best.trial), "what it has trained stays"
    assert started(found["folder"]) == {10: 1, 11: 1, 12: 1}
    assert value == curve[-1]["score"] > best.value
    assert found["winner"] == best.trial
    config = json.loads(StudyFolder(Path(found["folder"])).config(trial).read_text())
    assert config["configuration"] == best.configuration
    # once more: nothing is trained twice
    assert told("--epochs", 12) == found
    assert started(found["folder"]) == {10: 1, 11: 1, 12: 1}
    # by its id in the search, where that of the one trial of the study is another trial's
    assert trial != best.trial
    said = run("final", "finished.yaml", "--epochs", 12).splitlines()
    assert f"score of {best.trial}, trained on: {value:.6g} at epoch 12" in said
    assert "load it: swift-hyperband best results/finished-final --load" in said
    assert f"validated: score {value:.6g}, as recorded" in run("best", found["folder"], "--load")
    # and the search that it came from has lost nothing
    assert "as recorded" in run("best", "results/finished", "--load")


def test_other_seeds_train_the_same_configuration_from_the_start(finished: History, here: Path) -> None:
    best = standing.best(finished)
    assert best is not None
    found = told("--seeds", 3)
    history = History(StudyFolder(Path(found["folder"])))
    assert [trial.configuration for trial in history.trials.values()] == 3 * [best.configuration]
    values = list(found["values"].values())
    assert len(set(values)) == 3, "the seeds differ"
    assert all(len(trial.curve) == 9 for trial in history.trials.values())
    assert found["mean"]["score"] == pytest.approx(statistics.fmean(values))
    assert found["deviation"]["score"] == pytest.approx(statistics.stdev(values))
    assert found["values"][found["best"]] == max(values)
    states = [path.parent.name for path in Path(found["folder"]).glob("trials/*/state.*")]
    assert sorted(states) == sorted(history.trials), "each is kept"
    said = run("final", "finished.yaml", "--seeds", 3).splitlines()
    mean, deviation = found["mean"]["score"], found["deviation"]["score"]
    assert f"score: {mean:.6g} ± {deviation:.2g} (mean ± standard deviation of 3)" in said
    assert f"score of the search: {best.value:.6g} at epoch 9, trial {best.trial}" in said
    # another number of seeds is another study
    line = refused("final", "finished.yaml", "--seeds", 4)
    assert "search.trials is 3 in the frozen study, 4 now" in line


def test_a_further_metric_that_is_not_finite_is_left_out(here: Path) -> None:
    code = here / "bowl.py"
    lost = '"left": math.inf if random.random() < 0.5 else self.left, "never": math.nan}'
    code.write_text(code.read_text().replace('"left": self.left}', lost, 1))
    again = ("--seeds", 4, "--epochs", 2)
    said = run("final", "finished.yaml", *again).splitlines()
    found = told(*again)
    last = [rows(found["folder"], trial)[-1]["left"] for trial in found["values"]]
    finite = [value for value in last if value is not None]
    assert 1 < len(finite) < 4
    mean, deviation = statistics.fmean(finite), statistics.stdev(finite)
    assert (found["mean"]["left"], found["deviation"]["left"]) == pytest.approx((mean, deviation))
    assert f"left: {mean:.6g} ± {deviation:.2g} (mean ± standard deviation of {len(finite)})" in said
    assert (found["mean"]["never"], found["deviation"]["never"]) == (None, None)
    assert "never: not finite" in said


PROGRAM = """\
import os, pathlib
pathlib.Path(os.environ["SWIFT_STATE_OUT"], "model").write_text("trained")
with open(os.environ["SWIFT_METRICS"], "w") as metrics:
    for epoch in range(int(os.environ["SWIFT_FROM"]) + 1, int(os.environ["SWIFT_TO"]) + 1):
        print(f'{{"epoch": {epoch}, "loss": {1 / epoch}}}', file=metrics)
"""
STUDY_OF_A_PROGRAM = """\
name: program
target: {command: [python3, train.py], metric: loss, mode: min}
space: {rate: {type: float, low: 0.1, high: 0.9}}
search: {algorithm: random, trials: 2, max_epochs: 2, eta: 2}
"""


def test_the_state_of_a_program_is_named_as_no_command_loads_it(here: Path) -> None:
    (here / "train.py").write_text(PROGRAM)
    (here / "program.yaml").write_text(STUDY_OF_A_PROGRAM)
    run("search", "program.yaml")
    said = run("final", "program.yaml", "--epochs", 3).splitlines()
    state = Path(said[-1].removeprefix("state: "))
    assert (state / "model").read_text() == "trained"
    assert state.is_relative_to("results/program-final/trials")
    assert not any("--load" in line for line in said)


def test_a_killed_final_training_goes_on_where_it_was(here: Path) -> None:
    command = [str(Path(sys.executable).with_name("swift-hyperband")), "final", "finished.yaml", "--epochs", "14"]
    process = subprocess.Popen(command, env={**os.environ, "PAUSE": "0.3"}, start_new_session=True)
    end = time.monotonic() + 100
    while started("results/finished-final")[12] == 0:
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    found = told("--epochs", 14)
    again = started("results/finished-final")
    assert again.keys() == set(range(10, 15))
    assert again.total() <= 6, "an epoch at most is trained again"
    shutil.rmtree("results/finished-final")
    assert told("--epochs", 14)["values"] == found["values"]


def test_a_study_file_can_be_run_elsewhere(here: Path) -> None:
    again = ("--seeds", 2, "--epochs", 3, "--name", "again")
    assert run("final", "finished.yaml", *again, "--only-write").splitlines() == [
        "study file: results/again.yaml",
        "run it: swift-hyperband run results/again.yaml",
    ]
    assert not Path("results/again").exists()
    run("search", "results/again.yaml")
    best = yaml.safe_load(Path("results/again/best.yaml").read_text())
    found = told(*again)
    assert found["values"][found["best"]] == best["value"]
    # another number of seeds is refused, and leaves the file with which this one goes on
    written = Path("results/again.yaml").read_text()
    for more in ([], ["--only-write"]):
        refused("final", "finished.yaml", "--seeds", 3, "--epochs", 3, "--name", "again", *more)
    assert Path("results/again.yaml").read_text() == written


def test_the_best_so_far_of_a_search_that_is_not_over_is_called_so(running: History, here: Path) -> None:
    shutil.copytree(running.folder.path, here / "results/running")
    ran = forked.here(forked.SWIFT_HYPERBAND, "final", "results/running", "--seeds", "1", "--epochs", "2")
    assert ran.returncode == 0, ran.stderr
    best = standing.best(running)
    assert best is not None
    assert f"its search is not over, so this trains trial {best.trial}, the best so far" in ran.stderr
    assert "score of the search so far: " in ran.stdout


def test_what_cannot_be_trained_on_is_told_in_a_line(finished: History, here: Path) -> None:
    best = standing.best(finished)
    assert best is not None
    assert "must have --epochs (train the winner on) or --seeds" in refused("final", "finished.yaml")
    assert f"--epochs must be more than the 9 that trial {best.trial} has trained, found 9" in refused(
        "final", "finished.yaml", "--epochs", "9"
    )
    assert "--only-write must have --seeds" in refused("final", "finished.yaml", "--only-write", "--epochs", "12")
    # .pt where an earlier test of the process has imported torch
    next((here / "results/finished/trials" / best.trial).glob("state.*")).unlink()
    line = refused("final", "finished.yaml", "--epochs", "12")
    assert f"trial {best.trial}: its state must be kept to train it on, found none in " in line
    assert line.endswith("train it from the start: --seeds 1 --epochs 12\n")
    assert not Path("results/finished-final").exists()

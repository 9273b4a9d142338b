"""`swift-hyperband best`: the configuration that won, and the trained model that comes back."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from swift_hyperband import Results
from swift_hyperband.cli import main
from swift_hyperband.results import standing
from swift_hyperband.results.history import History


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["best", *map(str, arguments)]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["finished", "running", "without_rounds"])
def test_the_best_model_comes_back_with_its_metric(
    name: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    history: History = request.getfixturevalue(name)
    best = standing.best(history)
    assert best is not None
    found = json.loads(printed(capsys, history.folder.path, "--load", "--json"))
    assert (found["trial"], found["value"]) == (best.trial, best.value)
    assert (found["epoch"], found["loaded_epoch"]) == (best.epoch, best.epoch)
    assert found["configuration"] == best.configuration
    assert found["validated"] == found["recorded"] == best.value
    assert found["finished"] == history.finished
    said = printed(capsys, history.folder.path, "--load").splitlines()
    assert "loaded: Bowl with the state of epoch 9" in said
    assert f"validated: score {best.value:.6g}, as recorded" in said


@pytest.mark.usefixtures("finished")
def test_the_configuration_is_printed_as_a_study_file_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "finished.yaml").splitlines()
    first = next(number for number, line in enumerate(lines) if line == "configuration:")
    last = next(number for number, line in enumerate(lines) if line.startswith("state: "))
    best = yaml.safe_load(Path("results/finished/best.yaml").read_text())
    assert yaml.safe_load("\n".join(lines[first:last])) == {"configuration": best["configuration"]}
    assert lines[last] == f"state: {best['state']}"
    assert "its trained model: swift-hyperband best finished.yaml --load, or in Python:" in lines
    assert 'best = Results.open("results/finished").best' in lines


def test_a_model_that_validates_otherwise_is_told(
    finished: History, inside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(finished.folder.path, tmp_path / "results/finished")
    text = (inside / "bowl.py").read_text()
    monkeypatch.chdir(tmp_path)
    Path("bowl.py").write_text(text.replace("else -self.left", "else 1 - self.left"))
    assert "they differ; does validate() draw random numbers, or has its data changed?" in printed(
        capsys, "results/finished", "--load"
    )
    Path("bowl.py").write_text(text.replace(', "left": self.left}', ', "left": 1 / 0}'))
    monkeypatch.delitem(sys.modules, "target_bowl")
    assert main(["best", "results/finished", "--load"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: target Bowl: validate() must measure 'score', found bowl.py:")
    assert said.endswith("in validate: ZeroDivisionError: division by zero\n")


def test_results_are_read_anywhere_and_the_model_comes_back_where_its_code_is(
    finished: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(finished.folder.path, tmp_path / "laptop/copied")
    monkeypatch.chdir(tmp_path)
    for folder in (finished.folder.path.resolve(), Path("laptop/copied")):
        for command in (["status"], ["trials"], ["best"], ["export", "--to", "csv", "--out", "table"]):
            assert main([command[0], str(folder), *command[1:]]) == 0, capsys.readouterr().err
        assert len(Path("table/trials.csv").read_text().splitlines()) == 1 + len(finished.trials)
        assert Results.open(folder).best.trial == standing.best(finished).trial
    capsys.readouterr()
    for command in (["best", "laptop/copied", "--load"], ["final", "laptop/copied", "--epochs", "12"]):
        assert main(command) == 2
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1
        assert "bowl.py" in said
    assert not Path("results").exists()


def test_a_command_that_is_printed_can_be_pasted(finished: History, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path('my "copy" ü')
    shutil.copytree(finished.folder.path, folder)
    try:
        said = printed(capsys, folder)
        assert "swift-hyperband best 'my \"copy\" ü' --load" in said
        opened = next(line for line in said.splitlines() if "Results.open" in line)
        assert eval(opened.removeprefix("best = ")).trial == standing.best(finished).trial
    finally:
        shutil.rmtree(folder)


def test_nothing_to_find_is_told_in_a_line(capsys: pytest.CaptureFixture[str], finished: History) -> None:
    Path("new.yaml").write_text(Path("finished.yaml").read_text().replace("name: finished", "name: new"))
    assert main(["best", "new.yaml"]) == 2
    line = "error: new.yaml: its search must have been started, found no results/new/study.json; start it with: run\n"
    assert capsys.readouterr().err == line
    assert main(["best", "results/new"]) == 2
    assert "must be a study file or the folder of a started search" in capsys.readouterr().err

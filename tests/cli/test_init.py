"""`swift-hyperband init`: a folder that can be searched at once, in which nothing is overwritten."""

import json
import py_compile
import re
import shlex
import shutil
from pathlib import Path

import forked
import pytest

from swift_hyperband.base.shipped import STARTS, shipped
from swift_hyperband.cli import COMMANDS, init, main
from swift_hyperband.cli.arguments import STUDY_FILE
from swift_hyperband.study.reader import DEFAULT


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def files():
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["torch", "lightning", "command"])
def test_what_it_writes_passes_the_check_of_its_target(kind, capsys, request):
    if kind == "torch":
        request.getfixturevalue("checks_fork")
    if kind == "lightning":
        pytest.importorskip("lightning", reason="Lightning is not among the requirements")
    assert main(["init", "--target", kind]) == 0
    model = "train.py" if kind == "command" else "model.py"
    assert set(files()) == {"config/config.yaml", "config/study.schema.json", model}
    assert main(["check-target"]) == 0
    assert "2 epochs come out as 1 + 1 in new processes, bit for bit" in capsys.readouterr().out


def test_what_it_writes_is_searched_in_a_folder_that_is_no_clone(monkeypatch):
    assert main(["init", "a folder", "--target", "command"]) == 0
    done = forked.here(forked.SWIFT_HYPERBAND, "init", "a folder", "--slurm")
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir("a folder")
    done = forked.here(forked.SWIFT_HYPERBAND, "run", "--cores", "2")
    assert done.returncode == 0, done.stderr
    assert "best configuration: results/my-model/best.yaml" in done.stdout
    assert Path("results/my-model/report/index.html").exists()


def test_what_an_installer_compiles_is_left_out(tmp_path, monkeypatch):
    start = tmp_path / "starts/torch"
    shutil.copytree(shipped(STARTS) / "torch", start)
    py_compile.compile(str(start / "model.py"))
    assert list(start.glob("__pycache__/*.pyc"))
    monkeypatch.setattr(init, "shipped", lambda name: start if name.startswith(STARTS) else shipped(name))
    assert main(["init", "here"]) == 0
    written = {name for name in files() if name.startswith("here")}
    assert written == {"here/config/config.yaml", "here/config/study.schema.json", "here/model.py"}


def test_editors_find_the_schema_wherever_the_folder_is_taken():
    assert main(["init", "first"]) == 0
    study = Path("first").rename("second") / "config/config.yaml"
    name = re.match(r"# yaml-language-server: \$schema=(.*)", study.read_text())[1]
    assert not Path(name).is_absolute()
    assert "space" in json.loads((study.parent / name).read_text())["properties"]


@pytest.mark.parametrize("name", ["config/config.yaml", "model.py"])
def test_a_file_that_is_there_stays_and_nothing_else_is_written(name, capsys):
    Path("config").mkdir()
    Path(name).write_text("mine")
    assert main(["init"]) == 2
    assert files() == {name: b"mine"}
    told = capsys.readouterr().err
    assert told.startswith(f"error: {name}: must not be there, as nothing is overwritten; nothing was written")
    assert told.count("\n") == 1


def test_who_has_no_study_is_led_to_it(capsys):
    assert main(["plan"]) == 2
    told = "error: config/config.yaml: must be a study file, found no such file; 'swift-hyperband init' writes one\n"
    assert capsys.readouterr().err == told
    assert STUDY_FILE == DEFAULT


def test_the_profile_can_come_later(capsys):
    assert main(["init", "--target", "command"]) == 0
    before = files()
    assert main(["init", "--slurm"]) == 0
    assert files().items() >= before.items()
    assert set(files()) - set(before) == {"profiles/slurm/config.yaml", "profiles/slurm/partitions.yaml"}
    assert "run --profile profiles/slurm" in capsys.readouterr().out
    assert main(["init", "--slurm"]) == 2


def test_it_ends_with_the_next_commands(capsys):
    assert main(["init", "my folder"]) == 0
    printed = capsys.readouterr().out
    assert "Next, in 'my folder':" in printed
    commands = [shlex.split(line, comments=True) for line in printed.splitlines() if line.startswith("  ")]
    assert [words[0] for words in commands] == ["swift-hyperband"] * 3
    assert {words[1] for words in commands} <= set(COMMANDS)


def test_a_library_that_the_model_needs_and_is_not_there_is_named(capsys, monkeypatch):
    monkeypatch.setattr(init, "find_spec", lambda _: None)
    assert main(["init"]) == 0
    assert "needs torch, which is not installed: pip install 'swift-hyperband[train]'" in capsys.readouterr().out

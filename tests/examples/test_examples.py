"""The examples keep their contract, and search as they stand."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from swift_hyperband.cli import main

ROOT = Path(__file__).parents[2]
COMMAND = str(Path(sys.executable).with_name("swift-hyperband"))


def run(folder, *arguments):
    environment = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(
        [COMMAND, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def project(tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


@pytest.mark.parametrize("name", ["torch_model", "sklearn_mlp", "lightning_model", "train_sh"])
def test_an_example_keeps_its_contract(project, name, checks_fork, monkeypatch, capsys):
    if name == "lightning_model":
        pytest.importorskip("lightning", reason="Lightning is not among the requirements")
    monkeypatch.chdir(project)
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["check-target", f"examples/{name}.yaml"]) == 0
    assert "2 epochs come out as 1 + 1 in new processes, bit for bit" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["sklearn_mlp", "train_sh"])
def test_an_example_is_searched(project, name):
    assert "best configuration: results/example-" in run(project, "search", f"examples/{name}.yaml", "--workers", "2")
    folder = project / f"results/example-{name.replace('_', '-')}"
    assert (folder / "curves.parquet").exists()
    kept = [path for path in folder.glob("trials/*/state.*") if path.name != "state.json"]
    assert len(kept) == (1 if name == "train_sh" else 0), "of a program the folder of the best trial is kept"


def test_the_readme_has_the_example_in_torch():
    shown = re.search(r"```python\n(import torch.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    assert shown.strip() in (ROOT / "examples/torch_model.py").read_text()

"""The examples keep their contract, and search as they stand."""

import re
import shutil
from pathlib import Path

import forked
import pytest

from swift_hyperband.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.parametrize("name", ["torch_model", "sklearn_mlp", "lightning_model", "train_sh"])
def test_an_example_keeps_its_contract(name, capsys, request):
    if name == "torch_model":
        request.getfixturevalue("checks_fork")
    if name == "lightning_model":
        pytest.importorskip("lightning", reason="Lightning is not among the requirements")
    assert main(["check-target", f"examples/{name}.yaml"]) == 0
    assert "2 epochs come out as 1 + 1 in new processes, bit for bit" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["sklearn_mlp", "train_sh"])
def test_an_example_is_searched(name):
    search = (forked.SWIFT_HYPERBAND, "search", f"examples/{name}.yaml", "--workers", "2")
    done = forked.here(*search)
    assert done.returncode == 0, done.stderr
    assert "best configuration: results/example-" in done.stdout
    folder = Path(f"results/example-{name.replace('_', '-')}")
    assert (folder / "curves.parquet").exists()
    kept = [path for path in folder.glob("trials/*/state.*") if path.name != "state.json"]
    assert len(kept) == (1 if name == "train_sh" else 0), "of a program the folder of the best trial is kept"


def test_the_readme_has_the_example_in_torch():
    shown = re.search(r"```python\n(import torch.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    assert shown.strip() in (ROOT / "examples/torch_model.py").read_text()

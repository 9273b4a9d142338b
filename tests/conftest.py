"""What all tests share: the loopback annealer, tables of curves, a browser, and a processor left as it was found."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from swift_hyperband.base import console
from swift_hyperband.base.metric import Metric
from swift_hyperband.replay.tables.table import CurveTable
from swift_hyperband.training.check import contract


def load(name: str, file: str) -> ModuleType:
    """Load what tests share by its path, as tests are no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / file)
    assert spec is not None
    assert spec.loader is not None
    # dataclasses look their module up
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


forked = load("forked", "forked.py")
slurm_stand_in = load("slurm_stand_in", "slurm/stand_in.py")
load("version_0_1", "version_0_1.py")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHARED = Path(__file__).parents[2] / "shared/curves"
FILES = {
    "mlpf": "mlpf_delphes/delphes_trainings_processed.csv",
    "cifar10": "cifar10_cnn/cifar_curves_mod.json",
    "ptb": "lstm_ptb/lstm_ptb.csv",
    "svhn": "metaqnn_svhn/metaqnn_svhn.csv",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each worker begin with its share of the tests of the workflow: they take longest, and all shall end together.

    `--dist worksteal` gives each worker a part of the list, all of equal length, and later takes tests from its end.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if "workflow" in item.path.parts]
    short = [item for item in items if "workflow" not in item.path.parts]
    parts: list[pytest.Item] = []
    for number in range(workers):
        share = long[number::workers]
        room = max(0, (len(items) - len(parts)) // (workers - number) - len(share))
        parts += share + short[:room]
        del short[:room]
    items[:] = parts


@pytest.fixture(scope="session")
def sapi() -> ModuleType:
    """Return the module with the loopback server."""
    return load("loopback_sapi", "annealing/sapi.py")


@pytest.fixture
def checks_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processes of `check-target` be forks of one that has torch, whose import takes most of their time."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        done: subprocess.CompletedProcess[str] = forked.here(*command[1:], modules=("torch",))
        return done

    monkeypatch.setattr(contract.subprocess, "run", run)


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """Return a folder with a study that runs on SLURM, and commands that stand in for SLURM's."""
    return slurm_stand_in.make(tmp_path, monkeypatch)


@pytest.fixture(autouse=True)
def log() -> None:
    """Let the package's log be printed as by the command line, whatever options a test before has given."""
    console.set_up()


@pytest.fixture(autouse=True)
def processor() -> Iterator[None]:
    """Let a test that trains within this process leave denormal numbers on again, for those that follow."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture
def published():
    """Return the path of a published table; skip where it is not there."""

    def path(format_):
        found = SHARED / FILES[format_]
        if not found.exists():
            pytest.skip(f"the published table {FILES[format_]} is not in {SHARED}")
        return found

    return path


@pytest.fixture
def table():
    """Power-law curves of 200 configurations, 81 epochs; the learning rate says how good and the width how fast."""
    rng = np.random.default_rng(0)
    lr, width, kind = 10 ** rng.uniform(-4, -1, 200), rng.integers(8, 256, 200), rng.choice(["sgd", "adam"], 200)
    end = 0.1 + 0.1 * np.abs(np.log10(lr) + 2.5) + 0.02 * (kind == "sgd")
    speed = 0.5 + width / 256
    curves = end[:, None] + np.arange(1, 82) ** -speed[:, None] + rng.normal(0, 0.003, (200, 81))
    return CurveTable(
        name="synthetic",
        metric=Metric("error", "min"),
        curves=curves,
        recorded=np.full(200, 81),
        hyperparameters={"lr": lr.tolist(), "width": width.tolist(), "kind": kind.tolist()},
        seconds=None,
        ids=[str(row) for row in range(200)],
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start an installed Chromium, once for each module; $SWIFT_CHROMIUM names another one."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no package playwright, which drives the browser")
    found = os.environ.get("SWIFT_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()

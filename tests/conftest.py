"""What all tests share: the loopback annealer, tables of curves, and a processor left as it was found."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from swift_hyperband.base import console
from swift_hyperband.base.metric import Metric
from swift_hyperband.replay.tables.table import CurveTable

# tests are no package, so what they share is loaded by its path
spec = importlib.util.spec_from_file_location("slurm_stand_in", Path(__file__).with_name("slurm") / "stand_in.py")
assert spec is not None
assert spec.loader is not None
slurm_stand_in = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(slurm_stand_in)

SHARED = Path(__file__).parents[2] / "shared/curves"
FILES = {
    "mlpf": "mlpf_delphes/delphes_trainings_processed.csv",
    "cifar10": "cifar10_cnn/cifar_curves_mod.json",
    "ptb": "lstm_ptb/lstm_ptb.csv",
    "svhn": "metaqnn_svhn/metaqnn_svhn.csv",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of the workflow first: they take longest, and all workers shall end together."""
    items.sort(key=lambda item: "workflow" not in item.path.parts)


@pytest.fixture(scope="session")
def sapi() -> ModuleType:
    """Return the module with the loopback server."""
    spec = importlib.util.spec_from_file_location("loopback_sapi", Path(__file__).with_name("annealing") / "sapi.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


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

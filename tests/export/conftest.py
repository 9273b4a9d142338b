"""Searches that really trained, to be exported: finished, in the middle, and without rounds."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from swift_hyperband.results.history import History
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.standing import Fate, fates
from swift_hyperband.study.model import load
from swift_hyperband.workflow.driver import run_search

TARGET = '''\
"""Descends a bowl; it crashes or explodes where it is told to."""

import math
import os
import random
import time


class Bowl:
    def setup(self, configuration, context):
        self.configuration = configuration
        self.epoch = 0
        self.left = 1 + abs(math.log10(configuration["lr"]) + 2) + configuration["depth"] / 10
        self.momentum = configuration.get("momentum", 0)

    def train_epoch(self, epoch):
        if self.configuration["batch"] == 128 and self.configuration["depth"] < 4:
            raise ValueError("a batch too large")
        self.epoch = epoch
        time.sleep(float(os.environ.get("PAUSE", 0)))
        self.left *= 0.9 - self.momentum / 10 + random.uniform(0, 0.02)
        return {"drawn": random.random()}

    def validate(self):
        exploded = self.configuration["decay"] > 0.8 and self.epoch > 1
        return {"score": -math.inf if exploded else -self.left, "left": self.left}

    def state_dict(self):
        return {"left": self.left}

    def load_state_dict(self, state):
        self.left = state["left"]
'''

STUDY = """\
name: {name}
target: {{name: "bowl.py:Bowl", metric: score, mode: max}}
space:
  lr: {{type: float, low: 1.0e-4, high: 1.0e-1, log: true}}
  decay: {{type: float, low: 0.0, high: 1.0}}
  depth: {{type: int, low: 2, high: 8}}
  batch: {{type: categorical, choices: [32, 64, 128]}}
  optimizer: {{type: categorical, choices: [sgd, adam]}}
  momentum: {{type: float, low: 0.0, high: 0.99, when: {{optimizer: sgd}}}}
search: {{algorithm: {algorithm}, max_epochs: 9, eta: 3, seed: 4}}
swift: {{d: 3, margin: 0}}
predictor: {{fewest_curves: 3}}
retries: 0
execution: {execution}
"""


class StopHereError(Exception):
    pass


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a user's folder with the target."""
    found = tmp_path_factory.mktemp("project")
    (found / "bowl.py").write_text(TARGET)
    return found


@pytest.fixture(autouse=True)
def inside(project: Path) -> Iterator[Path]:
    """Work in the user's folder."""
    with contextlib.chdir(project):
        yield project


def started(
    project: Path, name: str, rounds: int | None = None, algorithm: str = "swift-hyperband", more: str = ""
) -> StudyFolder:
    """Return the folder of a search that ran to its end, or until so many rounds were over."""
    over = []

    def stop(record: object) -> None:
        over.append(record)
        if len(over) == rounds:
            raise StopHereError

    with contextlib.chdir(project):
        execution = "workers" if algorithm == "asha" else "rounds"
        path = Path(f"{name}.yaml")
        path.write_text(STUDY.format(name=name, algorithm=algorithm, execution=execution) + more)
        folder = StudyFolder(Path("results") / name)
        with contextlib.suppress(StopHereError):
            run_search(load(path), folder, 1, stop)
    return StudyFolder(project / "results" / name)


@pytest.fixture(scope="session")
def search() -> Callable[..., StudyFolder]:
    """Return the function that runs a search."""
    return started


@pytest.fixture(scope="session")
def finished(project: Path) -> History:
    """Return a finished search."""
    return History(started(project, "finished"))


@pytest.fixture(scope="session")
def running(project: Path) -> History:
    """Return a search of which two rounds are over."""
    return History(started(project, "running", rounds=2))


@pytest.fixture
def waiting(running: History, tmp_path: Path) -> History:
    """Return a copy of the search that runs in which one of its trials has not begun."""
    folder = StudyFolder(tmp_path / "copied" / running.folder.path.name)
    shutil.copytree(running.folder.path, folder.path)
    trial = next(trial for trial, fate in fates(running).items() if fate is Fate.RUNNING)
    for name in ("curve.jsonl", "started.jsonl"):
        (folder.trial(trial) / name).unlink()
    return History(folder)


@pytest.fixture(scope="session")
def without_rounds(project: Path) -> History:
    """Return a finished search without rounds."""
    return History(started(project, "asha", algorithm="asha"))

"""Studies on disk, and batches in processes of their own: what kills and crashes them must not reach the tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from swift_hyperband.training import batch
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import Trained

HERE = Path(__file__).parent

RUN = """
import json, sys
from pathlib import Path
from swift_hyperband.base.errors import UserError
from swift_hyperband.training.batch import train_batch
from swift_hyperband.training.settings import TrainingSettings
given = json.loads(sys.argv[1])
settings = TrainingSettings(**given["settings"])
try:
    found = train_batch(
        Path(given["folder"]), settings, given["trials"], given["epochs"], given["workers"], time_limit=given["limit"]
    )
except UserError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
print(json.dumps({name: [trained.status, trained.values] for name, trained in found.items()}))
"""


class Study:
    """A study's folder and settings; batches of it run in new processes."""

    def __init__(self, folder: Path, settings: TrainingSettings) -> None:
        self.folder = folder
        self.settings = settings
        self.limit: float | None = None

    def add(self, trial: str, **configuration: Any) -> Path:
        folder = self.trial(trial)
        folder.mkdir(parents=True)
        config = {"trial": trial, "bracket": 0, "slot": 0, "configuration": configuration}
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    def pace(self, trial: str, seconds: float) -> None:
        """Let epochs of a trial last so long from its next start on."""
        path = self.trial(trial) / "config.json"
        config = json.loads(path.read_text())
        path.write_text(json.dumps({**config, "configuration": {**config["configuration"], "seconds": seconds}}))

    def trial(self, trial: str) -> Path:
        return self.folder / "trials" / trial

    def start(self, trials: list[str], epochs: int, workers: int = 1) -> subprocess.Popen[str]:
        given = {
            "settings": asdict(self.settings),
            "folder": str(self.folder),
            "trials": trials,
            "epochs": epochs,
            "workers": workers,
            "limit": self.limit,
        }
        return subprocess.Popen(
            [sys.executable, "-c", RUN, json.dumps(given)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # a shell that runs the tests in the background makes everything below it deaf to Ctrl-C
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )

    def train(self, trials: list[str], epochs: int, workers: int = 1) -> dict[str, list[Any]]:
        """Train in a new process and return [status, values] by trial."""
        process = self.start(trials, epochs, workers)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return dict(json.loads(out.splitlines()[-1]))

    def train_here(self, trial: str, epochs: int) -> Trained:
        """Train one trial by a fork of this process, which has torch already."""
        if torch := sys.modules.get("torch"):
            # threads are not forked
            torch.set_num_threads(1)
        return batch.train_batch(self.folder, self.settings, [trial], epochs)[trial]

    def refused(self, trials: list[str], epochs: int, workers: int = 1) -> str:
        """Train in a new process that must end by a user error, and return its message."""
        process = self.start(trials, epochs, workers)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 2, err
        return err

    def with_(self, **changes: Any) -> Study:
        """Return the same study with other settings."""
        return Study(self.folder, replace(self.settings, **changes))

    def of(self, target: str, file: str = "sample_targets.py", **changes: Any) -> Study:
        """Return the same study of another sample target."""
        return self.with_(target=f"{HERE / file}:{target}", **changes)

    def twin(self) -> Study:
        """Return a study with the same settings in another folder."""
        return Study(self.folder.with_name("twin"), self.settings)

    def started(self, trial: str) -> list[int]:
        """Return the epochs that were begun, in order."""
        return [line["epoch"] for line in lines(self.trial(trial) / "started.jsonl")]

    def curve(self, trial: str) -> list[dict[str, Any]]:
        """Return a trial's curve without its times."""
        rows = lines(self.trial(trial) / "curve.jsonl")
        return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]

    def failures(self, trial: str) -> dict[str, Any]:
        return dict(json.loads((self.trial(trial) / "failures.json").read_text()))

    def process(self, trial: str) -> int:
        """Return the process that began the last epoch."""
        return int(lines(self.trial(trial) / "started.jsonl")[-1]["pid"])

    def wait_for_epoch(self, trial: str, epoch: int) -> None:
        """Wait until as many epochs have begun."""
        path = self.trial(trial) / "started.jsonl"
        while not path.exists() or len(lines(path)) < epoch:
            time.sleep(0.005)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Return a study of `sample_targets.Counter`."""
    settings = TrainingSettings(
        target=f"{HERE}/sample_targets.py:Counter", options={}, metric="accuracy", threads=1, seed=7, retries=2
    )
    return Study(tmp_path / "study", settings)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]

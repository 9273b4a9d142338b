"""A training that is to have a GPU and sees none is refused, unless the study allows it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from swift_hyperband.training import gpus

SWIFT = str(Path(sys.executable).with_name("swift-hyperband"))


@pytest.mark.parametrize(
    ("environment", "files", "why"),
    [
        ({}, ["nvidia0", "nvidiactl"], None),
        ({"CUDA_VISIBLE_DEVICES": "0"}, ["nvidia3"], None),
        ({"CUDA_VISIBLE_DEVICES": "GPU-8932f937"}, ["nvidia0"], None),
        ({}, ["kfd"], None),
        ({"ROCR_VISIBLE_DEVICES": "1"}, ["kfd"], None),
        ({"CUDA_VISIBLE_DEVICES": ""}, ["nvidia0"], "CUDA_VISIBLE_DEVICES=''"),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, ["nvidia0"], "CUDA_VISIBLE_DEVICES='-1'"),
        ({"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, ["nvidia0"], "CUDA_VISIBLE_DEVICES='NoDevFiles'"),
        ({"ROCR_VISIBLE_DEVICES": ""}, ["kfd"], "ROCR_VISIBLE_DEVICES=''"),
        # what SLURM says of a device that is not there
        ({"CUDA_VISIBLE_DEVICES": "0"}, ["null"], "no "),
        ({}, ["nvidiactl", "nvidia-uvm"], "no "),
    ],
)
def test_what_a_program_would_find_is_told_by_the_drivers_files_and_the_environment(tmp_path, environment, files, why):
    for name in files:
        (tmp_path / name).touch()
    found = gpus._files(environment, tmp_path)
    assert found is None if why is None else found.startswith(why)


NO_TORCH = """
class Target:
    def setup(self, configuration, context):
        self.x = configuration["x"]
    def train_epoch(self, epoch):
        pass
    def validate(self):
        return {"loss": self.x}
    def state_dict(self):
        return {}
    def load_state_dict(self, state):
        pass
"""


@pytest.mark.skipif(any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/kfd").exists(), reason="there is a GPU here")
@pytest.mark.parametrize(
    ("target", "found"),
    [
        ({"name": "mine.py:Target"}, "no /dev/nvidia0"),
        ({"name": "torches.py:Target"}, "that torch "),
        (
            {"command": "echo loss=1", "metrics": {"format": "regex", "pattern": "loss=(?P<loss>.*)"}},
            "no /dev/nvidia0",
        ),
    ],
)
def test_a_search_without_a_gpu_is_refused_in_one_line_and_counts_no_crash(tmp_path, target, found):
    (tmp_path / "mine.py").write_text(NO_TORCH)
    (tmp_path / "torches.py").write_text("import torch\n" + NO_TORCH)
    study = {
        "name": "needs",
        "target": {**target, "metric": "loss", "mode": "min"},
        "space": {"x": {"type": "float", "low": 0.0, "high": 1.0}},
        "search": {"algorithm": "random", "trials": 1, "max_epochs": 2, "eta": 2},
        "resources": {"gpus": 1},
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    done = subprocess.run([SWIFT, "search", "study.yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    (error,) = [line for line in done.stderr.splitlines() if not line.startswith("swift-hyperband: needs: 0 of ")]
    assert error.startswith(f"error: resources.gpus: a training must see a GPU, found {found}")
    assert f" on host {os.uname().nodename}; " in error
    assert "resources.gpus_required: false" in error
    # on SLURM the job is submitted again, perhaps to another node
    (manifest,) = (tmp_path / "results/needs").glob("bracket=*/round=*/entry.json")
    (batch,) = json.loads(manifest.read_text())["batches"]["full"]
    job = [SWIFT, "job", "train", str((manifest.parent / f"full/{batch}.json").relative_to(tmp_path))]
    done = subprocess.run(job, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 75
    assert done.stderr.startswith("error: resources.gpus: ")
    assert not list(tmp_path.glob("results/needs/trials/*/failures.json"))


def test_a_study_may_allow_to_train_without(tmp_path):
    (tmp_path / "mine.py").write_text(NO_TORCH)
    study = {
        "name": "needs",
        "target": {"name": "mine.py:Target", "metric": "loss", "mode": "min"},
        "space": {"x": {"type": "float", "low": 0.0, "high": 1.0}},
        "search": {"algorithm": "random", "trials": 1, "max_epochs": 2, "eta": 2},
        "resources": {"gpus": 1, "gpus_required": False},
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    done = subprocess.run([SWIFT, "search", "study.yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("number", "needed", "environment", "expected"),
    [
        (0, 1, {}, "0"),
        (5, 1, {}, "1"),
        (1, 2, {}, "2,3"),
        (3, 0, {}, None),
        (3, 4, {}, None),
        (3, 1, {"SLURM_JOB_ID": "7"}, None),
        (3, 1, {"CUDA_VISIBLE_DEVICES": "2"}, "2"),
        (3, 1, {"HIP_VISIBLE_DEVICES": "2"}, None),
    ],
)
def test_gpus_of_a_machine_are_dealt_out_where_nobody_else_does(
    number, needed, environment, expected, tmp_path, monkeypatch
):
    for name in (*gpus.VISIBLE, "SLURM_JOB_ID"):
        # set first, so that it is put back
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for device in ("nvidia0", "nvidia1", "nvidia2", "nvidia3", "nvidiactl", "nvidia-uvm"):
        (tmp_path / device).touch()
    gpus.deal(number, needed, tmp_path)
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == expected

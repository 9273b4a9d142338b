"""Ray Tune's result.json, by its own Trainable and JsonLoggerCallback, without a cluster.

A Tuner would start Ray's processes; here a Trainable's own train() makes the results, and the logger is driven with
them as the Tuner drives it.
"""

from pathlib import Path

import numpy as np
import ray
from common import keep
from ray import tune
from ray.tune.logger import JsonLoggerCallback

by = f"ray {ray.__version__} JsonLoggerCallback, Trainable.train(): "


class Fit(tune.Trainable):
    """A rate of 0.05 converges, 3 diverges; in float32, as a model's loss is."""

    def setup(self, config: dict) -> None:
        self.w, self.rate, self.kind = np.float32(4), np.float32(config["rate"]), config["kind"]

    def step(self) -> dict:
        with np.errstate(all="ignore"):
            self.w = self.w - self.rate * (self.w - np.float32(1)) * abs(self.w)
            loss = (self.w - np.float32(1)) ** 2
        return {"val_loss": self.kind(loss)}

    def save_checkpoint(self, folder: str) -> None:
        np.save(Path(folder) / "w.npy", self.w)

    def load_checkpoint(self, folder: str) -> None:
        self.w = np.load(Path(folder) / "w.npy")[()]


class Trial:
    """What the logger asks of a trial."""

    def __init__(self, folder: str, config: dict) -> None:
        self.local_path, self.config, self.checkpoint = folder, config, None

    def init_local_path(self) -> None:
        Path(self.local_path).mkdir(exist_ok=True)


def start(folder: str, rate: float, epochs: int, kind: type = np.float32, saved: object = None) -> tuple:
    """Train in one start of a trial; the ground truth is what step() returned."""
    config = {"rate": rate}
    trial, logger, measured = Trial(folder, config), JsonLoggerCallback(), {}
    trial.init_local_path()
    logger._restore_from_remote = lambda *_: None  # there is no remote storage
    logger.log_trial_start(trial)
    trainable = Fit(config | {"kind": kind})
    if saved:
        trainable.restore(saved)
    for _ in range(epochs):
        result = trainable.train()
        measured[result["training_iteration"]] = {"val_loss": float(result["val_loss"])}
        result |= {"trial_id": "a1b2c_00000", "hostname": "host", "node_ip": "127.0.0.1", "pid": 1, "config": config}
        logger.log_trial_result(result["training_iteration"], trial, result)
    logger.log_trial_end(trial)
    return measured, trainable.save(f"checkpoint-{folder}")


first, saved = start("sound", 0.05, 3)
keep("ray/first", "sound/result.json", first, 1e-6, by + "one JSON object a line, training_iteration from 1")
second, _ = start("sound", 0.05, 2, saved=saved)
keep("ray/second", "sound/result.json", first | second, 1e-6, by + "restored from a checkpoint: lines are appended")
measured, _ = start("diverged", 3.0, 8)
note = "diverged; a numpy.float32 infinity is Infinity, a numpy.float32 NaN is the text null"
keep("ray/diverged", "diverged/result.json", measured, 1e-6, by + note)
measured, _ = start("python", 3.0, 8, kind=float)
keep("ray/diverged_python", "python/result.json", measured, 1e-6, by + "diverged; a Python NaN is the bare word NaN")

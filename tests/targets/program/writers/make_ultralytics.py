"""results.csv of Ultralytics: a tiny detector of squares in generated pictures, and the same training resumed."""

import contextlib
import os
from pathlib import Path

os.environ["YOLO_CONFIG_DIR"] = str(Path.cwd() / "settings")
os.environ["YOLO_OFFLINE"] = "true"

import numpy as np
import ultralytics
from common import keep
from PIL import Image
from ultralytics import YOLO

MODEL = """
nc: 1
backbone:
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 1, Conv, [32, 3, 2]]
head:
  - [[2], 1, Detect, [nc]]
"""


def pictures(folder: Path, n: int) -> None:
    rng = np.random.default_rng(n)
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    for i in range(n):
        picture = np.zeros((64, 64, 3), np.uint8)
        x, y = rng.integers(0, 40, 2)
        picture[y : y + 24, x : x + 24] = 255
        Image.fromarray(picture).save(folder / "images" / f"{i}.png")
        (folder / "labels" / f"{i}.txt").write_text(f"0 {(x + 12) / 64} {(y + 12) / 64} {24 / 64} {24 / 64}\n")


measured: dict[int, dict[str, float]] = {}


def measure(trainer: object) -> None:
    """Keep what the trainer holds when an epoch has ended; the ground truth. Its very last call is not an epoch's."""
    if trainer.epoch < trainer.epochs:
        told = {f"train/{name}": value for name, value in trainer.tloss.items()} | trainer.metrics
        measured[trainer.epoch + 1] = {name: float(value) for name, value in told.items()}


def end_early(trainer: object) -> None:
    if trainer.epoch + 1 == 2:
        raise KeyboardInterrupt


pictures(Path("data/train"), 128)
pictures(Path("data/val"), 8)
Path("data.yaml").write_text(f"path: {Path.cwd()}/data\ntrain: train/images\nval: val/images\nnames: [square]\n")
Path("tiny.yaml").write_text(MODEL)
by = f"ultralytics {ultralytics.__version__}: "

model = YOLO("tiny.yaml", task="detect")
model.add_callback("on_fit_epoch_end", measure)
model.add_callback("on_fit_epoch_end", end_early)
settings = {"imgsz": 64, "batch": 4, "workers": 0, "plots": False, "device": "cpu", "seed": 0, "optimizer": "Adam"}
with contextlib.suppress(KeyboardInterrupt):
    model.train(data="data.yaml", epochs=4, project=str(Path.cwd()), name="run", lr0=0.01, warmup_epochs=0, **settings)
results = "run/results.csv"
keep("ultralytics/first", results, measured, 2e-5, by + "ended in its second epoch; epoch from 1, six digits")

model = YOLO("run/weights/last.pt")
model.add_callback("on_fit_epoch_end", measure)
model.train(resume=True)
keep("ultralytics/second", results, measured, 2e-5, by + "resume=True appends; one header, time from 0 again")

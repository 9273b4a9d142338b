"""What a training script of Syne Tune prints by its Reporter: a start, one that goes on, and one that diverges."""

import contextlib
import importlib.metadata
import io
from pathlib import Path

import numpy as np
from common import keep
from syne_tune import Reporter

by = f"syne-tune {importlib.metadata.version('syne-tune')} Reporter, standard output: "


def start(file: str, begin: int, until: int, rate: float) -> dict[int, dict[str, float]]:
    """Train epochs begin + 1 to until; the ground truth is what the reporter was given."""
    measured, told = {}, io.StringIO()
    weight = np.float32(4) if begin == 0 else np.load("weight.npy")[()]
    with contextlib.redirect_stdout(told), np.errstate(all="ignore"):
        report = Reporter()
        for epoch in range(begin + 1, until + 1):
            print(f"epoch {epoch}")
            weight = weight - np.float32(rate) * (weight - np.float32(1)) * abs(weight)
            loss = (weight - np.float32(1)) ** 2
            measured[epoch] = {"val_loss": float(loss)}
            report(epoch=epoch, val_loss=loss)
    np.save("weight.npy", weight)
    Path(file).write_text(told.getvalue())
    return measured


keep("syne_tune/first", "train.log", start("train.log", 0, 3, 0.05), 1e-6, by + "st_worker_iter counted from 0")
keep("syne_tune/second", "train.log", start("train.log", 3, 5, 0.05), 1e-6, by + "goes on; st_worker_iter from 0 again")
measured = start("train.log", 0, 8, 3.0)
keep("syne_tune/diverged", "train.log", measured, 1e-6, by + "NaN and Infinity without quotes")

"""fastai's CSVLogger: one fit, a second fit with append=True, and a second fit that overwrites."""

from pathlib import Path

import torch
from common import keep
from fastai.basics import DataLoaders, Learner, set_seed
from fastai.callback.core import Callback
from fastai.callback.progress import CSVLogger
from fastai.data.load import DataLoader
from fastai.metrics import mae
from torch.utils.data import TensorDataset

set_seed(0)
x = torch.randn(80, 4)
y = x.sum(1, keepdim=True) + 0.1 * torch.randn(80, 1)
measured: dict[int, dict[str, float]] = {}


class Measure(Callback):
    """Keeps the values of the Recorder, which is what the library holds in memory; that is the ground truth."""

    order = 70

    def after_epoch(self) -> None:
        names = self.recorder.metric_names[1:-1]
        measured[len(measured) + 1] = dict(zip(names, map(float, self.recorder.values[-1]), strict=True))


def learner(folder: str) -> Learner:
    measured.clear()
    set_seed(0)
    Path(folder).mkdir()
    data = DataLoaders(
        DataLoader(TensorDataset(x[:60], y[:60]), bs=10), DataLoader(TensorDataset(x[60:], y[60:]), bs=10)
    )
    model = torch.nn.Linear(4, 1)
    return Learner(data, model, loss_func=torch.nn.MSELoss(), metrics=mae, lr=0.05, path=folder, cbs=[Measure()])


by = "fastai 2.8.12 CSVLogger: "
learn = learner("appended")
learn.fit(3, cbs=CSVLogger(append=True))
keep("fastai/first", "appended/history.csv", measured, 1e-6, by + "epoch counted from 0, time as mm:ss")
learn.fit(2, cbs=CSVLogger(append=True))
keep("fastai/second", "appended/history.csv", measured, 1e-6, by + "append=True repeats the header and begins at 0")
learn = learner("overwritten")
learn.fit(3, cbs=CSVLogger())
learn.fit(2, cbs=CSVLogger())
late = {epoch: measured[epoch] for epoch in (4, 5)}
note = "a second fit() overwrites: epochs 4 and 5, as 0 and 1"
keep("fastai/overwritten", "overwritten/history.csv", late, 1e-6, by + note)

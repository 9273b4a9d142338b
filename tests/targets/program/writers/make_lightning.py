"""Lightning's loggers: rows of validation, training, steps and LearningRateMonitor, a second start, an event file."""

from pathlib import Path

import pytorch_lightning as pl
import torch
from common import keep
from pytorch_lightning.callbacks import LearningRateMonitor
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader, TensorDataset

measured: dict[int, dict[str, float]] = {}


class Line(pl.LightningModule):
    """A linear model; the ground truth is what Lightning itself holds in callback_metrics when an epoch has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def loss(self, batch: list[torch.Tensor]) -> torch.Tensor:
        x, y = batch
        return torch.nn.functional.mse_loss(self.layer(x), y)

    def training_step(self, batch: list[torch.Tensor], index: int) -> torch.Tensor:
        loss = self.loss(batch)
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch: list[torch.Tensor], index: int) -> None:
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self) -> dict:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.05)
        return {"optimizer": optimizer, "lr_scheduler": torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)}


class Measure(pl.Callback):
    """Runs after every other callback of the epoch."""

    def on_train_epoch_end(self, trainer: pl.Trainer, model: pl.LightningModule) -> None:
        held = trainer.callback_metrics
        values = {"train_loss_epoch": float(held["train_loss_epoch"])}
        if (trainer.current_epoch + 1) % trainer.check_val_every_n_epoch == 0:  # else held is of an epoch before
            values["val_loss"] = float(held["val_loss"])
        measured[trainer.current_epoch + 1] = values


def train(
    folder: str, until: int, resume: str | None = None, every: int = 1, monitor: bool = True, **more: object
) -> str:
    measured.clear()
    pl.seed_everything(0, verbose=False)
    x = torch.randn(80, 4)
    y = x.sum(1, keepdim=True) + 0.1 * torch.randn(80, 1)
    callbacks = [Measure(), *([LearningRateMonitor(logging_interval="step")] if monitor else [])]
    trainer = pl.Trainer(
        **{"logger": CSVLogger(folder, name="", version="run"), **more},
        max_epochs=until,
        callbacks=callbacks,
        log_every_n_steps=4,
        check_val_every_n_epoch=every,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
    )
    data = DataLoader(TensorDataset(x, y), batch_size=8)
    trainer.fit(Line(), data, DataLoader(TensorDataset(x[:40], y[:40]), batch_size=8), ckpt_path=resume)
    trainer.save_checkpoint(Path(folder) / "last.ckpt")
    return f"{folder}/run/metrics.csv"


by = "pytorch-lightning 2.6.6 CSVLogger: "
file = train("a", until=3)
keep("lightning/first", file, measured, 1e-6, by + "several rows an epoch, step rows, rows of LearningRateMonitor")
file = train("a", until=5, resume="a/last.ckpt")
keep("lightning/second", file, measured, 1e-6, by + "resumed with the same version, so epochs 1 to 3 are gone")
file = train("b", until=4, every=2, monitor=False)
keep("lightning/every_second", file, measured, 1e-6, by + "check_val_every_n_epoch=2")
file = train("c", until=3, monitor=False, val_check_interval=0.5)
keep(
    "lightning/twice",
    file,
    measured,
    1e-6,
    by + "val_check_interval=0.5: two validation rows an epoch, the last counts",
)
train("d", until=3, logger=TensorBoardLogger("d", name="", version="run"))
(written,) = Path("d/run").glob("events.out.tfevents.*")
written = written.rename("d/run/events.out.tfevents.1700000000.host.1.0")
note = "pytorch-lightning 2.6.6 TensorBoardLogger: step is the training step, the tag epoch says which epoch from 0"
keep("lightning/events", written, measured, 1e-6, note)

"""An event file of torch's SummaryWriter, a second start's file beside it, and scalars kept as tensors."""

from pathlib import Path

import tensorboard
import torch
from common import keep
from torch.utils.tensorboard import SummaryWriter

by = f"tensorboard {tensorboard.version.VERSION}, SummaryWriter of torch 2.13.0: "


def train(folder: str, epochs: range, steps: int, new_style: bool = False) -> dict[int, dict[str, float]]:
    """Log a training loss at every step and a validation loss at every epoch, whose step is the epoch from 0."""
    torch.manual_seed(epochs.start)
    weight = torch.zeros(1) if epochs.start == 0 else torch.load("weight.pt", weights_only=True)
    measured = {}
    with SummaryWriter(folder) as writer:
        for epoch in epochs:
            for step in range(steps):
                weight = weight - 0.2 / steps * (weight - 3 + torch.randn(1))
                writer.add_scalar("train/loss", (weight - 3).square(), epoch * steps + step)
            loss = float((weight - 3).square())
            writer.add_scalar("val/loss", loss, epoch, new_style=new_style)
            measured[epoch + 1] = {"val/loss": loss}
    torch.save(weight, "weight.pt")
    return measured


def event_file(folder: str, second: int = 1_700_000_000) -> Path:
    """Give the newest event file of a folder a name without the host and the process that wrote it."""
    newest = max(Path(folder).glob("events.out.tfevents.*"), key=lambda path: path.stat().st_mtime_ns)
    return newest.rename(Path(folder) / f"events.out.tfevents.{second}.host.1.0")


first = train("run", range(3), steps=4)
keep("tensorboard/first", event_file("run"), first, 1e-6, by + "the step of val/loss is the epoch from 0")
second = train("run", range(3, 5), steps=4)
written = event_file("run", 1_700_000_100)
keep("tensorboard/second", written, second, 1e-6, by + "a second start writes a file of its own beside the first")
measured = train("tensors", range(3), steps=4, new_style=True)
keep(
    "tensorboard/tensors", event_file("tensors"), measured, 1e-6, by + "new_style=True: tensors, as TensorFlow 2 writes"
)

"""A network that is wide enough for a GPU: the target of benchmarks/gpu.py."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.functional import mse_loss

from swift_hyperband.targets import Context
from swift_hyperband.targets.models.acceleration import Acceleration, step
from swift_hyperband.targets.options import Options

ROWS, STEPS = 4096, 20


class Wide:
    """Fits random numbers. Options: `precision` as the built-in targets have it, and `width`."""

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        """Build the network, its optimiser and its data."""
        options = Options("wide", context.options)
        self.acceleration = Acceleration.of(options, context.device)
        width = options.whole("width", 4096, 8, 16384)
        options.end()
        layers = [layer for _ in range(3) for layer in (nn.Linear(width, width), nn.ReLU())]
        self.model = nn.Sequential(*layers, nn.Linear(width, 1)).to(context.device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=configuration["learning_rate"])
        self.scaler = self.acceleration.scaler()
        self.inputs = torch.randn(ROWS, width, device=context.device)
        self.outputs = self.inputs[:, :1].sin()

    def train_epoch(self, epoch: int) -> None:
        """Take some steps."""
        for _ in range(STEPS):
            step(self._loss(), self.optimizer, self.scaler)

    def validate(self) -> dict[str, float]:
        """Return the loss."""
        with torch.no_grad():
            return {"loss": self._loss().item()}

    def _loss(self) -> torch.Tensor:
        with self.acceleration.autocast():
            return mse_loss(self.model(self.inputs).float(), self.outputs)

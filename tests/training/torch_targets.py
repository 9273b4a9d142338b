"""Targets of torch's parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from swift_hyperband.targets import Context


class Scheduled:
    """A linear model whose momentum and learning rate both matter for the epochs to come."""

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        self.model = torch.nn.Linear(4, 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, step_size=3, gamma=0.5)

    def train_epoch(self, epoch: int) -> dict[str, Any]:
        inputs = torch.randn(16, 4)
        loss = (self.model(inputs) - inputs.sum(dim=1, keepdim=True)).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.scheduler.step()
        return {"rate": self.scheduler.get_last_lr()[0]}

    def validate(self) -> dict[str, Any]:
        return {"accuracy": self.model.weight.sum()}


class Pickling(Scheduled):
    """Its state holds an object that only pickle can read."""

    def state_dict(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "folder": Path()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])


class Unpicklable(Pickling):
    """Its state holds what not even pickle can write."""

    def state_dict(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "schedule": lambda epoch: 0.9**epoch}


class ManyLosses(Scheduled):
    def validate(self) -> dict[str, Any]:
        return {"accuracy": torch.ones(3)}


class IsModule(torch.nn.Module):
    """Is a module itself, so that its own state leaves out the optimiser."""

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        self.layer = torch.nn.Linear(4, 1)
        self.optimizer = torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)

    def train_epoch(self, epoch: int) -> None:
        return None

    def validate(self) -> dict[str, Any]:
        return {"accuracy": 0.5}


class Overfitting:
    """A polynomial of high degree, fitted to ten noisy points of a line: soon it fits the noise."""

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        draw = torch.Generator().manual_seed(3)
        x = torch.rand(60, generator=draw) * 2 - 1
        self.y = x + 0.5 * torch.randn(60, generator=draw)
        self.x = torch.stack([x**power for power in range(16)], dim=1)
        self.model = torch.nn.Linear(16, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.1)

    def train_epoch(self, epoch: int) -> None:
        for _ in range(10):
            self.optimizer.zero_grad()
            self._loss(slice(10)).backward()
            self.optimizer.step()

    def validate(self) -> dict[str, Any]:
        with torch.no_grad():
            return {"loss": self._loss(slice(10, None)), "training": self._loss(slice(10))}

    def _loss(self, rows: slice) -> torch.Tensor:
        return (self.model(self.x[rows]).squeeze() - self.y[rows]).square().mean()

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

"""A network of two to four convolutions on CIFAR-10: five hyperparameters.

García Amboage et al., EPJ Web of Conferences 295, 12005 (2024), section 4. 5 x 5 convolutions with max-pooling, dense
layers of 120, 84 and 10, SGD with momentum; images are shifted and mirrored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from swift_hyperband.targets.models.images import ImageTarget, start_well
from swift_hyperband.targets.options import Options

DENSE = (120, 84)


class Cifar10CNN(ImageTarget):
    """Hyperparameters, see also ImageTarget.

    num_layers (2, 3, 4), num_filters (16, 32, 48, 64), batch_size (64 to 512), lr (1e-4 to .1, log) and momentum (1e-4
    to .9, log).
    """

    NAME = "cifar10-cnn"
    DEFAULTS: Mapping[str, Any] = {"num_layers": 3, "num_filters": 32, "batch_size": 64, "lr": 0.01, "momentum": 0.9}

    def build(self, values: Mapping[str, Any], options: Options) -> None:  # noqa: ARG002
        layers: list[nn.Module] = []
        channels, width = 3, self.channels(values["num_filters"])
        for _ in range(values["num_layers"]):
            layers += [nn.Conv2d(channels, width, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
            channels = width
        first, second = DENSE
        layers += [nn.Flatten(), nn.LazyLinear(first), nn.ReLU(), nn.Linear(first, second), nn.ReLU()]
        self.model = nn.Sequential(*layers, nn.Linear(second, 10))
        self.model(torch.zeros(1, 3, 32 // self.pool, 32 // self.pool))
        start_well(self.model)

    def optimise(self, values: Mapping[str, Any]) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.model.parameters(), lr=values["lr"], momentum=values["momentum"])

"""The six-layer network of the published real runs, on CIFAR-10: three hyperparameters.

García Amboage et al., EPJ Web of Conferences 295, 12005 (2024), figure 4. Pairs of 3 x 3 convolutions with 64, 128 and
256 channels, max-pooling and dropout after each pair, a dense layer of ten; Adadelta, batches of 64; images are shifted
by up to a tenth and mirrored. Added is batch normalisation: without it small learning rates stay at chance for long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from swift_hyperband.targets.models.images import ImageTarget
from swift_hyperband.targets.options import Options

CHANNELS = (64, 128, 256)


class Cifar10CNN6(ImageTarget):
    """Hyperparameters: lr (1e-4 to 0.1, log), dropout (0 to 1), weight_decay (1e-5 to 0.1, log); see ImageTarget."""

    NAME = "cifar10-cnn6"
    DEFAULTS: Mapping[str, Any] = {"lr": 0.05, "dropout": 0.2, "weight_decay": 1e-5}

    def build(self, values: Mapping[str, Any], options: Options) -> None:  # noqa: ARG002
        layers: list[nn.Module] = []
        channels = 3
        for width in map(self.channels, CHANNELS):
            for _ in range(2):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
            layers += [nn.MaxPool2d(2), nn.Dropout(values["dropout"])]
        self.model = nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(10))
        # an image sets the number of inputs of the lazy layer
        self.model.eval()(torch.zeros(1, 3, 32 // self.pool, 32 // self.pool))

    def optimise(self, values: Mapping[str, Any]) -> torch.optim.Optimizer:
        return torch.optim.Adadelta(self.model.parameters(), lr=values["lr"], weight_decay=values["weight_decay"])

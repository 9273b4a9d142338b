"""A network after cuda-convnet's on SVHN: nine hyperparameters.

Li et al., JMLR 18 (185), 2018, section 4.1, whose ranges these are, as in García Amboage et al., EPJ Web of Conferences
295, 12005 (2024). Three 5 x 5 convolutions with pooling, the first two followed by local response normalisation, and a
dense layer of ten; SGD with momentum .9, each layer with a weight decay of its own; the learning rate falls to a tenth
`lr_steps` times, in equal steps. `weight_decay`, whose range was not published, is that of the biases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from swift_hyperband.targets.models.images import ImageTarget, start_well
from swift_hyperband.targets.options import Options

CHANNELS = (32, 32, 64)
MOMENTUM = 0.9
DECAYS = ("conv1_l2", "conv2_l2", "conv3_l2", "dense_l2")


class SvhnCNN(ImageTarget):
    """Hyperparameters, see also ImageTarget.

    lr, conv1_l2, conv2_l2, conv3_l2 (5e-5 to 5, log), dense_l2 (5e-3 to 500, log), weight_decay (1e-6 to .1, log),
    lrn_scale (5e-6 to 5, log), lrn_power (.01 to 3), lr_steps (1 to 5). Option `epochs`: the learning rate's steps are
    spread over so many epochs (default: the study's `search.max_epochs`).
    """

    NAME = "svhn-cnn"
    FILES = "svhn"
    FOLDER = "svhn"
    FLIPS = False
    DEFAULTS: Mapping[str, Any] = {
        "lr": 0.01,
        **dict.fromkeys(DECAYS, 0.005),
        "weight_decay": 1e-5,
        "lrn_scale": 0.001,
        "lrn_power": 0.75,
        "lr_steps": 1,
    }

    def build(self, values: Mapping[str, Any], options: Options) -> None:
        self._epochs = options.whole("epochs", self.max_epochs)
        one, two, three = map(self.channels, CHANNELS)
        norm = {"alpha": values["lrn_scale"], "beta": values["lrn_power"]}
        self.model = nn.Sequential(
            *(nn.Conv2d(3, one, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.LocalResponseNorm(9, **norm)),
            *(nn.Conv2d(one, two, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2), nn.LocalResponseNorm(9, **norm)),
            *(nn.Conv2d(two, three, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.LazyLinear(10)),
        )
        self.model(torch.zeros(1, 3, 32 // self.pool, 32 // self.pool))
        start_well(self.model)

    def optimise(self, values: Mapping[str, Any]) -> torch.optim.Optimizer:
        layers = [layer for layer in self.model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        groups: list[dict[str, Any]] = [
            {"params": [layer.weight], "weight_decay": values[name]} for layer, name in zip(layers, DECAYS, strict=True)
        ]
        biases = [layer.bias for layer in layers]
        groups.append({"params": biases, "weight_decay": values["weight_decay"]})
        optimizer = torch.optim.SGD(groups, lr=values["lr"], momentum=MOMENTUM)
        steps = values["lr_steps"]
        milestones = [self._epochs * number // (steps + 1) for number in range(1, steps + 1)]
        self.scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones)
        return optimizer

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """Train on all training images once, then take a step of the learning rate's schedule."""
        found = super().train_epoch(epoch)
        self.scheduler.step()
        return found

"""A small convolutional network on scikit-learn's handwritten digits: a real training that needs no download.

After the six-layer CNN of the published real runs (García Amboage et al., EPJ Web of Conferences 295, 12005 (2024)):
pairs of 3 x 3 convolutions, pooling and dropout after each pair, a dense layer of ten. It is narrow, as digits are
8 x 8, and has batch normalisation: without it most configurations stay at chance.
"""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from swift_hyperband.base.errors import UserError
from swift_hyperband.targets import Context
from swift_hyperband.targets.options import Options

WIDTHS = (16, 32, 64)
BATCH = 64
MOMENTUM = 0.9
DEFAULTS = {"learning_rate": 0.01, "weight_decay": 0.0, "dropout": 0.0}
"""The hyperparameters of the target, and their values if a search leaves one out."""


def _read_digits() -> tuple[Tensor, Tensor]:
    """Return images, shape (1797, 1, 8, 8), in [0, 1], and classes, shape (1797,)."""
    # reads the package's file: importing scikit-learn costs more than a whole short training
    spec = importlib.util.find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(
            "the target digits-cnn needs scikit-learn, whose digits it trains on; pip install scikit-learn"
        )
    path = Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
    with gzip.open(path, "rt") as file:
        table = torch.tensor([[float(value) for value in line.split(",")] for line in file])
    return table[:, :64].reshape(-1, 1, 8, 8) / 16, table[:, 64].long()


# read once for all trials, which are forked from the process that imports this module
IMAGES, CLASSES = _read_digits()
# by index, so that all trials of all studies have the same split; the classes alternate in the file
TRAINING, VALIDATION, TEST = (torch.arange(first, len(IMAGES), 3) for first in range(3))


class DigitsCNN:
    """Hyperparameters: learning_rate (1e-3 to 1, log), weight_decay (1e-6 to 1e-1, log), dropout (0 to 0.8).

    Metrics: accuracy and loss on the validation images, train_loss, and test_accuracy on the test images, for reporting
    only, never to be optimised. Options: `train_size`, the number of training images (at most and by default 599);
    fewer make the task harder and the epochs shorter.
    """

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        """Build the network, its optimiser and its part of the data."""
        if unknown := configuration.keys() - DEFAULTS.keys():
            known = ", ".join(DEFAULTS)
            raise UserError(f"space: hyperparameters of digits-cnn must be among {known}, found {min(unknown)}")
        options = Options("digits-cnn", context.options)
        size = options.whole("train_size", len(TRAINING), BATCH, len(TRAINING))
        options.end()
        values = {**DEFAULTS, **configuration}
        self.device = context.device
        self.images, self.classes = IMAGES.to(self.device), CLASSES.to(self.device)
        self.training = TRAINING[:size]
        self.model = _network(values["dropout"]).to(self.device)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(),
            lr=values["learning_rate"],
            momentum=MOMENTUM,
            weight_decay=values["weight_decay"],
        )

    def train_epoch(self, epoch: int) -> dict[str, float]:  # noqa: ARG002
        """Train on all training images once, in random order."""
        self.model.train()
        total = 0.0
        # batch normalisation needs more than one image
        batches = [batch for batch in torch.split(self._shuffled(), BATCH) if len(batch) > 1]
        for batch in batches:
            loss = cross_entropy(self.model(self.images[batch]), self.classes[batch])
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            total += loss.item()
        return {"train_loss": total / len(batches)}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Measure the network on the validation and the test images."""
        self.model.eval()
        scores = self.model(self.images[VALIDATION])
        test_scores = self.model(self.images[TEST])
        return {
            "accuracy": _accuracy(scores, self.classes[VALIDATION]),
            "loss": cross_entropy(scores, self.classes[VALIDATION]).item(),
            "test_accuracy": _accuracy(test_scores, self.classes[TEST]),
        }

    def _shuffled(self) -> Tensor:
        return self.training[torch.randperm(len(self.training))]


def _network(dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 1
    for width in WIDTHS:
        for _ in range(2):
            # momentum: with at most ten steps an epoch, running means with the default lag behind
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width, momentum=0.3), nn.ReLU()]
            channels = width
        layers += [nn.MaxPool2d(2), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels, 10))


def _accuracy(scores: Tensor, classes: Tensor) -> float:
    return (scores.argmax(dim=1) == classes).double().mean().item()

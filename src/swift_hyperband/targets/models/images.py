"""The common part of the targets that classify images: their data in memory, and an epoch over it.

Training images come from the front of the training files, validation images from their end, so the two never overlap;
test images are the files' own, and only reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy, pad

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets import Images, cifar10, folder, svhn
from swift_hyperband.targets import Context
from swift_hyperband.targets.models.acceleration import Acceleration, step
from swift_hyperband.targets.options import Options, check_names

BIG = 1000
"""Images in one step of the validation."""


@dataclass(frozen=True)
class Part:
    """Images, shape (n, channels, height, width), scaled to mean 0 and deviation 1, and classes, shape (n,)."""

    images: Tensor
    classes: Tensor


@dataclass(frozen=True)
class Sizes:
    """The number of images of each part, and the factor by which images are shrunk."""

    training: int
    validation: int
    test: int
    pool: int


class ImageTarget:
    """A network that classifies images; subclasses define the network, optimiser and files.

    Metrics: accuracy and loss on the validation images, train_loss, and test_accuracy on the test images, for reporting
    only, never to be optimised. Options: `data`, the folder; `train_size`, `validation_size`, `test_size`, numbers of
    images; `width`, a factor on the numbers of channels; `pool`, the factor by which images are shrunk; `augment`,
    whether training images are shifted (and flipped if the paper does so); `precision` and `compile`.
    """

    NAME = ""
    FILES = "cifar10"
    FOLDER = "cifar-10"
    FLIPS = True
    DEFAULTS: Mapping[str, Any] = {}
    """The hyperparameters of the target, and their values if a search leaves one out."""

    model: nn.Module
    optimizer: torch.optim.Optimizer

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        """Build the network, its optimiser and its part of the data."""
        check_names(self.NAME, configuration, list(self.DEFAULTS))
        values = {**self.DEFAULTS, **configuration}
        options = Options(self.NAME, context.options)
        sizes = Sizes(
            options.whole("train_size", 45_000),
            options.whole("validation_size", 5_000),
            options.whole("test_size", 10_000),
            options.whole("pool", 1, 1, 8),
        )
        self.pool, self.max_epochs = sizes.pool, context.max_epochs
        self.width = options.number("width", 1.0, 0.01, 100)
        self.augment = options.flag("augment", True)
        self.batch = int(values.get("batch_size", 64))
        self.acceleration = Acceleration.of(options, context.device)
        self.build(values, options)
        options.end()
        self.model.to(context.device)
        self.optimizer = self.optimise(values)
        self.scaler = self.acceleration.scaler()
        self._forward = self.acceleration.forward(self.model)
        where = folder(context.options, self.FOLDER)
        self.training, self.validation, self.test = (
            Part(part.images.to(context.device), part.classes.to(context.device))
            for part in _parts(self.FILES, where, sizes)
        )

    def build(self, values: Mapping[str, Any], options: Options) -> None:
        """Make `self.model` for a configuration, and read further options."""
        raise NotImplementedError

    def optimise(self, values: Mapping[str, Any]) -> torch.optim.Optimizer:
        """Return the optimiser of the model, which is on its device."""
        raise NotImplementedError

    def channels(self, number: int) -> int:
        """Return a number of channels after the option `width`."""
        return max(1, round(self.width * number))

    def train_epoch(self, epoch: int) -> dict[str, float]:  # noqa: ARG002
        """Train on all training images once, in random order."""
        self.model.train()
        total = batches = 0.0
        for images, classes in self._batches():
            with self.acceleration.autocast():
                loss = cross_entropy(self._forward(images), classes)
            step(loss, self.optimizer, self.scaler)
            total += loss.item()
            batches += 1
        return {"train_loss": total / batches}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Measure the network on the validation and the test images."""
        self.model.eval()
        accuracy, loss = self._measured(self.validation)
        test_accuracy, _ = self._measured(self.test)
        return {"accuracy": accuracy, "loss": loss, "test_accuracy": test_accuracy}

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        part = self.training
        for chosen in torch.split(torch.randperm(len(part.classes)), self.batch):
            # batch normalisation needs more than one image
            if len(chosen) > 1:
                rows = chosen.to(part.classes.device)
                images = part.images[rows]
                yield shifted(images, self.FLIPS) if self.augment else images, part.classes[rows]

    def _measured(self, part: Part) -> tuple[float, float]:
        """Return the share of images that are classified right, and the mean loss."""
        right = loss = 0.0
        for images, classes in zip(torch.split(part.images, BIG), torch.split(part.classes, BIG), strict=True):
            with self.acceleration.autocast():
                scores = self._forward(images).float()
            right += (scores.argmax(dim=1) == classes).sum().item()
            loss += cross_entropy(scores, classes, reduction="sum").item()
        return right / len(part.classes), loss / len(part.classes)


def start_well(model: nn.Module) -> None:
    """Set weights as He et al. (arXiv 1502.01852) do, with which deep networks learn from their first step on."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def shifted(images: Tensor, flips: bool) -> Tensor:
    """Return images, each shifted by up to a tenth of its size in both directions, and half of them mirrored.

    Random numbers are drawn on the CPU, so that they are the same on every device.
    """
    count, _, height, width = images.shape
    most = max(1, height // 10)
    down, right = (torch.randint(0, 2 * most + 1, (count,)).to(images.device) for _ in range(2))
    mirrored = (torch.rand(count) < 0.5).to(images.device) if flips else None
    if mirrored is not None:
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    edged = pad(images, (most, most, most, most))
    rows = down[:, None] + torch.arange(height, device=images.device)
    columns = right[:, None] + torch.arange(width, device=images.device)
    each = torch.arange(count, device=images.device)[:, None, None, None]
    channels = torch.arange(images.shape[1], device=images.device)[:, None, None]
    return edged[each, channels, rows[:, None, :, None], columns[:, None, None, :]]


@lru_cache(maxsize=1)
def _parts(files: str, where: Path, sizes: Sizes) -> tuple[Part, Part, Part]:
    """Return training, validation and test images.

    Cached for check-target, which sets a target up several times in one process. Each trial of a job reads them again,
    in its own process.
    """
    training, test = _READERS[files](where, sizes)
    count = len(training.classes)
    if sizes.training + sizes.validation > count:
        raise UserError(
            f"target.options: train_size and validation_size must be {count} in all at most, as many as {where} holds "
            f"for training, found {sizes.training} and {sizes.validation}"
        )
    rows = slice(0, sizes.training), slice(count - sizes.validation, count), slice(0, sizes.test)
    parts = [_tensors(found, which, sizes.pool) for found, which in zip((training, training, test), rows, strict=True)]
    mean, deviation = parts[0].images.mean((0, 2, 3), keepdim=True), parts[0].images.std((0, 2, 3), keepdim=True)
    first, second, third = (Part((part.images - mean) / deviation, part.classes) for part in parts)
    return first, second, third


def _tensors(found: Images, rows: slice, pool: int) -> Part:
    images = torch.from_numpy(found.pixels[rows]).float() / 255
    return Part(avg_pool2d(images, pool) if pool > 1 else images, torch.from_numpy(found.classes[rows]))


def _read_cifar10(where: Path, sizes: Sizes) -> tuple[Images, Images]:
    # small studies need not wait for all files
    few = max(sizes.training, sizes.validation) <= 5_000
    names = (cifar10.BATCHES[0], cifar10.BATCHES[-1]) if few else cifar10.BATCHES
    return cifar10.read(where, names), cifar10.read(where, (cifar10.TEST,))


def _read_svhn(where: Path, _: Sizes) -> tuple[Images, Images]:
    return svhn.read(where, svhn.TRAINING), svhn.read(where, svhn.TEST)


_READERS: Mapping[str, Callable[[Path, Sizes], tuple[Images, Images]]] = {"cifar10": _read_cifar10, "svhn": _read_svhn}

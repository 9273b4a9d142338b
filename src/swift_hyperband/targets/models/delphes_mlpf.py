"""Machine-learned particle flow on Delphes events: from tracks and towers to particles, seven hyperparameters.

Pata et al., Eur. Phys. J. C 81, 381 (2021), and the search space of García Amboage et al., EPJ Web of Conferences 295,
12005 (2024). One stack of graph layers identifies the particle behind each element, a second one measures its momentum
as a correction of the element's.

The loss is that of the published code: cross entropies of class and charge, and 100 times the Huber losses of pt and E
(linear from 1 GeV on) and of eta, sin phi and cos phi (from .1 on). None of its weights is a hyperparameter: a search
that could tune them would tune its own metric.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, huber_loss, one_hot

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets import delphes, folder
from swift_hyperband.targets import Context
from swift_hyperband.targets.models.acceleration import Acceleration, step
from swift_hyperband.targets.models.mlpf_layers import GraphLayer
from swift_hyperband.targets.options import Options, check_names

DEFAULTS: dict[str, Any] = {
    "lr": 1e-3,
    "weight_decay": 1e-4,
    "dropout": 0.1,
    "bin_size": 32,
    "output_dim": 64,
    "num_graph_layers_id": 2,
    "num_graph_layers_reg": 2,
}
REGRESSION_WEIGHT = 100.0
CHARGES = 3
MOMENTUM = 5
"""pt, eta, sin phi, cos phi, E."""


class Part(NamedTuple):
    """Events as `delphes.Events` has them."""

    seen: Tensor
    truth: Tensor


class Found(NamedTuple):
    """The network's output for each element: scores of classes and charges, and the momentum."""

    classes: Tensor
    charges: Tensor
    momentum: Tensor


class Network(nn.Module):
    """Two stacks of graph layers; the second also gets the classes from the first."""

    def __init__(self, values: dict[str, Any], width: int) -> None:
        super().__init__()
        size, dropout = values["bin_size"], values["dropout"]
        self.towers, self.tracks = (nn.Linear(delphes.FEATURES, width) for _ in range(2))
        self.identify = nn.ModuleList(GraphLayer(width, size, dropout) for _ in range(values["num_graph_layers_id"]))
        self.measure = nn.ModuleList(GraphLayer(width, size, dropout) for _ in range(values["num_graph_layers_reg"]))
        self.classes, self.charges = nn.Linear(width, delphes.CLASSES), nn.Linear(width, CHARGES)
        self.known = nn.Linear(width + delphes.CLASSES, width)
        self.momentum = nn.Sequential(nn.Linear(width, width), nn.ELU(), nn.Linear(width, MOMENTUM))

    def forward(self, seen: Tensor) -> Found:
        """Return class, charge and momentum of the particle behind each element; `seen` is (events, elements, 12)."""
        kind = seen[..., :1]
        there = kind[..., 0] > 0
        scaled = _scaled(seen)
        start = torch.where(kind == delphes.TRACK, self.tracks(scaled), self.towers(scaled))
        elements = start
        for layer in self.identify:
            elements = layer(elements, there)
        classes, charges = self.classes(elements), self.charges(elements)
        elements = self.known(torch.cat([start, classes], dim=-1))
        for layer in self.measure:
            elements = layer(elements, there)
        # corrections: factors of pt and E, differences of the direction
        change = self.momentum(elements)
        energies = seen[..., (1, 5)] * torch.exp(change[..., (0, 4)].clamp(-3, 3))
        direction = seen[..., 2:5] + change[..., 1:4]
        return Found(classes, charges, torch.cat([energies[..., :1], direction, energies[..., 1:]], dim=-1))


class DelphesMLPF:
    """Hyperparameters, as the paper searches them.

    lr (1e-6 to 3e-2, log), weight_decay (1e-6 to .1, log), dropout (0 to .5), bin_size (8 to 128), output_dim (8 to
    256), num_graph_layers_id and num_graph_layers_reg (0 to 4).

    Metrics: loss on the validation events, class_accuracy of their elements, energy_error (where there is a particle,
    the median of |E found - E| / E), train_loss, and test_loss on jets instead of top quarks, for reporting only, never
    to be optimised. Options: `data`, the folder; `train_events`, `validation_events`, `test_events`; `elements`, the
    number to which an event is padded or cut, a multiple of every bin_size; `batch_size`; `width`, a factor on
    output_dim; `precision`, `compile`.
    """

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        """Build the network, its optimiser and its part of the events."""
        check_names("delphes-mlpf", configuration, list(DEFAULTS))
        values = {**DEFAULTS, **configuration}
        options = Options("delphes-mlpf", context.options)
        counts = (
            options.whole("train_events", 40_000),
            options.whole("validation_events", 5_000),
            options.whole("test_events", 5_000),
        )
        elements = options.whole("elements", 6_400)
        self.batch = options.whole("batch_size", 4)
        width = max(2, round(options.number("width", 1.0, 0.001, 100) * values["output_dim"]))
        self.acceleration = Acceleration.of(options, context.device)
        options.end()
        if elements % values["bin_size"]:
            raise UserError(
                f"target.options.elements must be a multiple of bin_size, {values['bin_size']}, found {elements}"
            )
        where = folder(context.options, "delphes")
        self.training, self.validation, self.test = _parts(where, counts, elements, context.device)
        self.model = Network(values, width).to(context.device)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=values["lr"], weight_decay=values["weight_decay"]
        )
        self.scaler = self.acceleration.scaler()
        self._forward = self.acceleration.forward(self.model)

    def train_epoch(self, epoch: int) -> dict[str, float]:  # noqa: ARG002
        """Train on all training events once, in random order."""
        self.model.train()
        total = 0.0
        for chosen in torch.split(torch.randperm(len(self.training.seen)), self.batch):
            rows = chosen.to(self.training.seen.device)
            with self.acceleration.autocast():
                found = self._forward(self.training.seen[rows])
            loss = loss_of(found, self.training.seen[rows], self.training.truth[rows])
            step(loss, self.optimizer, self.scaler, clip=1.0)
            total += loss.item() * len(rows)
        return {"train_loss": total / len(self.training.seen)}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Measure the network on the validation and the test events."""
        self.model.eval()
        loss, right, errors = self._measured(self.validation)
        return {
            "loss": loss,
            "class_accuracy": right,
            "energy_error": errors,
            "test_loss": self._measured(self.test)[0],
        }

    def _measured(self, part: Part) -> tuple[float, float, float]:
        """Return the mean loss of an event, the share of elements identified, the median error of energies."""
        total, right, there, errors = 0.0, 0, 0, []
        for seen, truth in zip(torch.split(part.seen, 16), torch.split(part.truth, 16), strict=True):
            with self.acceleration.autocast():
                found = self._forward(seen)
            total += loss_of(found, seen, truth).item() * len(seen)
            elements, particles = seen[..., 0] > 0, truth[..., 0] > 0
            right += int((found.classes.argmax(-1) == truth[..., 0])[elements].sum())
            there += int(elements.sum())
            energy = truth[..., 6][particles]
            errors.append((found.momentum[..., 4].float()[particles] - energy).abs() / energy)
        return total / len(part.seen), right / max(1, there), torch.cat(errors).median().item()


def loss_of(found: Found, seen: Tensor, truth: Tensor) -> Tensor:
    """Return the loss of the published code: the means over elements, and over those with a particle."""
    there, particles = seen[..., 0] > 0, truth[..., 0] > 0
    classes = cross_entropy(found.classes.float()[there], truth[..., 0].long()[there])
    # a batch without any particle: use all elements
    some = particles if particles.any() else there
    charges = cross_entropy(found.charges.float()[some], truth[..., 1].long()[some] + 1)
    momentum, wanted = found.momentum.float()[some], truth[..., 2:][some]
    energies = huber_loss(momentum[:, (0, 4)], wanted[:, (0, 4)], delta=1.0)
    direction = huber_loss(momentum[:, 1:4], wanted[:, 1:4], delta=0.1)
    return classes + charges + REGRESSION_WEIGHT * (energies + direction)


def _scaled(seen: Tensor) -> Tensor:
    """Return features of similar size: logarithms of momenta and energies."""
    is_tower = seen[..., :1] == delphes.TOWER
    energies = seen[..., (1, 5)].clamp(min=0).log1p()
    deposits = torch.where(is_tower, seen[..., 6:8].clamp(min=0).log1p(), seen[..., 6:8])
    parts = [
        one_hot(seen[..., 0].long().clamp(0, 2), 3)[..., 1:2],
        energies[..., :1],
        seen[..., 2:5],
        energies[..., 1:],
    ]
    return torch.cat([*parts, deposits, seen[..., 8:]], dim=-1)


@lru_cache(maxsize=1)
def _parts(where: Path, counts: tuple[int, int, int], elements: int, device: str) -> tuple[Part, Part, Part]:
    """Return training, validation and test events.

    Cached for check-target, which sets a target up several times in one process, and would hold these gigabytes twice.
    Each trial of a job reads them again, in its own process.
    """
    training, first = _part(where, delphes.TRAINING, counts[0], elements, False, device)
    validation, last = _part(where, delphes.TRAINING, counts[1], elements, True, device)
    # if the first and the last events overlap, together they are all events of the folder
    if len(together := {*first, *last}) < counts[0] + counts[1]:
        raise UserError(
            f"target.options.train_events and validation_events must be {len(together)} in all at most, as many as "
            f"{where} holds in {delphes.TRAINING}, found {counts[0]} and {counts[1]}; ask for fewer"
        )
    test, _ = _part(where, delphes.TEST, counts[2], elements, False, device)
    return training, validation, test


def _part(
    where: Path, pattern: str, events: int, elements: int, last: bool, device: str
) -> tuple[Part, tuple[tuple[str, int], ...]]:
    """Return events on a device, and where each was found; on a GPU, they leave the memory before the next part."""
    found = delphes.read(where, pattern, events, elements, last)
    return Part(torch.from_numpy(found.seen).to(device), torch.from_numpy(found.truth).to(device)), found.origins

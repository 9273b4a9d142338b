"""Mixed precision and compilation, as options of the built-in targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from swift_hyperband.targets.options import Options

PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class Acceleration:
    """Precision, compilation and device of a target.

    Attributes
    ----------
    precision : {"float32", "bfloat16", "float16"}
        Of the operations that autocast reduces; float16 works on GPUs only, with scaled gradients.
    compile : bool
        Whether the network is compiled before its first step.
    device : str
    """

    precision: str
    compile: bool
    device: str

    @classmethod
    def of(cls, options: Options, device: str) -> Acceleration:
        """Read the options `precision` and `compile`."""
        return cls(options.choice("precision", PRECISIONS), options.flag("compile", False), device)

    def autocast(self) -> torch.autocast:
        """Return the context in which the forward pass is computed."""
        dtype = torch.float32 if self.precision == "float32" else getattr(torch, self.precision)
        return torch.autocast(self.device, dtype=dtype, enabled=self.precision != "float32")

    def scaler(self) -> torch.amp.GradScaler:
        """Return the scaler of gradients. A target stores it in an attribute, because it has a state."""
        return torch.amp.GradScaler(self.device, enabled=self.precision == "float16")

    def forward(self, model: nn.Module) -> Callable[..., Any]:
        """Return a model as a function, compiled if the option says so.

        It is a function, not a module: a second module in an attribute would save the weights twice.
        """
        compiled = torch.compile(model) if self.compile else model
        return lambda *inputs: compiled(*inputs)


def step(loss: Tensor, optimizer: torch.optim.Optimizer, scaler: Any, clip: float | None = None) -> None:
    """Take an optimiser's step down a loss.

    Parameters
    ----------
    loss : Tensor
    optimizer : Optimizer
    scaler : GradScaler
    clip : float, optional
        Largest norm of the gradient.
    """
    optimizer.zero_grad()
    scaler.scale(loss).backward()
    if clip is not None:
        scaler.unscale_(optimizer)
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        nn.utils.clip_grad_norm_(weights, clip)
    scaler.step(optimizer)
    scaler.update()

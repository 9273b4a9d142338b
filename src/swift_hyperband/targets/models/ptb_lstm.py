"""A language model on the Penn Treebank: a stack of LSTMs, two hyperparameters.

The LSTM of Baker, Gupta, Raskar and Naik, arXiv 1705.10823, and of García Amboage et al., EPJ Web of Conferences 295,
12005 (2024): n_layer layers of n_inputs units, SGD with a learning rate of .1, batches of 50, dropout .5; the metric is
the perplexity, exp of the mean loss of a word.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets import folder, ptb
from swift_hyperband.targets import Context
from swift_hyperband.targets.models.acceleration import Acceleration, step
from swift_hyperband.targets.options import Options, check_names

DEFAULTS: dict[str, Any] = {"n_layer": 2, "n_inputs": 200, "lr": 0.1, "dropout": 0.5}


class _Model(nn.Module):
    """Embedding, LSTM layers and a layer of words, all with dropout between them."""

    def __init__(self, words: int, layers: int, units: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.embedding = nn.Embedding(words, units)
        self.lstm = nn.LSTM(units, units, layers, dropout=dropout if layers > 1 else 0.0)
        self.words = nn.Linear(units, words)

    def forward(self, words: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        found, state = self.lstm(self.dropout(self.embedding(words)), state)
        return self.words(self.dropout(found)), state


class PtbLSTM:
    """Hyperparameters: n_layer (2 to 5), n_inputs (10 to 1390); lr and dropout, .1 and .5 unless a search has them.

    Metrics: perplexity and loss on the validation text, train_loss, and test_perplexity, for reporting only, never to
    be optimised. Options: `data`, the folder; `vocabulary`, the number of known words; `train_words`,
    `validation_words`, `test_words`, the numbers of words used; `batch_size`; `sequence`, the number of words through
    which gradients flow back; `clip`, the largest norm of the gradient; `width`, a factor on n_inputs; `precision`,
    `compile`.
    """

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        """Build the model, its optimiser and its part of the text."""
        check_names("ptb-lstm", configuration, list(DEFAULTS))
        values = {**DEFAULTS, **configuration}
        options = Options("ptb-lstm", context.options)
        vocabulary = options.whole("vocabulary", 10_000, 10)
        sizes = [options.whole(f"{part}_words", 10**9, 100) for part in ("train", "validation", "test")]
        batch = options.whole("batch_size", 50)
        self.sequence = options.whole("sequence", 35)
        self.clip = options.number("clip", 5.0, 1e-6, 1e6)
        width = options.number("width", 1.0, 0.001, 100)
        self.acceleration = Acceleration.of(options, context.device)
        options.end()
        text = _text(folder(context.options, "ptb"), vocabulary)
        self.training, self.validation, self.test = (
            _columns(text.parts[part][:size], batch, part).to(context.device)
            for part, size in zip(ptb.PARTS, sizes, strict=True)
        )
        units = max(1, round(width * values["n_inputs"]))
        self.model = _Model(len(text.words), values["n_layer"], units, values["dropout"]).to(context.device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=values["lr"])
        self.scaler = self.acceleration.scaler()
        self._forward = self.acceleration.forward(self.model)

    def train_epoch(self, epoch: int) -> dict[str, float]:  # noqa: ARG002
        """Train on the text from its begin to its end, once."""
        self.model.train()
        state: tuple[Tensor, Tensor] | None = None
        total = words = 0.0
        for begin in range(0, len(self.training) - 1, self.sequence):
            # gradients stop at the begin of a piece of text
            state = None if state is None else (state[0].detach(), state[1].detach())
            loss, state, count = self._loss(self.training, begin, state)
            step(loss, self.optimizer, self.scaler, self.clip)
            total += loss.item() * count
            words += count
        return {"train_loss": total / words}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Measure the model on the validation and the test text."""
        self.model.eval()
        loss, test = self._measured(self.validation), self._measured(self.test)
        return {"perplexity": _exp(loss), "loss": loss, "test_perplexity": _exp(test)}

    def _loss(
        self, text: Tensor, begin: int, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor], int]:
        """Return the mean loss over a piece of text, the state behind it, and the number of words."""
        words, following = text[begin : begin + self.sequence], text[begin + 1 : begin + 1 + self.sequence]
        words = words[: len(following)]
        with self.acceleration.autocast():
            scores, state = self._forward(words, state)
            loss = cross_entropy(scores.flatten(0, 1).float(), following.flatten())
        return loss, state, following.numel()

    def _measured(self, text: Tensor) -> float:
        state: tuple[Tensor, Tensor] | None = None
        total = words = 0.0
        for begin in range(0, len(text) - 1, self.sequence):
            loss, state, count = self._loss(text, begin, state)
            total += loss.item() * count
            words += count
        return total / words


def _exp(loss: float) -> float:
    """Return the perplexity; infinite, so diverged, if it is beyond the range of numbers."""
    return math.exp(loss) if loss < 700 else math.inf


@lru_cache(maxsize=1)
def _text(where: Path, vocabulary: int) -> ptb.Text:
    """Return the text.

    Cached for check-target, which sets a target up several times in one process. Each trial of a job reads it again,
    in its own process.
    """
    return ptb.read(where, vocabulary)


def _columns(words: Any, batch: int, part: str) -> Tensor:
    """Return a text as `batch` columns that are trained at once, shape (length, batch)."""
    length = len(words) // batch
    if length < 2:
        raise UserError(f"target.options: {part} must hold {2 * batch} words, twice batch_size, found {len(words)}")
    return torch.from_numpy(words[: length * batch]).reshape(batch, length).t().contiguous()

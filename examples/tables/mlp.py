"""An MLP fits 100 noisy outputs of another, unknown MLP."""

import torch
from minibatches import Minibatches

GENERATOR = torch.Generator().manual_seed(2)
HIDDEN, OUT = torch.randn(12, 8, generator=GENERATOR) / 12**0.5, torch.randn(8, generator=GENERATOR)


def points(number, noise):
    """Return inputs, and the unknown network's outputs with noise of this standard deviation."""
    inputs = torch.randn(number, 12, generator=GENERATOR)
    return inputs, (2 * inputs @ HIDDEN).tanh() @ OUT + noise * torch.randn(number, generator=GENERATOR)


TRAINING, HELD_OUT = points(100, 1.0), points(2000, 0.0)


class MLP(Minibatches):
    training, held_out = TRAINING, HELD_OUT

    def setup(self, configuration, context):
        width = configuration["width"]
        self.model = torch.nn.Sequential(
            torch.nn.Linear(12, width),
            torch.nn.ReLU(),
            torch.nn.Linear(width, width),
            torch.nn.ReLU(),
            torch.nn.Dropout(configuration["dropout"]),
            torch.nn.Linear(width, 1),
            torch.nn.Flatten(0),
        )
        self.optimizer = self.sgd(configuration)
        self.batch_size = configuration["batch_size"]

    def loss(self, outputs, targets):
        return torch.nn.functional.mse_loss(outputs, targets)

"""A network removes noise from digits. It learns from 80 pairs of noisy images: nobody has seen a clean one."""

import torch
from minibatches import Minibatches
from sklearn.datasets import load_digits

GENERATOR = torch.Generator().manual_seed(8)
IMAGES = torch.from_numpy(load_digits().data / 16).float()
IMAGES = IMAGES[torch.randperm(len(IMAGES), generator=GENERATOR)]


def noisy(images):
    """Return images with noise of standard deviation .4."""
    return images + 0.4 * torch.randn(images.shape, generator=GENERATOR)


class Denoiser(Minibatches):
    training = noisy(IMAGES[:80]), noisy(IMAGES[:80])
    held_out = noisy(IMAGES[80:]), IMAGES[80:]

    def setup(self, configuration, context):
        width = configuration["width"]
        self.model = torch.nn.Sequential(
            torch.nn.Linear(64, width),
            torch.nn.ReLU(),
            torch.nn.Dropout(configuration["dropout"]),
            torch.nn.Linear(width, width),
            torch.nn.ReLU(),
            torch.nn.Linear(width, 64),
        )
        self.optimizer = self.sgd(configuration)
        self.batch_size = configuration["batch_size"]

    def loss(self, outputs, targets):
        return torch.nn.functional.mse_loss(outputs, targets)

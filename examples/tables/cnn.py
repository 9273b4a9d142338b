"""A small CNN with batch norm reads 200 digits, two fifths of them with a random label."""

import torch
from minibatches import Minibatches, with_wrong_labels
from sklearn.datasets import load_digits

GENERATOR = torch.Generator().manual_seed(1)
IMAGES, LABELS = (torch.from_numpy(part) for part in load_digits(return_X_y=True))
ORDER = torch.randperm(len(LABELS), generator=GENERATOR)
IMAGES, LABELS = (IMAGES[ORDER] / 16).float().reshape(-1, 1, 8, 8), LABELS[ORDER]
TRAINING = IMAGES[:200], with_wrong_labels(LABELS[:200], 0.4, 10, GENERATOR)
HELD_OUT = IMAGES[300:900], LABELS[300:900]


class CNN(Minibatches):
    training, held_out = TRAINING, HELD_OUT

    def setup(self, configuration, context):
        width = configuration["width"]
        self.model = torch.nn.Sequential(
            torch.nn.Conv2d(1, width, 3, padding=1, bias=False),
            torch.nn.BatchNorm2d(width),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(width, 2 * width, 3, padding=1, bias=False),
            torch.nn.BatchNorm2d(2 * width),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Flatten(),
            torch.nn.Dropout(configuration["dropout"]),
            torch.nn.Linear(8 * width, 10),
        )
        self.optimizer = self.sgd(configuration)
        self.batch_size = configuration["batch_size"]

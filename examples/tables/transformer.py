"""A transformer of one layer learns addition modulo 23 from 70 % of all pairs; an epoch is two passes over them."""

import torch
from minibatches import Minibatches

PRIME = 23
PAIRS = torch.cartesian_prod(torch.arange(PRIME), torch.arange(PRIME))
PAIRS = PAIRS[torch.randperm(len(PAIRS), generator=torch.Generator().manual_seed(5))]
SUMS = PAIRS.sum(1) % PRIME


class Transformer(torch.nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.symbols = torch.nn.Embedding(PRIME, width)
        self.places = torch.nn.Parameter(torch.randn(2, width) / width**0.5)
        self.layer = torch.nn.TransformerEncoderLayer(width, heads, 2 * width, dropout, batch_first=True)
        self.head = torch.nn.Linear(width, PRIME)

    def forward(self, pairs):
        return self.head(self.layer(self.symbols(pairs) + self.places).mean(1))


class Addition(Minibatches):
    def setup(self, configuration, context):
        self.model = Transformer(configuration["width"], configuration["heads"], configuration["dropout"])
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=configuration["lr"], weight_decay=configuration["weight_decay"]
        )
        self.batch_size = configuration["batch_size"]
        train = int(0.7 * len(PAIRS))
        self.training = PAIRS[:train].repeat(2, 1), SUMS[:train].repeat(2)
        self.held_out = PAIRS[train:], SUMS[train:]

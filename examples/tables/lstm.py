"""An LSTM predicts the next symbol of 24 sequences of a random grammar, so few that it learns them by heart."""

import torch
from minibatches import Minibatches

SYMBOLS, STATES, LENGTH = 12, 20, 20


def sequences(number):
    """Return what a random automaton emits: each state has three symbols, each symbol a next state."""
    generator = torch.Generator().manual_seed(7)
    symbols = torch.stack([torch.randperm(SYMBOLS, generator=generator)[:3] for _ in range(STATES)])
    following = torch.randint(STATES, (STATES, 3), generator=generator)
    state = torch.randint(STATES, (number,), generator=generator)
    emitted = []
    for _ in range(LENGTH + 1):
        branch = torch.randint(3, (number,), generator=generator)
        emitted.append(symbols[state, branch])
        state = following[state, branch]
    return torch.stack(emitted, dim=1)


DATA = sequences(24 + 200)


class NextSymbol(torch.nn.Module):
    def __init__(self, width, dropout):
        super().__init__()
        self.symbols = torch.nn.Embedding(SYMBOLS, 16)
        self.lstm = torch.nn.LSTM(16, width, batch_first=True)
        self.head = torch.nn.Sequential(torch.nn.Dropout(dropout), torch.nn.Linear(width, SYMBOLS))

    def forward(self, symbols):
        return self.head(self.lstm(self.symbols(symbols))[0]).transpose(1, 2)


class LSTM(Minibatches):
    training = DATA[:24, :-1], DATA[:24, 1:]
    held_out = DATA[24:, :-1], DATA[24:, 1:]

    def setup(self, configuration, context):
        self.model = NextSymbol(configuration["width"], configuration["dropout"])
        self.optimizer = self.sgd(configuration)
        self.batch_size = configuration["batch_size"]

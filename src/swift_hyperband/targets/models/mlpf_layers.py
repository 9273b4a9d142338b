"""Layers over a set of elements: graphs within bins of close elements, at a cost linear in the number of elements.

Pata et al., Eur. Phys. J. C 81, 381 (2021), section 4: each element gets a place in a learned space, locality-sensitive
hashing puts close ones into the same bin, and within a bin all pairs are connected by the distance of their places.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

MOST_BINS = 1024
DISTANCES = 32
"""Dimensions of the learned space."""


class GraphLayer(nn.Module):
    """One step of messages between elements of the same bin.

    Parameters
    ----------
    width : int
        Features of an element, before and after.
    bin_size : int
        Elements of a bin; their number must be a multiple of it.
    dropout : float
    """

    codes: Tensor

    def __init__(self, width: int, bin_size: int, dropout: float) -> None:
        super().__init__()
        self.bin_size = bin_size
        self.place = nn.Sequential(nn.Linear(width, DISTANCES), nn.ELU(), nn.Linear(DISTANCES, DISTANCES))
        self.register_buffer("codes", torch.randn(DISTANCES, MOST_BINS // 2))
        self.own = nn.Linear(width, width)
        self.message = nn.Linear(width, width, bias=False)
        self.gate = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, elements: Tensor, there: Tensor) -> Tensor:
        """Return elements after the messages.

        Parameters
        ----------
        elements : Tensor, shape (events, n, width)
        there : Tensor of bool, shape (events, n)
            False for padding.
        """
        places = self.place(elements)
        order = self._order(places, there)
        messages = self._messages(_taken(places, order), _taken(self.message(elements), order), there, order)
        gate = torch.sigmoid(self.gate(elements))
        mixed = gate * messages + (1 - gate) * self.own(elements)
        found: Tensor = self.norm(elements + self.dropout(nn.functional.elu(mixed)))
        return found

    def _order(self, places: Tensor, there: Tensor) -> Tensor:
        """Return the elements bin after bin, padding last, shape (events, n)."""
        bins = max(2, places.shape[1] // self.bin_size)
        projected = places.detach() @ self.codes[:, : bins // 2]
        nearest = torch.cat([projected, -projected], dim=-1).argmax(dim=-1)
        return torch.where(there, nearest, bins).argsort(dim=1, stable=True)

    def _messages(self, places: Tensor, values: Tensor, there: Tensor, order: Tensor) -> Tensor:
        """Return for each element the weighted mean of the messages in its bin, in the elements' own order."""
        events, count, width = values.shape
        binned = events, count // self.bin_size, self.bin_size
        places, values = places.reshape(*binned, -1), values.reshape(*binned, width)
        sends = there.gather(1, order).reshape(binned)
        # weights exp(-d^2) of the distance d; padding sends nothing
        squares = places.square().sum(-1)
        distances = squares[..., :, None] + squares[..., None, :] - 2 * places @ places.transpose(-1, -2)
        weights = torch.exp(-distances.clamp(min=0)) * sends[..., None, :]
        weights = weights / (weights.sum(-1, keepdim=True) + 1e-6)
        sent = (weights @ values).reshape(events, count, width)
        return _taken(sent, order.argsort(dim=1))


def _taken(values: Tensor, order: Tensor) -> Tensor:
    """Return elements, shape (events, n, width), in another order, shape (events, n)."""
    return values.gather(1, order[..., None].expand(-1, -1, values.shape[-1]))

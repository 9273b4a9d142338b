"""Configurations drawn by TPE, the tree-structured Parzen estimator, from other configurations and their order.

The best tenth of the configurations and the others give a density each. Of some candidates from the first density, the
one with the largest ratio of the two is drawn (Bergstra, Bardenet, Bengio, Kegl, NeurIPS 2011). The densities are those
of all hyperparameters together, as in BOHB (Falkner, Klein, Hutter, ICML 2018). Widths of kernels and numbers of
candidates are those of Optuna's sampler with `multivariate=True`. It is written here because a draw must
follow from its input alone, whatever versions are installed, and because replays draw some hundred times a second.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.space.constraints import Scalar, holds
from swift_hyperband.space.parameters import Categorical, Hyperparameter, Space

Floats = NDArray[np.float64]
Configuration = Mapping[str, Scalar]

GOOD, MOST_GOOD = 0.1, 25
"""Share of the configurations that count as good, and their largest number."""
CANDIDATES = 24
"""Configurations from the density of the good ones, of which one is drawn."""
ATTEMPTS = 1000
"""Candidates that break the constraints before the model counts as unable to keep them."""
WIDTH = 0.2
"""Standard deviation of a kernel for a single configuration, as a share of the range."""

NORMAL = NormalDist()


class Tpe:
    """A model of a space.

    Parameters
    ----------
    space : Space
    ranked : sequence of mapping
        Configurations from the best to the worst, without inactive hyperparameters.
    """

    def __init__(self, space: Space, ranked: Sequence[Configuration]) -> None:
        good = min(math.ceil(GOOD * len(ranked)), MOST_GOOD)
        self._space = space
        self._good, self._others = _Density(space, ranked[:good]), _Density(space, ranked[good:])

    def draw(self, stream: str) -> dict[str, Scalar] | None:
        """Return a configuration, in the order of the space's keys; None if too many candidates break the constraints.

        It follows from the configurations and the name of a stream of random numbers alone.
        """
        generator = random.Random(stream)
        candidates: list[dict[str, Scalar]] = []
        for _ in range(ATTEMPTS):
            candidate = self._good.draw(generator)
            if all(holds(text, candidate) for text in self._space.constraints):
                candidates.append(candidate)
            if len(candidates) == CANDIDATES:
                break
        if not candidates:
            return None
        ratio = self._good.log(candidates) - self._others.log(candidates)
        return candidates[int(np.argmax(ratio))]


class _Density:
    """A mixture of one kernel for each configuration and one that is uniform.

    A kernel is a product: of a normal distribution for each number, truncated to its range, where it is uniform in the
    value or its logarithm as the space says; and for each choice of a probability of its own choice and of the others.
    It is uniform in hyperparameters that are inactive in its configuration.
    """

    def __init__(self, space: Space, configurations: Sequence[Configuration]) -> None:
        self._space = space
        count = len(configurations) + 1
        self._width = WIDTH * count ** (-1 / (len(space.hyperparameters) + 4))
        self._centres = {name: _column(found, name, configurations) for name, found in space.hyperparameters.items()}
        self._inside = {
            name: _inside(self._centres[name], self._width)
            for name, found in space.hyperparameters.items()
            if not isinstance(found, Categorical)
        }
        self._count = count

    def draw(self, generator: random.Random) -> dict[str, Scalar]:
        """Return a configuration from the density, in the order of the space's keys."""
        kernel = int(generator.random() * self._count)
        drawn: dict[str, Scalar] = {}
        for name in self._space.order:
            hyperparameter = self._space.hyperparameters[name]
            if self._space.is_active(name, drawn):
                drawn[name] = self._draw(kernel, name, hyperparameter, generator)
        return {name: drawn[name] for name in self._space.hyperparameters if name in drawn}

    def _draw(self, kernel: int, name: str, hyperparameter: Hyperparameter, generator: random.Random) -> Scalar:
        centre = self._centres[name][kernel] if kernel < self._count - 1 else math.nan
        u = generator.random()
        if math.isnan(centre):
            return hyperparameter.at(u)
        if isinstance(hyperparameter, Categorical):
            other = _other(self._count, len(hyperparameter.choices))
            own = 1 - (len(hyperparameter.choices) - 1) * other
            return hyperparameter.choices[int(centre)] if u < own else hyperparameter.at((u - own) / (1 - own))
        low, high = NORMAL.cdf(-centre / self._width), NORMAL.cdf((1 - centre) / self._width)
        at = centre + self._width * NORMAL.inv_cdf(min(max(low + u * (high - low), 1e-12), 1 - 1e-12))
        return hyperparameter.at(min(max(at, 0.0), math.nextafter(1, 0)))

    def log(self, candidates: Sequence[Configuration]) -> Floats:
        """Return the logarithm of the density at configurations, up to a term that all densities share."""
        found = np.zeros((len(candidates), self._count))
        for name, hyperparameter in self._space.hyperparameters.items():
            at = _column(hyperparameter, name, candidates)[:, None]
            centres = self._centres[name][None, :]
            if isinstance(hyperparameter, Categorical):
                other = _other(self._count, len(hyperparameter.choices))
                own = 1 - (len(hyperparameter.choices) - 1) * other
                terms = np.log(np.where(at == centres, own, other) * len(hyperparameter.choices))
            else:
                terms = -0.5 * ((at - centres) / self._width) ** 2 - self._inside[name]
            # uniform where the kernel or the candidate has no value
            found[:, :-1] += np.where(np.isnan(at) | np.isnan(centres), 0.0, terms)
        largest = found.max(axis=1, keepdims=True)
        return np.asarray(largest[:, 0] + np.log(np.exp(found - largest).sum(axis=1) / self._count))


def _column(hyperparameter: Hyperparameter, name: str, configurations: Sequence[Configuration]) -> Floats:
    """Return the places in [0, 1] of the values of a hyperparameter, or numbers of choices; nan where inactive."""
    values = [configuration.get(name) for configuration in configurations]
    return np.array([math.nan if value is None else _place(hyperparameter, value) for value in values])


def _place(hyperparameter: Hyperparameter, value: Scalar) -> float:
    if isinstance(hyperparameter, Categorical):
        return float(hyperparameter.choices.index(value))
    assert not isinstance(value, str)
    return hyperparameter.place(value)


def _inside(centres: Floats, width: float) -> Floats:
    """Return the logarithm of the factor that makes each normal distribution, truncated to [0, 1], a density."""
    mass = [NORMAL.cdf((1 - centre) / width) - NORMAL.cdf(-centre / width) for centre in centres.tolist()]
    return np.log(np.array(mass) * width * math.sqrt(2 * math.pi))


def _other(count: int, choices: int) -> float:
    """Return the probability that a kernel gives each choice that is not its own."""
    return 1 / (count + choices)

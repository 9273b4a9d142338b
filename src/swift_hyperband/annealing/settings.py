"""The settings of samplers and of the QSVR, as the study file gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LOCAL = ("simulated-annealing", "tabu", "steepest-descent", "exact")
"""Samplers that run in this process; any other dimod sampler is named module:Class."""

REMOTE = frozenset({"qpu", "hybrid"})
"""Samplers of D-Wave's cloud."""


@dataclass(frozen=True)
class SamplerSettings:
    """Which sampler minimises, and how.

    Attributes
    ----------
    name : str
        simulated-annealing, tabu, steepest-descent, exact, qpu, hybrid or module:Class.
    num_reads : int
        How many solutions are asked for.
    sweeps : int
        Sweeps over all variables for each of them (simulated-annealing, module:Class if it takes num_sweeps).
    solver : str or None
        Name of the remote solver; None for the client's default choice (qpu, hybrid).
    annealing_time : float or None
        In microseconds; None for the solver's default (qpu).
    chain_strength : float
        As a multiple of the default, `uniform_torque_compensation` (qpu).
    timeout : float
        Seconds until the answer must be there (qpu, hybrid).
    budget : float or None
        Seconds of annealer time that all fits of a search may take together; None for any (qpu, hybrid).
    seed : int
        The local samplers give the same solutions for the same seed, as those of the user's own do if they take one;
        0 to 2^31 - 1.
    """

    name: str = "simulated-annealing"
    num_reads: int = 30
    sweeps: int = 300
    solver: str | None = None
    annealing_time: float | None = None
    chain_strength: float = 4.0
    timeout: float = 600.0
    budget: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class QsvrSettings:
    """How the QSVR is put as a QUBO; its cost C stands with those of the other predictors.

    Attributes
    ----------
    epsilon : float
        Half width of the tube without loss, on the scaled target.
    xi : float
        Penalty on the sum of the dual coefficients; 1 to 10 acts like the free intercept of an SVR, .01 like none.
    gamma : float or "scale"
        Of the RBF kernel exp(-gamma |a - b|^2); "scale" is 1 / (features * variance).
    encoding : {"adaptive", "published", "signed"}
        How bits make a dual coefficient, see `qubo.Encoding`.
    bits : int
        Bits for each of alpha and alpha-hat (adaptive, published) or for a whole coefficient (signed).
    base, offset : float
        A bit counts base^k (adaptive, signed: scaled to the range of C) or base^(k - offset) (published).
    top : int
        How many of the best solutions are averaged.
    max_samples : int
        How many training curves the sampler holds: a clique of 120 variables holds 20 with 2 * 3 bits.
    too_many : {"ensemble", "subset"}
        With more curves than that: the mean of several QSVRs of at most `max_samples` curves, or one of a subset.
    """

    epsilon: float = 0.05
    xi: float = 1.0
    gamma: float | Literal["scale"] = "scale"
    encoding: Literal["adaptive", "published", "signed"] = "adaptive"
    bits: int = 3
    base: float = 2.0
    offset: float = 0.0
    top: int = 4
    max_samples: int = 20
    too_many: Literal["ensemble", "subset"] = "ensemble"


PUBLISHED_C = 67.61
"""Cost of the published QSVR: it selects support vectors for the intercept; the bits bound alpha at 1.756."""

PUBLISHED = QsvrSettings(
    epsilon=0.02, xi=0.01, gamma=0.1, encoding="published", bits=3, base=0.5, offset=0.005, too_many="subset"
)
"""The settings of Pasetto et al., IEEE GRSL 19 (2022), as the authors of Swift-Hyperband ran them."""

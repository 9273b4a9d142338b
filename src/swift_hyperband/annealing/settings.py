"""The settings of samplers and of the QSVR: sections `predictor.sampler` and `predictor.qsvr` of the study file."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from swift_hyperband.base.errors import InvalidKeysError
from swift_hyperband.base.keys import key
from swift_hyperband.base.wording import one_of, shown, suggestion

LOCAL = {
    "simulated-annealing": "dwave.samplers:SimulatedAnnealingSampler",
    "neal": "neal:SimulatedAnnealingSampler",
    "tabu": "dwave.samplers:TabuSampler",
    "steepest-descent": "dwave.samplers:SteepestDescentSampler",
    "exact": "dimod:ExactSolver",
}
"""Samplers that run in this process, with their classes; any other dimod sampler is named module:Class.

`neal` is simulated annealing by the package dwave-neal, the name by which its users know it. From dwave-neal 0.6 on
both classes are the same, so both samplers return the same solutions.
"""

REMOTE = frozenset({"qpu", "hybrid"})
"""Samplers of D-Wave's cloud."""


def sampler_name(value: object) -> object:
    """Check the name of a sampler, without importing one."""
    known = [*LOCAL, *sorted(REMOTE, reverse=True)]
    if isinstance(value, str) and value not in known and not re.fullmatch(r"[\w.]+:\w+", value):
        needed = f"must be {one_of([*known, 'module:Class'])}"
        raise InvalidKeysError(("", f"{needed}, found {shown(value)}{suggestion(value, known)}"))
    return value


def scale_or_number(value: object) -> object:
    """Check gamma."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
    if value != "scale" and not number:
        raise InvalidKeysError(("", f"must be scale or a number above 0, found {shown(value)}"))
    return value


@dataclass(frozen=True)
class SamplerSettings:
    """The sampler that minimises the QUBO.

    Attributes
    ----------
    budget : float or None
        Seconds of annealer time that all fits of a search may take together; None for any (qpu, hybrid). A key of the
        section `budget`.
    seed : int
        The local samplers repeat their solutions by it, as do those of users that take a seed; 0 to 2^31 - 1. Follows
        from the seed of the search.
    """

    name: str = key(
        "simulated-annealing",
        "simulated-annealing, neal, tabu, steepest-descent, exact, qpu, hybrid, or module:Class (dimod.Sampler).",
        check=sampler_name,
    )
    num_reads: int = key(30, "Number of solutions to ask for.", ge=1)
    sweeps: int = key(300, "Sweeps a solution (simulated-annealing, neal, module:Class if it takes them).", ge=1)
    solver: str | None = key(None, "Name of the solver (qpu, hybrid); null: the client's choice.")
    annealing_time: float | None = key(None, "Annealing time in microseconds (qpu); null: the solver's default.", gt=0)
    chain_strength: float = key(
        4.0, "Chain strength, as a multiple of uniform torque compensation (qpu).", gt=0, le=1e6
    )
    timeout: float = key(600.0, "Most seconds to wait for an answer (qpu, hybrid).", gt=0)
    budget: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class QsvrSettings:
    """The QUBO of the support vector regression; docs/qsvr.md has the formulas."""

    epsilon: float = key(0.05, "Half width of the tube without loss, scaled.", ge=0, le=1e6)
    # 1 to 10 acts like the free intercept of an SVR, .01 like none
    xi: float = key(1.0, "Penalty on the sum of the dual coefficients.", gt=0, le=1e6)
    gamma: Literal["scale"] | float = key(
        "scale", "Gamma of the RBF kernel; scale is 1 / (features * variance).", check=scale_or_number, gt=0
    )
    encoding: Literal["adaptive", "published", "signed"] = key(
        "adaptive", "Encoding of a coefficient in bits; signed takes a third fewer variables."
    )
    bits: int = key(3, "Bits for each of alpha and alpha-hat.", ge=1, le=12)
    base: float = key(2.0, "Factor from the value of a bit to that of the next.", ge=0.01, le=100)
    offset: float = key(0.0, "Offset of the exponent, in the published encoding.", ge=-12, le=12)
    top: int = key(4, "Number of best solutions that are averaged.", ge=1)
    # 20 curves of 2 * 3 bits make a clique of 120 variables on a QPU
    max_samples: int = key(20, "Most training curves in one problem.", ge=3)
    too_many: Literal["ensemble", "subset"] = key(
        "ensemble", "With more curves: the mean of several QSVRs, or one of a subset."
    )


PUBLISHED_C = 67.61
"""Cost of the published QSVR: it selects support vectors for the intercept; the bits bound alpha at 1.756."""

PUBLISHED = QsvrSettings(
    epsilon=0.02, xi=0.01, gamma=0.1, encoding="published", bits=3, base=0.5, offset=0.005, too_many="subset"
)
"""The settings of Pasetto et al., IEEE GRSL 19 (2022), as the authors of Swift-Hyperband ran them."""

"""Checks, before anything is trained, that a sampler can solve the problems of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from swift_hyperband.annealing import packages
from swift_hyperband.annealing.settings import REMOTE, SamplerSettings
from swift_hyperband.base.errors import UserError

PATIENCE = 10.0
"""Seconds, about, that an annealer in the network has to say what it takes and charges."""

ANEW = "each problem it is asked anew has other solutions"
"""Why a QPU or a hybrid solver does not repeat its answers."""

FEW = 3
"""Reads by which it is seen whether a sampler repeats its answers."""

TAKEN: dict[str, frozenset[str]] = {
    "simulated-annealing": frozenset({"num_reads", "sweeps"}),
    "neal": frozenset({"num_reads", "sweeps"}),
    "tabu": frozenset({"num_reads"}),
    "steepest-descent": frozenset({"num_reads"}),
    "exact": frozenset(),
    "qpu": frozenset({"num_reads", "solver", "annealing_time", "chain_strength", "timeout"}),
    "hybrid": frozenset({"solver", "timeout"}),
}
"""The keys of `predictor.sampler` that each sampler takes."""

PARAMETERS = {"num_reads": "num_reads", "sweeps": "num_sweeps"}
"""The parameters of a sampler of the user's own that these keys set."""


@dataclass(frozen=True)
class Ready:
    """What is known of a sampler before a study asks it.

    Attributes
    ----------
    faults : tuple of str
        Why it cannot be used with these settings, a line each.
    notes : tuple of str
        What a user should know: keys without effect.
    unrepeatable : str or None
        Why the same problem may get another answer when asked again; None if it gets the same.
    fit_seconds : float or None
        How long a problem of the size asked about took, where one was tried.
    solver, qubits, largest, charged_seconds
        Of a solver in the network, as `conversation.Offer` has them.
    """

    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unrepeatable: str | None = None
    fit_seconds: float | None = None
    solver: str | None = None
    qubits: int | None = None
    largest: int | None = None
    charged_seconds: float | None = None


def look(settings: SamplerSettings, variables: int, *, trial: bool) -> Ready:
    """Find out what can be known of a sampler for problems of up to so many variables; nothing goes to qpu or hybrid.

    Parameters
    ----------
    settings : SamplerSettings
    variables : int
    trial : bool
        Whether one in this process solves such a problem; one of the user's own again in few reads, which shows whether
        it repeats.

    Raises
    ------
    AnnealerError
        If one in the network cannot be asked.
    UserError
        If D-Wave's packages are not installed.
    """
    packages.require(settings.name)
    if settings.name in REMOTE:
        return _remote(settings, variables)
    # dimod and D-Wave's samplers: a plan of a study without a QSVR imports this module
    from swift_hyperband.annealing import probe

    try:
        return probe.local(settings, variables, trial)
    except UserError as error:
        line = str(error)
        return Ready(faults=(line if line.startswith("predictor.") else f"predictor.sampler.name: {line}",))


def _remote(settings: SamplerSettings, variables: int) -> Ready:
    # D-Wave's client takes seconds to load: no sampler of this process needs it
    from swift_hyperband.annealing.dwave import conversation

    offer = conversation.ask(settings, variables, PATIENCE)
    return Ready(
        faults=offer.refusals,
        notes=without_effect(settings, TAKEN[settings.name]),
        unrepeatable=ANEW,
        solver=offer.solver,
        qubits=offer.qubits,
        largest=offer.largest,
        charged_seconds=offer.seconds,
    )


def without_effect(settings: SamplerSettings, taken: frozenset[str]) -> tuple[str, ...]:
    """Return a line for each key that differs from its default and that the sampler does not take."""
    default: Any = SamplerSettings()
    keys = ("num_reads", "sweeps", "solver", "annealing_time", "chain_strength", "timeout")
    given = [key for key in keys if getattr(settings, key) != getattr(default, key) and key not in taken]
    return tuple(
        f"predictor.sampler.{key} has no effect: {settings.name} takes no {PARAMETERS.get(key, key)}, "
        f"found {getattr(settings, key)}; leave it out"
        for key in given
    )

"""Checks, before anything is trained, that a sampler can solve the problems of a study."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from swift_hyperband.annealing.settings import REMOTE, SamplerSettings
from swift_hyperband.base.errors import UserError

if TYPE_CHECKING:
    import dimod

PATIENCE = 10.0
"""Seconds, about, that an annealer in the network has to say what it takes and charges."""

ANEW = "each problem it is asked anew has other solutions"
"""Why a QPU or a hybrid solver does not repeat its answers."""

FEW = 3
"""Reads by which it is seen whether a sampler repeats its answers."""

PACKAGES = "install them with: pip install 'swift-hyperband[annealer]'"

_TAKEN: dict[str, frozenset[str]] = {
    "simulated-annealing": frozenset({"num_reads", "sweeps"}),
    "neal": frozenset({"num_reads", "sweeps"}),
    "tabu": frozenset({"num_reads"}),
    "steepest-descent": frozenset({"num_reads"}),
    "exact": frozenset(),
    "qpu": frozenset({"num_reads", "solver", "annealing_time", "chain_strength", "timeout"}),
    "hybrid": frozenset({"solver", "timeout"}),
}
_PARAMETERS = {"num_reads": "num_reads", "sweeps": "num_sweeps"}


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
        Of a solver in the network, as `remote.Offer` has them.
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
    if settings.name in REMOTE:
        return _remote(settings, variables)
    # a plan asks no sampler of this process, and the packages may lack
    try:
        import dimod  # noqa: F401
        import dwave.samplers  # noqa: F401

        if settings.name == "neal":
            import neal  # noqa: F401
    except ImportError as error:
        needed = f"{settings.name} needs D-Wave's packages, found no module {error.name!r}"
        raise UserError(f"predictor.sampler.name: {needed}; {PACKAGES}") from None
    try:
        return _local(settings, variables, trial)
    except UserError as error:
        line = str(error)
        return Ready(faults=(line if line.startswith("predictor.") else f"predictor.sampler.name: {line}",))


def _remote(settings: SamplerSettings, variables: int) -> Ready:
    from swift_hyperband.annealing.dwave import conversation

    offer = conversation.ask(settings, variables, PATIENCE)
    return Ready(
        faults=offer.refusals,
        notes=_without_effect(settings, _TAKEN[settings.name]),
        unrepeatable=ANEW,
        solver=offer.solver,
        qubits=offer.qubits,
        largest=offer.largest,
        charged_seconds=offer.seconds,
    )


def _local(settings: SamplerSettings, variables: int, trial: bool) -> Ready:
    from swift_hyperband.annealing import own, samplers

    sampler = samplers.make(settings.name)
    with own.told(settings.name, "failed with {}"):
        taken = _TAKEN.get(settings.name)
        if taken is None:
            taken = frozenset(key for key, name in _PARAMETERS.items() if own.takes(sampler, name))
        known = own.unrepeatable(sampler, samplers.suited(sampler, problem(2)))
    found = Ready(notes=_without_effect(settings, taken), unrepeatable=known)
    if fault := samplers.too_large(settings.name, sampler, variables):
        return Ready(faults=(fault,), notes=found.notes, unrepeatable=known)
    if not trial or settings.name == "exact":
        # which holds what is not too large, and takes seconds for the largest
        return found
    bqm = problem(variables)
    start = time.perf_counter()
    samplers.minimiser(settings, "trial")(bqm)
    seconds = time.perf_counter() - start
    why = known
    if ":" in settings.name and known is None and not _repeats(settings, bqm):
        why = "the same problem and seed had two different answers"
    return Ready(notes=found.notes, unrepeatable=why, fit_seconds=seconds)


def _repeats(settings: SamplerSettings, bqm: dimod.BinaryQuadraticModel) -> bool:
    """Return whether a sampler solves a problem twice alike; in few reads, as some take minutes for many."""
    import numpy as np

    from swift_hyperband.annealing import samplers

    few = replace(settings, num_reads=min(settings.num_reads, FEW))
    one, other = (samplers.minimiser(few, "trial")(bqm) for _ in range(2))
    columns = [other.variables.index(variable) for variable in one.variables]
    return np.array_equal(one.record.sample, other.record.sample[:, columns])


def _without_effect(settings: SamplerSettings, taken: frozenset[str]) -> tuple[str, ...]:
    """Return a line for each key that differs from its default and that the sampler does not take."""
    default: Any = SamplerSettings()
    keys = ("num_reads", "sweeps", "solver", "annealing_time", "chain_strength", "timeout")
    given = [key for key in keys if getattr(settings, key) != getattr(default, key) and key not in taken]
    return tuple(
        f"predictor.sampler.{key} has no effect: {settings.name} takes no {_PARAMETERS.get(key, key)}, "
        f"found {getattr(settings, key)}; leave it out"
        for key in given
    )


def problem(variables: int) -> dimod.BinaryQuadraticModel:
    """Return a dense problem with fixed biases."""
    import dimod
    import numpy as np

    biases = np.random.default_rng(0).normal(size=(variables, variables))
    bqm = dimod.BinaryQuadraticModel("BINARY")
    bqm.add_linear_from_array(biases.diagonal())
    bqm.add_quadratic_from_dense(np.triu(biases, 1))
    return bqm

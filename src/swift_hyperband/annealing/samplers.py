"""The samplers of a study by name. Those of this process, by their own names, repeat their solutions by the seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dimod

from swift_hyperband.annealing import qubo
from swift_hyperband.annealing.own import call, load
from swift_hyperband.annealing.settings import LOCAL, REMOTE, SamplerSettings
from swift_hyperband.base.classes import parsed
from swift_hyperband.base.errors import UserError

EXACT_VARIABLES = 20
"""The most variables of an exact solution: 2^20 energies take seconds, and each further one doubles them."""

TABU_RESTARTS = 3
"""Restarts of a tabu search per read, in place of its time limit, under which solutions would depend on the load."""


def sample(
    settings: SamplerSettings, bqm: dimod.BinaryQuadraticModel, label: str, kept: Path | None = None
) -> dimod.SampleSet:
    """Return solutions of a problem from the sampler that the settings name.

    Parameters
    ----------
    settings : SamplerSettings
        Which sampler, and how.
    bqm : dimod.BinaryQuadraticModel
        What is minimised.
    label : str
        Name of the problem, by which a remote sampler's answer is found again.
    kept : Path, optional
        Folder in which the answers of remote samplers are kept.

    Raises
    ------
    UserError
        If there is no such sampler, or the problem is too large for it.
    SamplerError
        If a sampler of this process fails, or answers with no solutions.
    AnnealerError
        If a remote sampler cannot answer.
    """
    if settings.name in REMOTE:
        from swift_hyperband.annealing.dwave import conversation

        return conversation.sample(settings, bqm, label, kept, settings.budget)
    sampler = make(settings.name)
    if fault := too_large(settings.name, sampler, bqm.num_variables):
        raise UserError(fault)
    wanted = {"num_reads": settings.num_reads, "num_sweeps": settings.sweeps, "seed": settings.seed, "label": label}
    return call(sampler, bqm, {**wanted, **suited(sampler, bqm)}, settings.name)


def make(name: str) -> dimod.Sampler:
    """Return a sampler of this process by its name.

    Raises
    ------
    UserError
        If there is no such sampler.
    """
    if name == "exact":
        return dimod.ExactSolver()
    if name in LOCAL:
        import dwave.samplers

        classes = {"simulated-annealing": "SimulatedAnnealing", "tabu": "Tabu", "steepest-descent": "SteepestDescent"}
        return getattr(dwave.samplers, f"{classes[name]}Sampler")()
    class_name = parsed(name)
    if class_name is None:
        known = ", ".join([*LOCAL, *sorted(REMOTE, reverse=True)])
        raise UserError(f"predictor.sampler.name must be {known} or module:Class of a dimod.Sampler, found {name!r}")
    return load(name, class_name)


def suited(sampler: dimod.Sampler, bqm: dimod.BinaryQuadraticModel) -> dict[str, Any]:
    """Return what the samplers of D-Wave's library that we know are told beside the study's settings.

    Simulated annealing: a range of temperatures. Tabu: when to stop, as its own stop is by the clock.
    """
    from dwave.samplers import SimulatedAnnealingSampler, TabuSampler

    if isinstance(sampler, SimulatedAnnealingSampler):
        return {"beta_range": list(qubo.beta_range(bqm))}
    return {"num_restarts": TABU_RESTARTS, "timeout": None} if isinstance(sampler, TabuSampler) else {}


def too_large(name: str, sampler: dimod.Sampler, variables: int) -> str | None:
    """Return what to do where a sampler that tries everything would have no end; None where it has one."""
    if not isinstance(sampler, dimod.ExactSolver) or variables <= EXACT_VARIABLES:
        return None
    return (
        f"predictor.sampler.name: {name} holds at most {EXACT_VARIABLES} variables, found {variables}; "
        "lower predictor.qsvr.max_samples or predictor.qsvr.bits, or name another sampler"
    )


class NamedSampler(dimod.Sampler):  # type: ignore[misc]
    """A sampler of a study as a `dimod.Sampler`.

    Parameters
    ----------
    settings : SamplerSettings
        Which sampler, and how.
    kept : Path, optional
        Folder in which the answers of remote samplers are kept.
    """

    def __init__(self, settings: SamplerSettings, kept: Path | None = None) -> None:
        self.settings = settings
        self.kept = kept

    @property
    def parameters(self) -> dict[str, list[str]]:
        """Of `sample`: the label alone, everything else is in the settings."""
        return {"label": []}

    @property
    def properties(self) -> dict[str, Any]:
        return {}

    def sample(self, bqm: dimod.BinaryQuadraticModel, label: str = "") -> dimod.SampleSet:
        """Return solutions, as the function `sample` does."""
        return sample(self.settings, bqm, label, self.kept)

"""The samplers of a study by name. Those of this process, by their own names, repeat their solutions by the seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import dimod
from dwave.samplers import SimulatedAnnealingSampler, TabuSampler

from swift_hyperband.annealing import packages, qubo
from swift_hyperband.annealing.own import call, load
from swift_hyperband.annealing.settings import LOCAL, REMOTE, SamplerSettings
from swift_hyperband.base.classes import parsed
from swift_hyperband.base.errors import UserError

EXACT_VARIABLES = 20
"""The most variables of an exact solution: 2^20 energies take seconds, and each further one doubles them."""

TABU_RESTARTS = 3
"""Restarts of a tabu search per read, in place of its time limit, under which solutions would depend on the load."""


class Minimise(Protocol):
    """A sampler, bound to its settings, to a label and to the place of its answers."""

    def __call__(self, bqm: dimod.BinaryQuadraticModel, part: str = "") -> dimod.SampleSet:
        """Return solutions of a problem; `part` is added to the label where a fit has several problems."""


def minimiser(settings: SamplerSettings, label: str = "", kept: Path | None = None) -> Minimise:
    """Return the sampler that the settings name, for the problems of one fit.

    Parameters
    ----------
    settings : SamplerSettings
        Which sampler, and how.
    label : str
        Name of the fit, by which a remote sampler's answer is found again.
    kept : Path, optional
        Folder in which the answers of remote samplers are kept.

    Returns
    -------
    Minimise
        It raises UserError if there is no such sampler or the problem is too large for it, SamplerError if a sampler of
        this process fails or answers with no solutions, AnnealerError if a remote sampler cannot answer.
    """

    def minimise(bqm: dimod.BinaryQuadraticModel, part: str = "") -> dimod.SampleSet:
        if settings.name in REMOTE:
            packages.require(settings.name)
            # D-Wave's client takes seconds to load: no sampler of this process needs it
            from swift_hyperband.annealing.dwave import conversation

            return conversation.sample(settings, bqm, label + part, kept, settings.budget)
        # made anew for each problem: no state of a user's own sampler goes from one problem to the next
        sampler = make(settings.name)
        if fault := too_large(settings.name, sampler, bqm.num_variables):
            raise UserError(fault)
        return ask(sampler, settings, bqm, label + part)

    return minimise


def ask(
    sampler: dimod.Sampler, settings: SamplerSettings, bqm: dimod.BinaryQuadraticModel, label: str
) -> dimod.SampleSet:
    """Return solutions of a problem from a sampler of this process, given those of the settings that it takes.

    Raises
    ------
    SamplerError
        If the sampler fails, or answers with no solutions.
    """
    wanted = {"num_reads": settings.num_reads, "num_sweeps": settings.sweeps, "seed": settings.seed, "label": label}
    return call(sampler, bqm, {**wanted, **suited(sampler, bqm)}, settings.name)


def make(name: str) -> dimod.Sampler:
    """Return a sampler of this process by its name.

    Raises
    ------
    UserError
        If there is no such sampler.
    """
    class_name = parsed(LOCAL.get(name, name))
    if class_name is None:
        known = ", ".join([*LOCAL, *sorted(REMOTE, reverse=True)])
        raise UserError(f"predictor.sampler.name must be {known} or module:Class of a dimod.Sampler, found {name!r}")
    return load(name, class_name)


def suited(sampler: dimod.Sampler, bqm: dimod.BinaryQuadraticModel) -> dict[str, Any]:
    """Return what the samplers of D-Wave's library that we know are told beside the study's settings.

    Simulated annealing: a range of temperatures. Tabu: when to stop, as its own stop is by the clock.
    """
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

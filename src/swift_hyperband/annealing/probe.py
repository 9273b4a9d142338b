"""Samplers of this process, tried on a dense problem before anything is trained."""

from __future__ import annotations

import time
from dataclasses import replace

import dimod
import numpy as np

from swift_hyperband.annealing import own, samplers
from swift_hyperband.annealing.ready import FEW, PARAMETERS, TAKEN, Ready, without_effect
from swift_hyperband.annealing.settings import SamplerSettings


def local(settings: SamplerSettings, variables: int, trial: bool) -> Ready:
    """Find out what can be known of a sampler in this process, as `ready.look` has it."""
    sampler = samplers.make(settings.name)
    with own.told(settings.name, "failed with {}"):
        taken = TAKEN.get(settings.name)
        if taken is None:
            known_names = own.takes(sampler, PARAMETERS.values())
            taken = frozenset(key for key, name in PARAMETERS.items() if name in known_names)
        known = own.unrepeatable(sampler, samplers.suited(sampler, problem(2)))
    found = Ready(notes=without_effect(settings, taken), unrepeatable=known)
    if fault := samplers.too_large(settings.name, sampler, variables):
        return Ready(faults=(fault,), notes=found.notes, unrepeatable=known)
    if not trial or settings.name == "exact":
        # which holds what is not too large, and takes seconds for the largest
        return found
    bqm = problem(variables)
    _, seconds = solve(settings, bqm, "trial")
    why = known
    if ":" in settings.name and known is None and not _repeats(settings, bqm):
        why = "the same problem and seed had two different answers"
    return Ready(notes=found.notes, unrepeatable=why, fit_seconds=seconds)


def _repeats(settings: SamplerSettings, bqm: dimod.BinaryQuadraticModel) -> bool:
    """Return whether a sampler solves a problem twice alike; in few reads, as some take minutes for many."""
    few = replace(settings, num_reads=min(settings.num_reads, FEW))
    one, other = (samplers.minimiser(few, "trial")(bqm) for _ in range(2))
    columns = [other.variables.index(variable) for variable in one.variables]
    return np.array_equal(one.record.sample, other.record.sample[:, columns])


def solve(settings: SamplerSettings, bqm: dimod.BinaryQuadraticModel, label: str) -> tuple[dimod.SampleSet, float]:
    """Return the solutions of a problem, and the seconds that they took."""
    start = time.perf_counter()
    found = samplers.minimiser(settings, label)(bqm)
    return found, time.perf_counter() - start


def problem(variables: int) -> dimod.BinaryQuadraticModel:
    """Return a dense problem with fixed biases."""
    biases = np.random.default_rng(0).normal(size=(variables, variables))
    bqm = dimod.BinaryQuadraticModel("BINARY")
    bqm.add_linear_from_array(biases.diagonal())
    bqm.add_quadratic_from_dense(np.triu(biases, 1))
    return bqm


def least_energy(bqm: dimod.BinaryQuadraticModel) -> float:
    """Return the energy of the optimum of a small problem."""
    return float(dimod.ExactSolver().sample(bqm).record.energy.min())

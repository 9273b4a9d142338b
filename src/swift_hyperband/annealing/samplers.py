"""The samplers of a study by name. The local ones give the same solutions for the same seed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dimod

from swift_hyperband.annealing.settings import LOCAL, REMOTE, SamplerSettings
from swift_hyperband.errors import UserError

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
    AnnealerError
        If a remote sampler cannot answer.
    """
    if settings.name in REMOTE:
        from swift_hyperband.annealing import remote

        return remote.sample(settings, bqm, label, kept, settings.budget)
    wanted = {"num_reads": settings.num_reads, "seed": settings.seed, "label": label}
    if settings.name == "simulated-annealing":
        from dwave.samplers import SimulatedAnnealingSampler

        return call(SimulatedAnnealingSampler(), bqm, {**wanted, "num_sweeps": settings.sweeps})
    if settings.name == "tabu":
        from dwave.samplers import TabuSampler

        return call(TabuSampler(), bqm, {**wanted, "num_restarts": TABU_RESTARTS, "timeout": None})
    if settings.name == "steepest-descent":
        from dwave.samplers import SteepestDescentSampler

        return call(SteepestDescentSampler(), bqm, wanted)
    if settings.name == "exact":
        if bqm.num_variables > EXACT_VARIABLES:
            raise UserError(
                f"sampler.name: exact holds at most {EXACT_VARIABLES} variables, found {bqm.num_variables}; "
                "lower predictor.max_samples or predictor.bits, or name another sampler"
            )
        return dimod.ExactSolver().sample(bqm)
    return call(_load(settings.name)(), bqm, wanted)


def call(sampler: dimod.Sampler, bqm: dimod.BinaryQuadraticModel, wanted: Mapping[str, Any]) -> dimod.SampleSet:
    """Return a sampler's solutions, given those of the wanted parameters that it has."""
    return sampler.sample(bqm, **{key: value for key, value in wanted.items() if key in sampler.parameters})


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


def _load(name: str) -> type[dimod.Sampler]:
    """Return the sampler's class that module:Class names; the module may lie in the working directory."""
    module_name, colon, class_name = name.partition(":")
    if not (colon and module_name and class_name):
        known = ", ".join([*LOCAL, *sorted(REMOTE, reverse=True)])
        raise UserError(f"sampler.name must be {known} or module:Class of a dimod.Sampler, found {name!r}")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise UserError(f"sampler.name: {name!r} must be importable, found {type(error).__name__}: {reason}") from error
    found = getattr(module, class_name, None)
    if not (isinstance(found, type) and issubclass(found, dimod.Sampler)):
        raise UserError(f"sampler.name: {name!r} must name a dimod.Sampler, found {found!r}")
    return found

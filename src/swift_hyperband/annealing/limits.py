"""The limits of a remote solver, compared with a study's settings: each violation is a line that begins with the key.

Ranges as D-Wave's documentation of solver properties defines them; a solver that does not tell one has none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from swift_hyperband.annealing.settings import SamplerSettings


def of_qpu(
    solver: str, properties: Mapping[str, Any], settings: SamplerSettings, variables: int, largest: int
) -> list[str]:
    """Return what a QPU refuses of a study whose largest problem has so many variables."""
    found = []
    if variables > largest:
        found.append(f"predictor.qsvr.max_samples: {too_many(solver, largest, variables)}")
    reads, duration = settings.num_reads, settings.annealing_time
    ranges = {"num_reads": reads} | ({"annealing_time": duration} if duration is not None else {})
    for key, value in ranges.items():
        low, high = properties.get(f"{key}_range", (-math.inf, math.inf))
        if not low <= value <= high:
            bound = f"at most {high:.10g}" if value > high else f"at least {low:.10g}"
            found.append(f"predictor.sampler.{key} must be {bound} ({key}_range of {solver}), found {value:.10g}")
    if not found and (line := _too_long(solver, properties, settings)):
        found.append(line)
    return found


def _too_long(solver: str, properties: Mapping[str, Any], settings: SamplerSettings) -> str | None:
    """Return what to do where all reads together take longer than the solver lets a problem run.

    (annealing time + readout thermalization) * reads + programming thermalization, all in microseconds.
    """
    _, longest = properties.get("problem_run_duration_range", (0.0, math.inf))
    annealing = settings.annealing_time
    if annealing is None:
        annealing = float(properties.get("default_annealing_time", 0.0))
    read = annealing + float(properties.get("default_readout_thermalization", 0.0))
    rest = longest - float(properties.get("default_programming_thermalization", 0.0))
    if not read > 0 or settings.num_reads * read <= rest:
        return None
    return (
        f"predictor.sampler.num_reads must be at most {max(0, int(rest // read))} with an annealing_time of "
        f"{annealing:g} (problem_run_duration_range of {solver}: all reads within {longest:.10g} microseconds), "
        f"found {settings.num_reads}"
    )


def of_hybrid(solver: str, seconds: float, settings: SamplerSettings, variables: int, largest: int) -> list[str]:
    """Return what a hybrid solver refuses, which works at least so many seconds on the largest problem."""
    found = []
    if variables > largest:
        found.append(f"predictor.qsvr.max_samples: {too_many(solver, largest, variables)}")
    if settings.timeout <= seconds:
        found.append(
            f"predictor.sampler.timeout must be more than {seconds:g} (minimum_time_limit of {solver}), "
            f"found {settings.timeout:g}"
        )
    return found


def too_many(solver: str, largest: int, variables: int) -> str:
    """Say that a problem is larger than a solver holds, and what to do."""
    return (
        f"a problem for {solver} may have {largest} variables, found {variables}; use fewer curves or bits "
        "(predictor.qsvr.max_samples, predictor.qsvr.bits), the signed encoding (predictor.qsvr.encoding), "
        "or another sampler (predictor.sampler.name)"
    )

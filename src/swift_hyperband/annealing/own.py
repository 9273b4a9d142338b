"""Samplers in this process, the user's own among them: had, asked and their answers checked.

Whatever goes wrong in code that is not ours is told in one line, without the tokens that it may repeat.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dimod
import numpy as np

from swift_hyperband.annealing.errors import SamplerError, cleaned

CLOCKS = frozenset({"timeout", "time_limit", "max_time", "max_runtime", "runtime", "time_limit_s", "max_seconds"})
"""Parameters by which samplers stop after a time."""

TOLERANCE = 1e-4
"""How far energies may be from those of the problem, as a share of the largest: some samplers count in 32 bits."""


def load(name: str) -> dimod.Sampler:
    """Return a sampler of the class that module:Class names; the module may lie in the working directory.

    Raises
    ------
    SamplerError
        If there is no such class, it is no sampler, or it cannot be made without arguments.
    """
    module_name, _, class_name = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    with told(name, "must be importable, found {}"):
        found = getattr(importlib.import_module(module_name), class_name, None)
    if not (isinstance(found, type) and issubclass(found, dimod.Sampler)):
        raise SamplerError(name, f"must name a dimod.Sampler, found {cleaned(repr(found))}")
    with told(name, "must be made without arguments, found {}; name a class of your own that makes it with them"):
        return found()


def takes(sampler: dimod.Sampler, parameter: str) -> bool:
    """Return whether a sampler knows a parameter.

    Its signature names it, or its `parameters` do and the signature takes any: some name few of those that they take,
    some take all and ignore them.
    """
    named, takes_any = _signature(sampler)
    return parameter in named or (takes_any and parameter in sampler.parameters)


def _signature(sampler: dimod.Sampler) -> tuple[dict[str, inspect.Parameter], bool]:
    """Return the named parameters of the method that samples, and whether it takes others."""
    ways = [getattr(sampler, name) for name in ("sample", "sample_qubo", "sample_ising")]
    # dimod writes those that a class does not have itself
    way = next((way for way in ways if not getattr(way, "__issamplemixin__", False)), ways[0])
    try:
        parameters = inspect.signature(way).parameters
    except (TypeError, ValueError):
        # not written in Python
        return {}, True
    keywords = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    named = {name: parameter for name, parameter in parameters.items() if parameter.kind in keywords}
    return named, any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())


def unrepeatable(sampler: dimod.Sampler, given: Mapping[str, Any]) -> str | None:
    """Return why the same call may have another answer, as far as can be told without trying; None if it may not."""
    if isinstance(sampler, dimod.ExactSolver):
        return None
    if not takes(sampler, "seed"):
        return "it takes no seed"
    for name, parameter in _signature(sampler)[0].items():
        default = parameter.default
        if name in CLOCKS and name not in given and isinstance(default, int | float) and default > 0:
            return f"it stops by the clock ({name} {default:g})"
    return None


def call(sampler: dimod.Sampler, bqm: dimod.BinaryQuadraticModel, wanted: Mapping[str, Any], name: str) -> Any:
    """Return a sampler's solutions, given those of the wanted parameters that it takes.

    Raises
    ------
    SamplerError
        If it fails, or what it answers are no solutions of the problem.
    """
    with told(name, "failed with {}" + _hint(sampler)):
        given = {key: value for key, value in wanted.items() if takes(sampler, key)}
        answer = sampler.sample(bqm.copy(), **given)
        if isinstance(answer, dimod.SampleSet):
            # where it is computed only now
            answer.resolve()
    if inspect.iscoroutine(answer):
        answer.close()
    if not isinstance(answer, dimod.SampleSet):
        raise SamplerError(name, f"must return a dimod.SampleSet, found {type(answer).__name__}")
    with told(name, "must return solutions that can be read, found {}"):
        return _solutions(answer, bqm, name)


def _solutions(answer: dimod.SampleSet, bqm: dimod.BinaryQuadraticModel, name: str) -> dimod.SampleSet:
    """Return an answer in the problem's own variables; refuse what is none."""
    if not len(answer):
        raise SamplerError(name, "must return at least one solution, found none")
    variables = list(bqm.variables)
    for kind, odd in (
        ("all variables of the problem", sorted(set(variables) - set(answer.variables), key=str)),
        ("no variables but the problem's", sorted(set(answer.variables) - set(variables), key=str)),
    ):
        if odd:
            shown = ", ".join(map(str, odd[:3])) + (", ..." if len(odd) > 3 else "")
            raise SamplerError(name, f"must return {kind}, found {len(odd)} {'lacking' if 'all' in kind else 'more'} ({shown})")
    if answer.vartype not in (dimod.SPIN, dimod.BINARY):
        raise SamplerError(name, f"must return spins or bits, found {answer.vartype.name}")
    values = np.asarray(answer.record.sample)
    allowed = (-1, 1) if answer.vartype is dimod.SPIN else (0, 1)
    if not (known := np.isin(values, allowed)).all():
        raise SamplerError(name, f"must return values that are {allowed[0]} or {allowed[1]}, found {values[~known][0]:g}")
    told_energies = np.asarray(answer.record.energy, dtype=float)
    if not np.isfinite(told_energies).all():
        raise SamplerError(name, f"must return finite energies, found {told_energies[~np.isfinite(told_energies)][0]}")
    if values.dtype != np.int8:
        occurrences = answer.record.num_occurrences
        answer = dimod.SampleSet.from_samples(
            (values.astype(np.int8), list(answer.variables)),
            answer.vartype,
            told_energies,
            info=answer.info,
            num_occurrences=occurrences,
            sort_labels=False,
        )
    if answer.vartype is not bqm.vartype:
        answer = answer.change_vartype(bqm.vartype, inplace=False)
    energies = bqm.energies((answer.record.sample, list(answer.variables)))
    off = np.abs(energies - told_energies)
    if (off > TOLERANCE * max(1e-9, float(np.abs(energies).max()))).any():
        worst = int(off.argmax())
        raise SamplerError(
            name,
            f"must return the energies of its solutions, found {told_energies[worst]:.6g} "
            f"where the problem's is {energies[worst]:.6g}",
        )
    return answer


def _hint(sampler: dimod.Sampler) -> str:
    # without braces, as it becomes part of a pattern
    if not (isinstance(sampler, dimod.Structured) or hasattr(sampler, "adjacency")):
        return ""
    return "; it has a graph of its own (nodelist, adjacency): name a class of your own that embeds the problem in it"


@contextmanager
def told(name: str, what: str) -> Iterator[None]:
    """Turn any exception into a `SamplerError` that says `what`, with the exception in place of {}.

    Its own traceback is dropped, as it may hold a token. SystemExit counts: a library has no say in when we end.
    """
    try:
        yield
    except SamplerError:
        raise
    except (Exception, SystemExit) as error:
        words = cleaned(error)
        raise SamplerError(name, what.format(f"{type(error).__name__}{': ' if words else ''}{words}")) from None

"""Samplers in this process, including the user's own: loading them, asking them, checking their answers.

Whatever goes wrong in code that is not ours is told in one line, without the tokens that it may repeat.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dimod
import numpy as np

from swift_hyperband.annealing.errors import SamplerError, cleaned
from swift_hyperband.annealing.qubo import Floats
from swift_hyperband.base.classes import ClassName, import_named

CLOCKS = frozenset({"timeout", "time_limit", "max_time", "max_runtime", "runtime", "time_limit_s", "max_seconds"})
"""Parameters by which samplers stop after a time."""

TOLERANCE = 1e-4
"""How far energies may be from those of the problem, as a share of the largest: some samplers count in 32 bits."""


def load(name: str, class_name: ClassName) -> dimod.Sampler:
    """Return a sampler of the user's class `class_name`, which the study calls `name`.

    The module may lie in the working directory.

    Raises
    ------
    SamplerError
        If there is no such class, it is no sampler, or it cannot be made without arguments.
    """
    hint = "; name the module without .py" if class_name.is_file else ""
    with told(name, "must be importable, found {}" + hint):
        found = getattr(import_named(class_name.module), class_name.name, None)
    if not (isinstance(found, type) and issubclass(found, dimod.Sampler)):
        composite = isinstance(found, type) and issubclass(found, dimod.Composite)
        hint = "; name a class of your own that makes it of a sampler" if composite else ""
        raise SamplerError(name, f"must name a dimod.Sampler, found {cleaned(repr(found))}{hint}")
    with told(name, "must be made without arguments, found {}; name a class of your own that makes what it needs"):
        return found()


def takes(sampler: dimod.Sampler, names: Iterable[str]) -> list[str]:
    """Return which of some parameters a sampler knows, in their order.

    Its signature names them, or its `parameters` do and the signature takes any: some name few of those that they take,
    some take all and ignore them.
    """
    named, takes_any = _signature(sampler)
    return [name for name in names if name in named or (takes_any and name in sampler.parameters)]


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
    if not takes(sampler, ["seed"]):
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
        given = {name: wanted[name] for name in takes(sampler, wanted)}
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
    """Return an answer in the problem's own kind of variables; refuse what is none."""
    if not len(answer):
        raise SamplerError(name, "must return at least one solution, found none")
    needed, given = set(bqm.variables), set(answer.variables)
    if lacking := sorted(needed - given, key=str):
        raise SamplerError(
            name, f"must return all variables of the problem, found {len(lacking)} lacking{_some(lacking)}"
        )
    if more := sorted(given - needed, key=str):
        raise SamplerError(name, f"must return no variables but the problem's, found {len(more)} more{_some(more)}")
    if answer.vartype not in (dimod.SPIN, dimod.BINARY):
        raise SamplerError(name, f"must return spins or bits, found {answer.vartype.name}")
    values, energies = np.asarray(answer.record.sample), np.asarray(answer.record.energy, dtype=float)
    low, high = (-1, 1) if answer.vartype is dimod.SPIN else (0, 1)
    if not (known := (values == low) | (values == high)).all():
        raise SamplerError(name, f"must return values that are {low} or {high}, found {values[~known][0]:g}")
    if not (finite := np.isfinite(energies)).all():
        raise SamplerError(name, f"must return finite energies, found {energies[~finite][0]}")
    if answer.vartype is not bqm.vartype:
        answer = answer.change_vartype(bqm.vartype, inplace=False)
    return _mended(answer, energies, bqm)


def _mended(answer: dimod.SampleSet, told_energies: Floats, bqm: dimod.BinaryQuadraticModel) -> dimod.SampleSet:
    """Return an answer in whole numbers and with the energies that its solutions have in the problem.

    Samplers have told others, D-Wave's rotor model among them.
    """
    values = np.asarray(answer.record.sample).astype(np.int8)
    energies = bqm.energies((values, list(answer.variables)))
    close = np.abs(energies - told_energies).max() <= TOLERANCE * max(1.0, float(np.abs(energies).max()))
    if close and answer.record.sample.dtype == np.int8:
        return answer
    return dimod.SampleSet.from_samples(
        (values, list(answer.variables)),
        bqm.vartype,
        told_energies if close else energies,
        info=answer.info,
        num_occurrences=answer.record.num_occurrences,
        sort_labels=False,
    )


def _some(variables: list[Any]) -> str:
    return f" ({', '.join(map(str, variables[:3]))}{', ...' if len(variables) > 3 else ''})"


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

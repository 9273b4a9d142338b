"""`swift-hyperband annealer check`: which samplers a predictor can be trained with here, or what is missing."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from swift_hyperband.annealing.settings import LOCAL, REMOTE, SamplerSettings
from swift_hyperband.errors import UserError

if TYPE_CHECKING:
    from dimod import BinaryQuadraticModel

VARIABLES = 12
"""Of the problem that is solved: every sampler can, and its optimum is known at once."""

TIMEOUT = 60.0
"""Seconds for a sampler in the network."""


@dataclass(frozen=True)
class Finding:
    """What was found of one sampler.

    Attributes
    ----------
    sampler : str
    usable : bool
    note : str
        What is missing, or what was not tried.
    fit_seconds : float or None
        How long a small problem took from end to end; None if it was not tried.
    optimum : bool or None
        Whether its optimum was found.
    solver : str or None
    qubits, largest : int or None
        Of the solver: working qubits, and variables of the largest fully connected problem.
    charged_seconds : float or None
        Estimate of the annealer time that the small problem costs.
    """

    sampler: str
    usable: bool
    note: str = ""
    fit_seconds: float | None = None
    optimum: bool | None = None
    solver: str | None = None
    qubits: int | None = None
    largest: int | None = None
    charged_seconds: float | None = None


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `annealer`."""
    parser = commands.add_parser("annealer", help="which samplers can be used here")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    check = actions.add_parser(
        "check",
        help="which samplers can be used here, or what is missing",
        description="Show which samplers can train a predictor here, with a small problem solved by each of them. "
        "Exits with 0 if the default sampler, or the named one, can be used, else with 1.",
    )
    check.add_argument("--sampler", metavar="NAME", help="only this one: a name of the study file's, or module:Class")
    check.add_argument(
        "--submit", action="store_true", help="send the small problem to qpu and hybrid too: it costs annealer time"
    )
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    check.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    wanted = options.sampler or SamplerSettings().name
    names = [options.sampler] if options.sampler else [*LOCAL, *sorted(REMOTE, reverse=True)]
    findings = [check(name, submit=options.submit) for name in names]
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        width = max(map(len, names))
        for finding in findings:
            print(f"{finding.sampler:{width}}  {'usable ' if finding.usable else 'missing'}  {_told(finding)}")
    return 0 if any(finding.usable for finding in findings if finding.sampler == wanted) else 1


def _told(finding: Finding) -> str:
    """Return a finding's facts in one line."""
    facts = []
    if finding.solver is not None:
        qubits = "" if finding.qubits is None else f"{finding.qubits} qubits, "
        facts.append(f"{finding.solver}, {qubits}problems of up to {finding.largest} variables")
    if finding.fit_seconds is not None:
        found = "its optimum" if finding.optimum else "not its optimum"
        facts.append(f"{VARIABLES} variables in {finding.fit_seconds:.2f} s, found {found}")
    if finding.note:
        facts.append(finding.note)
    return "; ".join(facts)


def check(name: str, *, submit: bool) -> Finding:
    """Return what can be found of a sampler; problems go to one in the network only if `submit`."""
    settings = SamplerSettings(name=name, num_reads=20, timeout=TIMEOUT)
    try:
        if name in REMOTE:
            return _remote(settings, submit)
        seconds, optimum = _fit(settings)
    except UserError as error:
        return Finding(name, usable=False, note=str(error))
    except ImportError as error:
        note = f"no module {error.name!r}; install it with: pip install 'swift-hyperband[annealer]'"
        return Finding(name, usable=False, note=note)
    return Finding(name, usable=True, fit_seconds=seconds, optimum=optimum)


def _remote(settings: SamplerSettings, submit: bool) -> Finding:
    from swift_hyperband.annealing.cloud import connect

    with connect(settings) as connection:
        annealer = connection.annealer
        solver, largest = str(annealer.solver.name), annealer.largest()
        qubits = int(annealer.solver.num_active_qubits) if settings.name == "qpu" else None
        _, cost = annealer.prepare(range(VARIABLES))
    known = Finding(settings.name, usable=True, solver=solver, qubits=qubits, largest=largest, charged_seconds=cost)
    if not submit:
        price = "annealer time" if cost is None else f"about {cost:.3f} s of annealer time"
        return replace(known, note=f"nothing submitted; --submit tries a problem for {price}")
    try:
        seconds, optimum = _fit(settings)
    except UserError as error:
        return replace(known, usable=False, note=str(error))
    return replace(known, fit_seconds=seconds, optimum=optimum)


def _fit(settings: SamplerSettings) -> tuple[float, bool]:
    """Return how many seconds a small problem took, and whether its optimum was found."""
    import dimod

    from swift_hyperband.annealing import samplers

    bqm = _problem()
    start = time.perf_counter()
    # with the time in its label, so that it is solved anew and no earlier answer is taken
    found = samplers.sample(settings, bqm, f"swift-hyperband annealer check {time.time():.3f}")
    energy = float(found.record.energy.min())
    seconds = time.perf_counter() - start
    return seconds, energy <= float(dimod.ExactSolver().sample(bqm).record.energy.min()) + 1e-9


def _problem() -> BinaryQuadraticModel:
    """Return a dense problem with fixed biases."""
    import dimod
    import numpy as np

    biases = np.random.default_rng(0).normal(size=(VARIABLES, VARIABLES))
    bqm = dimod.BinaryQuadraticModel("BINARY")
    bqm.add_linear_from_array(biases.diagonal())
    bqm.add_quadratic_from_dense(np.triu(biases, 1))
    return bqm

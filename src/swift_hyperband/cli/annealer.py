"""`swift-hyperband annealer check`: which samplers a predictor can be trained with here, or what is missing."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from swift_hyperband.annealing.ready import FEW, look
from swift_hyperband.annealing.settings import LOCAL, REMOTE, SamplerSettings
from swift_hyperband.base.errors import UserError
from swift_hyperband.cli.arguments import verbosity
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.study.frozen import FrozenStudy
from swift_hyperband.workflow.fitting import problem_sizes

VARIABLES = 12
"""Of the problem that is solved without a study: every sampler can, and its optimum is known at once."""

USUAL = 120
"""Of the problem that a sampler of the user's own must solve besides."""

READS = 20

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
        Whether its optimum was found; None if it is not known.
    variables : int
        Of that problem.
    solver : str or None
    qubits, largest : int or None
        Of the solver: working qubits, and variables of the largest fully connected problem.
    charged_seconds : float or None
        Estimate of the annealer time that the problem costs.
    reproducible : bool or None
        Whether the same problem gets the same answer again; None if that is not known.
    why : str
        Why it does not.
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
    variables: int = VARIABLES
    reproducible: bool | None = None
    why: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command `annealer` takes."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    check = actions.add_parser(
        "check",
        parents=[verbosity()],
        help="which samplers can be used here, or what is missing",
        description="Show which samplers can train a predictor here, with a small problem solved by each of them. "
        "Exits with 0 if the default sampler, the named one, or that of the study can be used, else with 1.",
    )
    check.add_argument("--sampler", metavar="NAME", help="only this one: a name of the study file's, or module:Class")
    check.add_argument(
        "--study",
        "--config",
        type=Path,
        metavar="FILE",
        help="check the sampler of this study, with its settings and at the size of its largest problem",
    )
    check.add_argument(
        "--submit", action="store_true", help="send the problem to qpu and hybrid too: it costs annealer time"
    )
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    check.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    if options.study is not None:
        return _check_study(options)
    wanted = options.sampler or SamplerSettings().name
    names = [options.sampler] if options.sampler else [*LOCAL, *sorted(REMOTE, reverse=True)]
    findings = [check(SamplerSettings(name, num_reads=READS), submit=options.submit) for name in names]
    _print(findings, options.json)
    return 0 if any(finding.usable for finding in findings if finding.sampler == wanted) else 1


def _check_study(options: argparse.Namespace) -> int:
    """Check the sampler of a study, with its settings and at the size of its largest problem."""
    # pydantic: only a check of a study needs it
    from swift_hyperband.study.model import load

    study = load(options.study).frozen()
    settings, sizes = study.predictor().sampler, problem_sizes(study)
    if not sizes:
        raise UserError(f"{options.study}: {_nothing_to_check(study)}")
    if options.sampler is not None:
        settings = replace(settings, name=options.sampler)
    finding = check(settings, submit=options.submit, variables=max(sizes))
    _print([finding], options.json)
    return 0 if finding.usable else 1


def _nothing_to_check(study: FrozenStudy) -> str:
    """Say which keys of a study without problems for a sampler must change, for its sampler to be checked."""
    name, algorithm = study.predictor().name, study.definition["search"]["algorithm"]
    if study.predictor().anneals and ALGORITHMS[algorithm].predicts:
        return (
            "search.max_epochs or search.brackets must allow more rounds, for its sampler to be checked: this search "
            "fits no predictor"
        )
    return (
        "predictor.name must be qsvr in a search that predicts, for its sampler to be checked, "
        f"found {name} and {algorithm}"
    )


def _print(findings: list[Finding], as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
        return
    width = max(len(finding.sampler) for finding in findings)
    for finding in findings:
        print(f"{finding.sampler:{width}}  {'usable ' if finding.usable else 'missing'}  {_told(finding)}")


def _told(finding: Finding) -> str:
    """Return a finding's facts in one line."""
    facts = []
    if finding.solver is not None:
        qubits = "" if finding.qubits is None else f"{finding.qubits} qubits, "
        facts.append(f"{finding.solver}, {qubits}problems of up to {finding.largest} variables")
    if finding.fit_seconds is not None:
        found = {True: ", found its optimum", False: ", found not its optimum", None: ""}[finding.optimum]
        facts.append(f"{finding.variables} variables in {finding.fit_seconds:.2f} s{found}")
    if finding.reproducible is False and finding.usable:
        facts.append(f"not reproducible: {finding.why}")
    if finding.note:
        facts.append(finding.note)
    return "; ".join(facts)


def check(settings: SamplerSettings, *, submit: bool, variables: int | None = None) -> Finding:
    """Return what can be found of a sampler; problems go to one in the network only if `submit`.

    Parameters
    ----------
    settings : SamplerSettings
    submit : bool
    variables : int or None
        Of a study's largest problem. None: a small one, and for a sampler of the user's own one of the usual size.
    """
    size, name = variables or VARIABLES, settings.name
    try:
        known = look(settings, size, trial=variables is not None)
    except UserError as error:
        return Finding(name, usable=False, note=str(error), variables=size)
    # without a study the settings are this check's own
    notes = known.notes if variables is not None else ()
    found = Finding(
        name,
        usable=not known.faults,
        note="; ".join([*known.faults, *notes]),
        variables=size,
        fit_seconds=known.fit_seconds,
        solver=known.solver,
        qubits=known.qubits,
        largest=known.largest,
        charged_seconds=known.charged_seconds,
        reproducible=known.unrepeatable is None,
        why=known.unrepeatable or "",
    )
    if known.faults:
        return found
    if name in REMOTE and not submit:
        cost = known.charged_seconds
        price = "annealer time" if cost is None else f"about {cost:.3f} s of annealer time"
        hint = f"nothing submitted; --submit tries a problem for {price}"
        return replace(found, note="; ".join([hint, *notes]))
    if name not in REMOTE and variables is not None:
        # solved already
        return found
    try:
        seconds, optimum = _fit(replace(settings, timeout=min(settings.timeout, TIMEOUT)), size)
    except UserError as error:
        return replace(found, usable=False, note=str(error))
    found = replace(found, fit_seconds=seconds, optimum=optimum)
    return found if ":" not in name else _at_usual_size(found, settings)


def _at_usual_size(found: Finding, settings: SamplerSettings) -> Finding:
    """Add what a sampler of the user's own makes of a problem as large as a fit usually has."""
    known = look(replace(settings, num_reads=FEW), USUAL, trial=True)
    if known.faults:
        curves = f"{USUAL} variables, as 20 curves with 2 x 3 bits have"
        return replace(found, note=f"but not for {curves}: {'; '.join(known.faults)}")
    more = f"{USUAL} variables in {known.fit_seconds:.2f} s"
    return replace(found, note=more, reproducible=known.unrepeatable is None, why=known.unrepeatable or "")


def _fit(settings: SamplerSettings, variables: int) -> tuple[float, bool | None]:
    """Return how many seconds a problem took, and whether its optimum was found, if it is known."""
    # dimod: the help of the command needs none
    from swift_hyperband.annealing import probe

    bqm = probe.problem(variables)
    # with the time in its label, so that it is solved anew and no earlier answer is taken
    found, seconds = probe.solve(settings, bqm, f"swift-hyperband annealer check {time.time():.3f}")
    if variables > VARIABLES:
        return seconds, None
    return seconds, float(found.record.energy.min()) <= probe.least_energy(bqm) + 1e-9

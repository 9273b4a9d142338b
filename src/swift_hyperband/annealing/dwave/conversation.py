"""Remote annealers: the D-Wave QPU and the Leap hybrid solver, through D-Wave's own client.

A problem is paid for once. Its answer is kept; where none is kept it is looked for at the server by its label, because
whoever sent it may have been killed before reading it; only then is it submitted.
"""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from dimod import BinaryQuadraticModel, SampleSet
from dwave.cloud.api import Problems
from dwave.cloud.exceptions import SolverError

from swift_hyperband.annealing.dwave.connection import Annealer, Connection, connect
from swift_hyperband.annealing.dwave.store import Answer, Kept, Problem, spent
from swift_hyperband.annealing.errors import AnnealerError
from swift_hyperband.annealing.qubo import polish
from swift_hyperband.annealing.settings import SamplerSettings

PAUSES = (1.0, 4.0, 15.0)
"""Seconds before asking again after a temporary error."""


def sample(
    settings: SamplerSettings,
    bqm: BinaryQuadraticModel,
    label: str,
    kept: Path | None = None,
    budget_seconds: float | None = None,
) -> SampleSet:
    """Return the states that an annealer in the network finds, those of a QPU polished by steepest descent.

    Parameters
    ----------
    settings : SamplerSettings
        `name` is "qpu" or "hybrid".
    bqm : dimod.BinaryQuadraticModel
    label : str
        Tells the problem from all others of its search: the same label and problem have the same, kept, answer.
    kept : Path or None
        Folder in which problems and answers are kept.
    budget_seconds : float or None
        Annealer time in seconds that may be spent on all problems kept under the parent of `kept`, this one counted
        with its estimate. A kept or already submitted problem is never refused: it is paid.

    Returns
    -------
    dimod.SampleSet
        Its `info` holds problem_id, solver, timing (microseconds), seconds (charged) and chain_break_share.

    Raises
    ------
    AnnealerError
        If no answer came within about `settings.timeout` seconds, or the budget does not suffice.
    """
    problem = Problem.of(settings.name, bqm, label)
    store = Kept(None if kept is None else kept / problem.folder)
    answer = store.answer(bqm)
    if answer is None:
        used = 0.0 if budget_seconds is None or kept is None else spent(kept.parent, but=store.path)
        left = None if budget_seconds is None else budget_seconds - used
        answer = _ask(settings, problem, store, left)
        store.write_answer(answer)
    states = answer.sampleset(bqm)
    return _polished(bqm, states) if settings.name == "qpu" else states


@dataclass(frozen=True)
class Offer:
    """What a solver in the network says of a study, before anything is submitted.

    Attributes
    ----------
    solver : str
        Its name.
    qubits : int or None
        Working ones, of a QPU.
    largest : int
        Variables of the largest fully connected problem.
    seconds : float or None
        Annealer time that a problem of the size asked about will be charged; None where the solver does not tell, or
        cannot hold it.
    refusals : tuple of str
        What it refuses, each a line that begins with the key to change.
    """

    solver: str
    qubits: int | None
    largest: int
    seconds: float | None
    refusals: tuple[str, ...]


def ask(settings: SamplerSettings, variables: int, patience: float) -> Offer:
    """Ask a solver what it says of problems with so many variables, and of the settings.

    No request takes longer than a share of `patience`, in seconds.

    Raises
    ------
    AnnealerError
        If the solver cannot be used.
    """
    with connect(replace(settings, timeout=min(settings.timeout, patience))) as connection:
        annealer = connection.annealer
        refusals = tuple(annealer.refusals(settings, variables))
        fits = variables <= annealer.largest()
        # the estimate itself fails on settings out of the solver's ranges
        seconds = annealer.prepare(range(variables))[1] if fits and not refusals else None
        qubits = int(annealer.solver.num_active_qubits) if settings.name == "qpu" else None
        return Offer(str(annealer.solver.name), qubits, annealer.largest(), seconds, refusals)


def _polished(bqm: BinaryQuadraticModel, states: SampleSet) -> SampleSet:
    """Return where steepest descent from each state ends: broken chains leave states above a local minimum."""
    ends = polish(bqm, states)
    return SampleSet.from_samples(
        (ends.record.sample, list(ends.variables)),
        vartype=bqm.vartype,
        energy=ends.record.energy,
        num_occurrences=states.record.num_occurrences,
        info=states.info,
        chain_break_fraction=states.record.chain_break_fraction,
        sort_labels=False,
    )


def _ask(settings: SamplerSettings, problem: Problem, store: Kept, left: float | None) -> Answer:
    """Get the answer of a problem, asking again after temporary errors while there is time."""
    deadline = time.monotonic() + settings.timeout
    for pause in PAUSES:
        try:
            with connect(settings) as connection:
                return _converse(connection, problem, store, left, deadline)
        except AnnealerError as error:
            if not error.temporary or time.monotonic() + pause >= deadline:
                raise
        time.sleep(pause)
    with connect(settings) as connection:
        return _converse(connection, problem, store, left, deadline)


def _converse(connection: Connection, problem: Problem, store: Kept, left: float | None, deadline: float) -> Answer:
    """Take the answer of a problem submitted earlier, or submit it and wait for its answer."""
    annealer = connection.annealer
    if (problem_id := _earlier(connection, problem, store)) is not None:
        raw = annealer.client.retrieve_answer(problem_id).sampleset
        _wait(connection, raw, problem_id, deadline)
        found = annealer.unembed(raw, problem.bqm, store.embedding())
        if found is not None:
            return _answer(annealer, problem, found, raw.info)
    embedding, seconds = annealer.prepare(list(problem.bqm.variables))
    if left is not None and (seconds is None or seconds > left):
        cost = "an unknown time" if seconds is None else f"{seconds:.3f} s"
        raise AnnealerError(
            f"the annealer's budget must cover the next problem, found {max(left, 0.0):.3f} s left and {cost} needed; "
            "raise budget.annealer_seconds"
        )
    store.write_problem(problem, embedding)
    # before the request: whatever happens to us, a problem that may run counts
    store.write_submitted(None, seconds)
    found = annealer.submit(problem.bqm, problem.tag)
    submitted_id = _submitted(connection, found, store, deadline)
    store.write_submitted(submitted_id, seconds)
    _wait(connection, found, submitted_id, deadline)
    return _answer(annealer, problem, found, found.info)


def _earlier(connection: Connection, problem: Problem, store: Kept) -> str | None:
    """Return the id of this problem at the server, if it was submitted before and has an answer or will have one."""
    known = store.problem_id()
    with Problems.from_config(connection.annealer.client.config) as problems:
        listed = problems.list_problems(label=problem.tag) if known is None else problems.list_problems(id=known)
    mine = [one for one in listed if one.label == problem.tag]
    for states in (("COMPLETED",), ("PENDING", "IN_PROGRESS")):
        for one in mine:
            if one.status.value in states:
                return str(one.id)
    return None


def _submitted(connection: Connection, found: SampleSet, store: Kept, deadline: float) -> str:
    """Return the id that the server gave a problem."""
    try:
        problem_id = found.wait_id(timeout=max(0.1, deadline - time.monotonic()))
    except concurrent.futures.TimeoutError:
        raise AnnealerError(
            f"the annealer at {connection.access.host} must take the problem in time, but did not; "
            "raise predictor.sampler.timeout or try again later"
        ) from None
    if problem_id is None:
        try:
            found.resolve()
        except SolverError:
            store.withdraw()
            raise
    return str(problem_id)


def _wait(connection: Connection, found: SampleSet, problem_id: str, deadline: float) -> None:
    """Wait until a problem is answered; cancel it when there is no time left."""
    while not found.done():
        if time.monotonic() >= deadline:
            raise AnnealerError(
                f"the annealer at {connection.access.host} must answer in time, but problem {problem_id} still waits"
                f"{_cancel(connection.annealer, problem_id)}; raise predictor.sampler.timeout or try again later"
            )
        time.sleep(0.02)
    found.resolve()


def _cancel(annealer: Annealer, problem_id: str) -> str:
    """Cancel a problem; return what became of it, in words."""
    # ValueError: an answer that is none; the time-out is to be told, not this
    with suppress(OSError, ValueError), Problems.from_config(annealer.client.config) as problems:
        if not hasattr(problems.cancel_problem(problem_id), "error_code"):
            return " and was cancelled"
    return " and could not be cancelled (its answer will be taken when asked for again)"


def _answer(annealer: Annealer, problem: Problem, found: SampleSet, info: Mapping[str, Any]) -> Answer:
    states = found.change_vartype("BINARY", inplace=False)
    order = [states.variables.index(variable) for variable in problem.bqm.variables]
    bits = states.record.sample[:, order]
    timing, seconds = annealer.charged(info)
    binary = problem.bqm.change_vartype("BINARY", inplace=False)
    broken = getattr(states.record, "chain_break_fraction", np.zeros(len(bits)))
    return Answer(
        problem_id=str(info["problem_id"]),
        solver=str(annealer.solver.name),
        states=["".join(map(str, row)) for row in bits.tolist()],
        energies=binary.energies((bits, list(problem.bqm.variables))).tolist(),
        occurrences=states.record.num_occurrences.tolist(),
        chain_breaks=np.asarray(broken, dtype=float).tolist(),
        timing=timing,
        seconds=seconds,
    )

"""The store of problems sent to a remote annealer, so that no answer is paid for twice.

One folder a problem, named by its label and a digest: `problem.json` (the problem and its embedding) and
`submitted.json` (its id at the server) are written around the submission, `answer.json` when the answer is there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dimod import BinaryQuadraticModel, SampleSet

from swift_hyperband.base import files
from swift_hyperband.base.errors import UserError

PROBLEM, SUBMITTED, ANSWER = "problem.json", "submitted.json", "answer.json"
SHAPES: dict[str, files.Shape] = {
    PROBLEM: {"variables": list, "embedding": ([[int]], None)},
    SUBMITTED: {"problem_id": (str, None), "seconds": (float, None)},
    ANSWER: {
        "problem_id": str,
        "solver": str,
        "states": [str],
        "energies": [float],
        "occurrences": [int],
        "chain_breaks": [float],
        "timing": dict,
        "seconds": float,
    },
}
ASK_AGAIN = "delete the file and start the search again; what it held is asked for again, and may be paid for again"


@dataclass(frozen=True)
class Problem:
    """A problem that is sent to an annealer.

    Attributes
    ----------
    bqm : dimod.BinaryQuadraticModel
    label : str
        As its sender calls it, for people.
    digest : str
        Of sampler, label and biases: problems with the same one have the same answer.
    """

    bqm: BinaryQuadraticModel
    label: str
    digest: str

    @classmethod
    def of(cls, sampler: str, bqm: BinaryQuadraticModel, label: str) -> Problem:
        # rounded, because the last bits of a kernel differ between processors: a search resumed on another node
        # must find its problem again
        values = _plain(bqm)
        largest = max(map(abs, values["linear"] + values["quadratic"]), default=0.0) or 1.0
        for name in ("linear", "quadratic"):
            values[name] = (np.round(np.asarray(values[name]) / largest, 9) + 0.0).tolist()
        text = json.dumps([sampler, label, f"{largest:.9g}", f"{values.pop('offset'):.9g}", values])
        return cls(bqm, label, hashlib.sha256(text.encode()).hexdigest()[:16])

    @property
    def tag(self) -> str:
        """The label at the server, where other problems may have the same label for people."""
        return f"{self.label} [{self.digest}]"

    @property
    def folder(self) -> str:
        """The name of its folder."""
        return f"{re.sub(r'[^A-Za-z0-9.]+', '-', self.label)[:60].strip('-')}-{self.digest}"

    def to_dict(self) -> dict[str, Any]:
        return {"label": self.tag, **_plain(self.bqm)}


def _plain(bqm: BinaryQuadraticModel) -> dict[str, Any]:
    """Return a problem in JSON's types: variables in their order, quadratic biases as the upper triangle by rows."""
    linear, (rows, columns, quadratic), offset = bqm.to_numpy_vectors(variable_order=list(bqm.variables))
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    order = np.lexsort((high, low))
    return {
        "vartype": bqm.vartype.name,
        "variables": list(bqm.variables),
        "offset": float(offset),
        "linear": np.asarray(linear).tolist(),
        "pairs": np.stack([low[order], high[order]], axis=1).tolist(),
        "quadratic": np.asarray(quadratic)[order].tolist(),
    }


@dataclass(frozen=True)
class Answer:
    """What an annealer answered to a problem, unembedded, before any polish.

    Attributes
    ----------
    problem_id, solver : str
        At the server.
    states : list of str
        One state each, '0' and '1' in the order of the problem's variables.
    energies : list of float
    occurrences : list of int
    chain_breaks : list of float
        Share of broken chains of each state; zeros where nothing was embedded.
    timing : dict
        As the server told it, in microseconds.
    seconds : float
        Annealer time that was charged.
    """

    problem_id: str
    solver: str
    states: list[str]
    energies: list[float]
    occurrences: list[int]
    chain_breaks: list[float]
    timing: dict[str, Any]
    seconds: float

    @property
    def chain_break_share(self) -> float:
        """Share of broken chains over all reads."""
        return float(np.average(self.chain_breaks, weights=self.occurrences))

    def fits(self, bqm: BinaryQuadraticModel) -> bool:
        """Whether this is whole and an answer to `bqm`."""
        count = len(self.states)
        columns = (self.energies, self.occurrences, self.chain_breaks)
        if not count or any(len(column) != count for column in columns):
            return False
        if min(self.occurrences) < 1 or any(len(state) != bqm.num_variables for state in self.states):
            return False
        if set("".join(self.states)) - {"0", "1"}:
            return False
        found, told = self.sampleset(bqm).record, np.asarray(self.energies)
        energies = bqm.energies((found.sample, list(bqm.variables)))
        # not to the bit, as the problem is the same but for rounding
        return bool(np.allclose(energies, told, rtol=1e-6, atol=1e-6 * float(np.abs(told).max())))

    def sampleset(self, bqm: BinaryQuadraticModel) -> SampleSet:
        """Return the states as a sample set of `bqm`."""
        bits = np.array([[int(bit) for bit in state] for state in self.states], dtype=np.int8)
        info = {
            "problem_id": self.problem_id,
            "solver": self.solver,
            "timing": self.timing,
            "seconds": self.seconds,
            "chain_break_share": self.chain_break_share,
        }
        return SampleSet.from_samples(
            (bits, list(bqm.variables)),
            vartype="BINARY",
            energy=self.energies,
            num_occurrences=self.occurrences,
            info=info,
            chain_break_fraction=self.chain_breaks,
            sort_labels=False,
        ).change_vartype(bqm.vartype, inplace=False)


class Kept:
    """The folder of one problem. Where nothing is to be kept (`path` None) all is forgotten.

    Parameters
    ----------
    path : Path or None
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def answer(self, bqm: BinaryQuadraticModel) -> Answer | None:
        """Return the kept answer to a problem, if there is one.

        Raises
        ------
        UserError
            If the file was damaged: its states do not have the energies that stand beside them.
        """
        stored = self._read(ANSWER)
        if stored is None:
            return None
        answer = Answer(**{name: stored[name] for name in Answer.__dataclass_fields__})
        if not answer.fits(bqm):
            raise UserError(f"{self.path}/{ANSWER}: must hold states with their energies, found others; {ASK_AGAIN}")
        return answer

    def problem_id(self) -> str | None:
        """Return the id of the problem at the server, if it is known."""
        return (self._read(SUBMITTED) or {}).get("problem_id")

    def embedding(self) -> dict[Any, tuple[int, ...]] | None:
        """Return the qubits of each variable with which the problem was submitted."""
        stored = self._read(PROBLEM)
        if stored is None or stored["embedding"] is None:
            return None
        if len(stored["variables"]) != len(stored["embedding"]):
            assert self.path is not None
            raise UserError(f"{self.path / PROBLEM}: embedding must have a chain for each variable; {ASK_AGAIN}")
        return dict(zip(stored["variables"], map(tuple, stored["embedding"]), strict=True))

    def write_problem(self, problem: Problem, embedding: Mapping[Any, tuple[int, ...]] | None) -> None:
        """Keep the problem, before it is submitted."""
        chains = None if embedding is None else [list(map(int, embedding[v])) for v in problem.bqm.variables]
        self._write(PROBLEM, {**problem.to_dict(), "embedding": chains})

    def write_submitted(self, problem_id: str | None, seconds: float | None) -> None:
        """Keep the id (None: about to be submitted) and the estimate of the annealer time in seconds."""
        self._write(SUBMITTED, {"problem_id": problem_id, "seconds": seconds})

    def withdraw(self) -> None:
        """Forget the submission: the server did not take the problem."""
        if self.path is not None:
            (self.path / SUBMITTED).unlink(missing_ok=True)

    def write_answer(self, answer: Answer) -> None:
        self._write(ANSWER, {**vars(answer), "chain_break_share": answer.chain_break_share})

    def _read(self, name: str) -> Any:
        if self.path is None or not (self.path / name).exists():
            return None
        return files.read_json(self.path / name, SHAPES[name], ASK_AGAIN)

    def _write(self, name: str, content: Any) -> None:
        if self.path is not None:
            # on one line: a problem has thousands of biases
            files.write_text(self.path / name, json.dumps(content, allow_nan=False) + "\n")


def spent(tree: Path, but: Path | None = None) -> float:
    """Return the annealer time in seconds of all problems kept under a folder, except the one in `but`.

    A problem that was submitted but has no answer counts with its estimate: the server may have run it.
    """
    seconds = 0.0
    for submitted in sorted(tree.rglob(SUBMITTED)):
        if submitted.parent == but:
            continue
        answer = submitted.with_name(ANSWER)
        told = answer if answer.exists() else submitted
        seconds += files.read_json(told, SHAPES[told.name], ASK_AGAIN)["seconds"] or 0.0
    return seconds

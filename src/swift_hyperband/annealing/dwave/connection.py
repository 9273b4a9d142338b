"""D-Wave's solvers, connected through D-Wave's own client: a QPU, and the Leap hybrid solver."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from dimod import BinaryQuadraticModel, SampleSet
from dwave.embedding import unembed_sampleset
from dwave.embedding.chain_strength import uniform_torque_compensation
from dwave.system import DWaveCliqueSampler, LeapHybridSampler

from swift_hyperband.annealing import limits
from swift_hyperband.annealing.dwave.access import Access
from swift_hyperband.annealing.dwave.explain import explained
from swift_hyperband.annealing.errors import AnnealerError
from swift_hyperband.annealing.settings import SamplerSettings

Embedding = Mapping[Any, tuple[int, ...]]
"""The chain of qubits that stands for each variable."""


class Annealer(Protocol):
    """A solver that the client is connected to."""

    client: Any
    solver: Any

    def largest(self) -> int:
        """Return the number of variables of the largest fully connected problem."""

    def refusals(self, settings: SamplerSettings, variables: int) -> list[str]:
        """Return what the solver would refuse of a study, each a line that begins with the key to change."""

    def prepare(self, variables: Sequence[Hashable]) -> tuple[Embedding | None, float | None]:
        """Return how a fully connected problem is embedded, and the annealer time in seconds that will be charged.

        None for an embedding that the solver does not need, None for a time that it does not tell.
        """

    def submit(self, bqm: BinaryQuadraticModel, tag: str) -> SampleSet:
        """Submit a problem; the states come when the sample set is resolved."""

    def unembed(self, found: SampleSet, bqm: BinaryQuadraticModel, embedding: Embedding | None) -> SampleSet | None:
        """Return the states of a problem submitted earlier; None where the embedding was another one."""

    def charged(self, info: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
        """Return the timing in microseconds and the seconds charged."""


class Qpu:
    """A D-Wave QPU with clique embeddings (busclique), cached on disk by minorminer."""

    def __init__(self, settings: SamplerSettings, config: dict[str, Any]) -> None:
        self._sampler = DWaveCliqueSampler(**config)
        self.client, self.solver = self._sampler.child.client, self._sampler.child.solver
        self._parameters: dict[str, float] = {"num_reads": settings.num_reads}
        if settings.annealing_time is not None:
            self._parameters["annealing_time"] = settings.annealing_time
        self._chain_strength = settings.chain_strength

    def largest(self) -> int:
        return int(self._sampler.largest_clique_size)

    def refusals(self, settings: SamplerSettings, variables: int) -> list[str]:
        return limits.of_qpu(str(self.solver.name), self.solver.properties, settings, variables, self.largest())

    def prepare(self, variables: Sequence[Hashable]) -> tuple[Embedding, float | None]:
        embedding = self._embed(variables)
        qubits = sum(map(len, embedding.values()))
        # KeyError and ValueError: the solver tells no timing, or by a model that the client does not know
        with suppress(KeyError, ValueError):
            return embedding, float(self.solver.estimate_qpu_access_time(qubits, **self._parameters)) / 1e6
        return embedding, None

    def _embed(self, variables: Sequence[Hashable]) -> Embedding:
        embedding: Embedding = self._sampler.clique(variables)
        if not embedding:
            raise AnnealerError(limits.too_many(str(self.solver.name), self.largest(), len(variables)))
        return embedding

    def submit(self, bqm: BinaryQuadraticModel, tag: str) -> SampleSet:
        return self._sampler.sample(bqm, chain_strength=self._strength, label=tag, **self._parameters)

    def _strength(self, bqm: BinaryQuadraticModel, embedding: Embedding | None = None) -> float:
        return self._chain_strength * float(uniform_torque_compensation(bqm, embedding))

    def unembed(self, found: SampleSet, bqm: BinaryQuadraticModel, embedding: Embedding | None) -> SampleSet | None:
        embedding = embedding or self._embed(list(bqm.variables))
        if {qubit for chain in embedding.values() for qubit in chain} != set(found.variables):
            return None
        spins = bqm.change_vartype("SPIN", inplace=False)
        return unembed_sampleset(found, embedding, spins, chain_break_fraction=True)

    def charged(self, info: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
        timing = dict(info.get("timing", {}))
        return timing, float(timing.get("qpu_access_time", 0.0)) / 1e6


class Hybrid:
    """A Leap hybrid solver of binary quadratic models; it returns one state."""

    def __init__(self, settings: SamplerSettings, config: dict[str, Any]) -> None:
        self._timeout = settings.timeout
        self._sampler = LeapHybridSampler(**config)
        self.client, self.solver = self._sampler.client, self._sampler.solver

    def largest(self) -> int:
        # n linear and n (n - 1) / 2 quadratic biases
        biases = self.solver.properties["maximum_number_of_biases"]
        return int(min(self.solver.properties["maximum_number_of_variables"], (np.sqrt(8 * biases + 1) - 1) // 2))

    def refusals(self, settings: SamplerSettings, variables: int) -> list[str]:
        name, largest = str(self.solver.name), self.largest()
        seconds = self._time_limit(min(variables, largest))
        return limits.of_hybrid(name, seconds, settings, variables, largest)

    def prepare(self, variables: Sequence[Hashable]) -> tuple[None, float]:
        if len(variables) > self.largest():
            raise AnnealerError(limits.too_many(str(self.solver.name), self.largest(), len(variables)))
        return None, self._time_limit(len(variables))

    def _time_limit(self, variables: int) -> float:
        """Return the least time in seconds that the solver works on so many variables: it charges no less."""
        sizes, seconds = zip(*self.solver.properties["minimum_time_limit"], strict=True)
        return float(np.interp(variables, sizes, seconds))

    def submit(self, bqm: BinaryQuadraticModel, tag: str) -> SampleSet:
        # the solver's own calls: LeapHybridSampler.sample waits for the upload without end
        with bqm.to_file() as file:
            data = self.solver.upload_bqm(file).result(timeout=self._timeout)
        limit = self._time_limit(bqm.num_variables)
        return self.solver.sample_bqm(data, label=tag, time_limit=limit).sampleset

    def unembed(self, found: SampleSet, bqm: BinaryQuadraticModel, embedding: Embedding | None) -> SampleSet | None:  # noqa: ARG002
        return found if set(found.variables) == set(bqm.variables) else None

    def charged(self, info: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
        timing = {name: info[name] for name in ("qpu_access_time", "charge_time", "run_time") if name in info}
        return timing, float(timing.get("charge_time", 0.0)) / 1e6


@dataclass(frozen=True)
class Connection:
    """A connected annealer, and how its errors are told."""

    annealer: Annealer
    access: Access


@contextmanager
def connect(settings: SamplerSettings) -> Iterator[Connection]:
    """Connect to the solver that the settings, the environment and the client's configuration name.

    Every request is bounded by a share of `settings.timeout`. Errors of the client leave as `AnnealerError`.

    Raises
    ------
    AnnealerError
        If the solver cannot be used.
    """
    # the client logs its configuration with the token in it (debug) and what a server says, who may repeat it (error)
    logging.getLogger("dwave.cloud").setLevel(logging.CRITICAL + 1)
    access = Access.configured()
    config: dict[str, Any] = {
        "request_timeout": max(0.5, min(60.0, settings.timeout / 4)),
        # the client's own ten would multiply the time-out of a request without answer
        "http_retry_total": 2,
        "http_retry_read": 1,
        "http_retry_backoff_factor": 0.1,
        # short polls end soon after the last one is wanted, a long poll does not
        "poll_strategy": "backoff",
        "poll_backoff_max": 2.0,
    }
    if settings.solver is not None:
        config["solver"] = settings.solver
    with explained(access):
        annealer: Annealer = Qpu(settings, config) if settings.name == "qpu" else Hybrid(settings, config)
        try:
            yield Connection(annealer, access)
        finally:
            annealer.client.close(wait=False)

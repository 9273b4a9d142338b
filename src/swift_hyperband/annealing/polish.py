"""Steepest descent after sampling: broken chains or noise leave states above their local minimum."""

from __future__ import annotations

import dimod


def polish(bqm: dimod.BinaryQuadraticModel, states: dimod.SampleSet) -> dimod.SampleSet:
    """Return the local minima in which steepest descent from each of the states ends, in the order of the states."""
    from dwave.samplers import SteepestDescentSampler

    return SteepestDescentSampler().sample(bqm, initial_states=states, num_reads=len(states))

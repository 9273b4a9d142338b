#!/usr/bin/env bash
# openjij 0.12.2, a dimod sampler: with a seed, every read is the same read: the seed starts each of them anew, so
# num_reads=10 costs ten anneals and gives one answer ten times. And `parameters` does not list seed and num_reads, so
# whoever passes on only what a dimod sampler says it takes loses both without a word. dwave-samplers 1.8 does neither.
#
# Seen, of 10 reads: SASampler reads that differ: 10 with a seed: 1 parameters: ['beta_max', 'beta_min']
#                    SQASampler reads that differ: 10 with a seed: 1 parameters: ['beta', 'gamma', 'trotter']
#                    dwave-samplers reads that differ, with a seed: 10
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3.11 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openjij==0.12.2 dwave-samplers==1.8.0
venv/bin/python - <<'EOF'
import dimod
import numpy as np
import openjij
from dwave.samplers import SimulatedAnnealingSampler

Q = np.triu(np.random.default_rng(0).normal(size=(60, 60)))
problem = dimod.BQM(Q, "BINARY")


def different(sampler, **more):
    return len(sampler.sample(problem, num_reads=10, num_sweeps=2, **more).aggregate())


for kind in (openjij.SASampler, openjij.SQASampler):
    sampler = kind()
    without, seeded = different(sampler), different(sampler, seed=1)
    print(kind.__name__, "reads that differ:", without, "with a seed:", seeded, "parameters:", sorted(sampler.parameters))
    assert isinstance(sampler, dimod.Sampler)
    assert without > 1 and seeded == 1
    assert not {"seed", "num_reads"} & set(sampler.parameters)
neal = SimulatedAnnealingSampler()
print("dwave-samplers reads that differ, with a seed:", different(neal, seed=1))
assert different(neal, seed=1) > 1 and {"seed", "num_reads"} <= set(neal.parameters)
EOF

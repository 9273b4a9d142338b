"""The QSVR through D-Wave's own client, against a loopback server with the graph of an Advantage (Pegasus P16).

    python benchmarks/loopback_qpu.py --curves DIR [--splits 8]

DIR is as in benchmarks/qsvr.py; the MLPF table is used, 20 training curves, 25 % seen: 120 variables. The server
anneals the submitted, embedded problem: it models a QPU's chains, not its physics. Each fit is done twice; the second
must use the stored answer.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / "tests/annealing"), str(ROOT / "benchmarks")]

import qsvr as common  # noqa: E402
import sapi  # noqa: E402

from swift_hyperband.annealing.settings import QsvrSettings, SamplerSettings  # noqa: E402
from swift_hyperband.predictors import annealed  # noqa: E402
from swift_hyperband.predictors.kernel_machine import train  # noqa: E402
from swift_hyperband.predictors.settings import PredictorSettings  # noqa: E402

SEEN = 25
CURVES = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--splits", type=int, default=8)
    options = parser.parse_args()
    table = common.read_mlpf(options.curves)
    shape, local = QsvrSettings(), SamplerSettings()
    settings = PredictorSettings("qsvr", "change", "differences", "robust", C=1.0, nu=0.5, qsvr=shape)
    scores: dict[str, list[float]] = {"SVR": [], "QSVR, simulated annealing": [], "QSVR, loopback QPU": []}
    with sapi.Loopback(size=16, loss=0.02) as server, tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DWAVE_API_ENDPOINT": server.endpoint, "DWAVE_API_TOKEN": sapi.TOKEN, "NO_PROXY": "127.0.0.1"}
        on_qpu = replace(settings, sampler=replace(local, name="qpu", num_reads=100))
        for number, (trained, rest) in enumerate(common.splits(table.configurations, options.splits, CURVES)):
            curves, ends = table.losses[:, :SEEN], table.losses[:, -1]
            x, y, kept = curves[trained], ends[trained], Path(folder) / "answers" / str(number)
            fits = [
                train(settings, x, y, annealed.classical(settings.C, shape), lambda: 0.0),
                annealed.fit(replace(settings, sampler=local), x, y),
                annealed.fit(on_qpu, x, y, annealed.solver(on_qpu, f"split {number}", kept)),
            ]
            for name, fit in zip(scores, fits, strict=True):
                scores[name].append(common.judge(fit.predict(curves[rest]), ends[rest], y)[0])
            once = server.submitted
            annealed.fit(on_qpu, x, y, annealed.solver(on_qpu, f"split {number}", kept))
            assert server.submitted == once == number + 1
        print(f"{options.splits} fits, {server.submitted} problems submitted, none for the repetition of each fit")
    for name, values in scores.items():
        print(f"{name:28} mean R2 {np.mean(values):.3f}")


if __name__ == "__main__":
    main()

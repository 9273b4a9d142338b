"""Overhead of SLURM and Snakemake in a search with short epochs, on the SLURM cluster of the tests: three GPUs.

    python tests/cluster/cluster.py --minutes 40 with python benchmarks/slurm_overhead.py [--seconds 4]

Needs root on Debian 12, as `make test-slurm` does. The target sleeps, so two cores can act as three nodes. Each case
is a whole search (R=9, eta=3) with the shipped profile. Lower bounds, for the epochs that it trained: work / GPUs, and
the critical path, the longest chain of trainings that wait for each other (`swift-hyperband plan`). The plugin asks
SLURM for its jobs every 20 s and then less often; `every second` asks as the tests do (tests/cluster/fastpoll.py).
Overhead per job, from a search whose jobs come one after the other: (wall - start - epochs) / jobs. Busy is the share
of the GPUs' allocated time, by SLURM's accounts, in which they trained epochs that the search asked for.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from swift_hyperband.results import accounting, jobs
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.progress import Reader
from swift_hyperband.search.plan import makespan
from swift_hyperband.study.model import load

ROOT = Path(__file__).parents[1]
FASTPOLL = ROOT / "tests/cluster/fastpoll.py"
OWN = {"swift": {"share_curves": False}}
CASES: list[tuple[str, int, str, dict[str, Any]]] = [
    ("3 GPUs, batch size 1, every second", 3, "every second", {"batch_size": 1}),
    ("3 GPUs, batch size 1, own curves, every second", 3, "every second", {"batch_size": 1, **OWN}),
    ("1 GPU, packed, every second", 1, "every second", {"batch_size": "auto"}),
    ("2 GPUs, packed, every second", 2, "every second", {"batch_size": "auto"}),
    ("3 GPUs, packed, every second", 3, "every second", {"batch_size": "auto"}),
    ("3 GPUs, packed, own curves, every second", 3, "every second", {"batch_size": "auto", **OWN}),
    ("3 GPUs, packed, the profile", 3, "the profile", {"batch_size": "auto"}),
    ("3 GPUs, workers, every second", 3, "every second", {"execution": "workers"}),
    ("3 GPUs, workers, the profile", 3, "the profile", {"execution": "workers"}),
]


@dataclass(frozen=True)
class Found:
    """Costs of a search: epochs, jobs, and in seconds its length, the time to its first job, and the lower bounds.

    Last comes how much of the allocated time GPUs trained.
    """

    epochs: int
    jobs: int
    wall: float
    first: float
    work: float
    path: float
    busy: float


def project(folder: Path, seconds: float, **keys: Any) -> None:
    """Make a folder with the repository's workflow, invented curves and a study of them whose epochs sleep."""
    for name in ("workflow", "rules", "profiles", "envs"):
        (folder / name).symlink_to(ROOT / name)
    draw = random.Random(0)
    lines = ["row,epoch,loss"]
    for row in range(120):
        end, speed = draw.uniform(0.1, 0.6), draw.uniform(0.3, 1.5)
        lines += [f"{row},{epoch},{end + epoch**-speed}" for epoch in range(1, 10)]
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    study = {
        "name": "sleeps",
        "target": {
            "name": "curve-table",
            "metric": "loss",
            "mode": "min",
            "options": {"table": "table.csv", "seconds": seconds},
        },
        "space": {"row": {"type": "int", "low": 0, "high": 119}},
        "search": {"max_epochs": 9, "eta": 3, "seed": 1, **keys.pop("search", {})},
        "predictor": {"name": "last-value"},
        "swift": {"d": 3, **keys.pop("swift", {})},
        "resources": {"gpus": 1, "gpus_required": False, "mem_mb": 600, "runtime": 10, "workers": keys.pop("workers")},
        **keys,
    }
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text(yaml.safe_dump(study))


def measure(seconds: float, gpus: int, poll: str, **keys: Any) -> Found:
    """Run a search on a number of GPUs; return its costs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project(folder, seconds, workers=gpus, **keys)
        run = (
            [sys.executable, str(FASTPOLL)]
            if poll == "every second"
            else [str(Path(sys.executable).parent / "swift-hyperband")]
        )
        quick = ["--max-status-checks-per-second", "1"] if poll == "every second" else []
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        command = [*run, "run", "--profile", "profiles/slurm", "--jobs", str(gpus), *quick, "best"]
        began = time.time()
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        wall = time.time() - began
        study, results = load(folder / "config/config.yaml"), folder / "results/sleeps"
        progress, found = Reader(StudyFolder(results)).read(), jobs.read(results)
        assert progress is not None
        epochs = progress.sum("spent")
        first = min(job.submitted or job.started for job in found) - began
        path = makespan(study.schedule(), "half", 1, None) * seconds
        hours = jobs.totals(accounting.read(results)).gpu_hours
        busy = epochs * seconds / (3600 * hours) if hours else float("nan")
        return Found(epochs, len(found), wall, first, epochs * seconds / gpus, path, busy)


def row(case: str, found: Found) -> None:
    bound = max(found.work, found.path)
    print(
        f"{case:46} {found.epochs:6} {found.jobs:5} {found.wall:7.0f} {found.work:10.0f} {found.path:10.0f} "
        f"{found.wall / bound:10.2f} {found.busy:5.0%}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="of an epoch")
    parser.add_argument("--only", default="", help="of the searches those whose name holds this")
    options = parser.parse_args()
    heads = ("work/GPUs", "crit.path", "wall/bound")
    print(
        f"{'case':46} {'epochs':>6} {'jobs':>5} {'wall s':>7} " + " ".join(f"{head:>10}" for head in heads) + "  busy"
    )
    for case, gpus, poll, keys in CASES:
        if options.only in case:
            row(case, measure(options.seconds, gpus, poll, **keys))
    if options.only:
        return
    one = {"search": {"algorithm": "hyperband", "brackets": [2]}, "batch_size": 9}
    for poll in ("every second", "the profile"):
        found = measure(options.seconds, 1, poll, **one)
        each = (found.wall - found.first - found.epochs * options.seconds) / found.jobs
        print(
            f"overhead per job, {poll}: {each:.1f} s ({found.jobs} jobs; {found.first:.1f} s until the first one)",
            flush=True,
        )


if __name__ == "__main__":
    main()

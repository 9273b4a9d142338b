"""The workflow's own cost: a whole search with a target that does nothing, and dry runs of large searches.

    python benchmarks/orchestration.py [--max-epochs 81] [--eta 3] [--cores 2] [--skip-dry-runs]

CPU seconds are those of snakemake and all its jobs; divided by the number of trials and rounds (the sum over all
rounds of the trials that compete in it). With the predictor last-value they are orchestration alone; an SVR fit
imports scikit-learn, which costs more than everything else. Compare ratios within one run; seconds depend on the
machine.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from swift_hyperband.study.model import load

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def project(folder: Path, max_epochs: int, eta: int, batch_size: int | str, predictor: str = "last-value") -> Path:
    """Make a folder with the repository's workflow and a study of the target that does nothing."""
    for name in ("workflow", "rules", "profiles", "envs"):
        (folder / name).symlink_to(ROOT / name)
    study = {
        "name": "nothing",
        "target": {"name": str(ROOT / "benchmarks/nothing.py:Nothing"), "metric": "loss", "mode": "min"},
        "space": {"x": {"type": "float", "low": 0.0, "high": 1.0}},
        "search": {"algorithm": "swift-hyperband", "max_epochs": max_epochs, "eta": eta},
        "predictor": {"name": predictor},
        "batch_size": batch_size,
        "resources": {"workers": 2},
    }
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text(yaml.safe_dump(study))
    return folder


def cost(folder: Path, *arguments: str) -> tuple[float, float, str]:
    """Run a command; return its CPU and wall seconds, including its children, and its output."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    command = [str(BIN / arguments[0]), *arguments[1:]]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, done.stdout + done.stderr


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--max-epochs", type=int, default=81)
    parser.add_argument("--eta", type=int, default=3)
    parser.add_argument("--cores", default="2")
    parser.add_argument("--skip-dry-runs", action="store_true")
    options = parser.parse_args()
    print(f"{'case':48} {'jobs':>5} {'wall s':>7} {'CPU s':>7} {'CPU s per trial and round':>26}")
    for batch_size, predictor in ((1, "last-value"), ("auto", "last-value"), ("auto", "svr")):
        with tempfile.TemporaryDirectory() as name:
            folder = project(Path(name), options.max_epochs, options.eta, batch_size, predictor)
            work = sum(round_.trials for round_ in load(folder / "config/config.yaml").schedule().rounds)
            cpu, wall, printed = cost(folder, "snakemake", "--cores", options.cores, "best")
            jobs = printed.count("Finished jobid")
            case = f"search, R={options.max_epochs} eta={options.eta}, batch size {batch_size}, {predictor}"
            print(f"{case:48} {jobs:5} {wall:7.1f} {cpu:7.1f} {cpu / work:26.3f}", flush=True)
            cpu, wall, printed = cost(folder, "snakemake", "--cores", options.cores, "best")
            assert "Nothing to be done" in printed
            print(f"{'  the same again, nothing to do':48} {0:5} {wall:7.1f} {cpu:7.1f}", flush=True)
    if options.skip_dry_runs:
        return
    for max_epochs in (81, 729):
        for batch_size in (1, "auto"):
            with tempfile.TemporaryDirectory() as name:
                folder = project(Path(name), max_epochs, 3, batch_size)
                cpu, wall, printed = cost(folder, "snakemake", "-n", "--quiet", "rules")
                total = printed.rsplit("total", 1)[1].split()[0]
                case = f"dry run, R={max_epochs} eta=3, batch size {batch_size}"
                print(f"{case:48} {total:>5} {wall:7.1f} {cpu:7.1f}", flush=True)


if __name__ == "__main__":
    main()

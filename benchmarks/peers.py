"""Whole searches per second that this project and its peers replay on one table of published learning curves.

    python benchmarks/peers.py --curves DIR --environments DIR2 --install    # first makes missing environments
    python benchmarks/peers.py --curves DIR --environments DIR2 [--seeds 5] [--peers optuna,smac]

DIR holds mlpf_delphes/delphes_trainings_processed.csv, from github.com/erwulff/performance-pred. All search its rows
(except the one with the worst end, as its authors do) at R = 81, eta = 3, on the losses of the first 81 epochs; a
configuration is a row drawn at random, by the peer's own means. Each peer has a driver in benchmarks/peers, which
names the versions that it needs, and a virtual environment DIR2/PEER with those alone. They are pinned for Python 3.11
and take 1.9 GB.

Every search runs in a process of its own, on one thread. The comparison is of the CPU seconds of that process and its
children, without imports and without a first replay. Each replays --seeds seeds, and more until --cpu-seconds have
passed. In the table

    ours is   how many times as fast the first line is, this project's Hyperband
    loss      is the mean over the seeds of the best loss at the last epoch
    import s  are CPU seconds from the start of Python until the peer is imported
    counts    if a paused training is promoted, it "continues" where it ended, or it "restarts" and its epochs are
              counted again; a peer that "stops" trainings never promotes them later

Peers without Hyperband itself are measured with their nearest algorithm, which trains more epochs or fewer.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

import numpy as np
from saved_epochs import tables

DRIVERS = Path(__file__).with_suffix("")
OWN = "swift_hyperband"
PEERS = ["syne_tune", "syne_tune_sync", "optuna", "smac", "dehb"]
MAX_EPOCHS = 81
ONE_THREAD = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"], "1")


def pins(driver: Path) -> list[str]:
    """Return the packages that a driver names in its inline metadata (PEP 723)."""
    block = re.search(r"^# /// script\n(.*?)^# ///$", driver.read_text(), re.DOTALL | re.MULTILINE)
    assert block is not None, f"{driver} names no packages"
    return tomllib.loads(re.sub(r"^# ?", "", block[1], flags=re.MULTILINE))["dependencies"]


def searches(driver: Path) -> list[str]:
    """Return the names of a driver's searches without importing the peer."""
    for statement in ast.parse(driver.read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "SEARCHES":
            return list(ast.literal_eval(statement.value))
    raise AssertionError(f"{driver} names no searches")


def install(folder: Path, driver: Path) -> None:
    """Make an environment with exactly the packages of a driver, unless it exists."""
    if (folder / "installed").exists():
        return
    print(f"installing {driver.stem} in {folder}", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, *pins(driver)], check=True)
    (folder / "installed").touch()


def measure(python: str, driver: Path, search: str, table: Path, options: argparse.Namespace) -> dict | str:
    """Measure a search in a process and an empty folder of its own; return its result, or why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        # -P: drivers are named like the packages that they import
        command = [python, "-P", DRIVERS / "measure.py", driver, search, table, options.seeds, options.cpu_seconds]
        try:
            done = subprocess.run(
                [str(word) for word in command],
                cwd=folder,
                env=os.environ | ONE_THREAD | {"HOME": folder},
                capture_output=True,
                text=True,
                timeout=options.timeout,
            )
        except subprocess.TimeoutExpired:
            return f"not done after {options.timeout} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--environments", type=Path, required=True)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=PEERS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cpu-seconds", type=float, default=2)
    parser.add_argument("--timeout", type=float, default=600, help="seconds that one search may take")
    parser.add_argument("--json", type=Path, help="file for all that was measured, one line for each search")
    options = parser.parse_args()
    if unknown := set(options.peers) - set(PEERS):
        parser.error(f"--peers must be of {','.join(PEERS)}, not {','.join(unknown)}")
    folders = {peer: options.environments.resolve() / peer for peer in options.peers}
    for peer, folder in folders.items():
        if options.install:
            install(folder, DRIVERS / f"{peer}.py")
        elif not (folder / "installed").exists():
            parser.error(f"{folder} is not there; --install makes it")
    found = [table.curves for table, _ in tables(options.curves) if table.name == "MLPF"]
    if not found:
        parser.error("--curves must hold the table of MLPF")
    pythons = {OWN: sys.executable} | {peer: str(folder / "bin" / "python") for peer, folder in folders.items()}
    results = []
    with tempfile.TemporaryDirectory() as folder_:
        table = Path(folder_) / "table.npy"
        np.save(table, found[0][:, :MAX_EPOCHS])
        print_line(
            "peer", "version", "search", "runs/s", "ours is", "seeds", "epochs", "loss", "import s", "MB", "counts"
        )
        for peer, python in pythons.items():
            driver = DRIVERS / f"{peer}.py"
            for search in searches(driver):
                result = measure(python, driver, search, table, options)
                if isinstance(result, str):
                    print(f"{peer}, {search}: {result}", flush=True)
                    continue
                results.append(result)
                print_line(
                    result["peer"],
                    result["version"],
                    result["search"],
                    f"{result['runs_per_s']:.4g}",
                    f"{results[0]['runs_per_s'] / result['runs_per_s']:.4g} x",
                    result["seeds"],
                    f"{result['epochs_mean']:.0f}",
                    f"{result['best_mean']:.2f}",
                    f"{result['import_cpu_s']:.2f}",
                    f"{result['max_rss_mb']:.0f}",
                    result["counts"],
                )
    if options.json:
        options.json.write_text("".join(json.dumps(result) + "\n" for result in results))


def print_line(*cells: object) -> None:
    widths = [-15, -8, -26, 8, 9, 6, 6, 7, 9, 5, -9]
    texts = [f"{cell!s:{'<' if width < 0 else '>'}{abs(width)}}" for cell, width in zip(cells, widths, strict=True)]
    print(" ".join(texts).rstrip(), flush=True)


if __name__ == "__main__":
    main()

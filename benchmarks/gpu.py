"""The checks of benchmarks/gpu.sh, each with the project's own commands in a folder of its own."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
NO_GPU = 77
REHEARSES = "--rehearse" in sys.argv
LEFT = 64 * 2**20
"""Bytes of a GPU's memory by which a search may change what others use meanwhile."""
KERNELS_ALIKE = 1.1
"""bfloat16 must be faster than float32 by so much on a wide network."""

ASK = """
import json, torch
if not torch.cuda.is_available():
    raise SystemExit(3)
free, total = torch.cuda.mem_get_info()
print(json.dumps({"name": torch.cuda.get_device_name(), "count": torch.cuda.device_count(), "free": free,
                  "total": total, "cuda": torch.version.cuda or torch.version.hip, "torch": torch.__version__}))
"""

DIGITS = {"name": "digits-cnn", "metric": "accuracy", "mode": "max"}
SPACE = {"learning_rate": {"type": "float", "low": 1e-3, "high": 0.3, "log": True}}
passed: list[bool] = []


def main() -> int:
    """Run all checks; return the exit code."""
    device = ask()
    if device is None and not REHEARSES:
        print("no GPU: torch sees none, so nothing was checked")
        return NO_GPU
    device = device or {"name": "a rehearsal on the CPU", "count": 1, "free": 0, "total": 0, "cuda": None, "torch": "?"}
    tell("device", True, f"{device['count']} x {device['name']}, torch {device['torch']}, CUDA {device['cuda']}")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        checks = [resumes, precisions, side_by_side, workers, killed]
        wanted = [check for check in checks if check.__name__ in sys.argv]
        for check in wanted or checks:
            folder = Path(name) / check.__name__
            folder.mkdir()
            try:
                check(folder)
            except subprocess.CalledProcessError as error:
                tell(check.__name__, False, f"{' '.join(map(str, error.cmd))}: {(error.stdout + error.stderr)[-2000:]}")
    if not REHEARSES:
        after = ask() or {"free": 0}
        lost = device["free"] - after["free"]
        tell("memory", abs(lost) < LEFT, f"{lost / 2**20:.0f} MiB more are taken than before")
    tell("in all", all(passed), f"{sum(passed)} of {len(passed)} passed in {time.monotonic() - begun:.0f} s")
    return 0 if all(passed) else 1


def ask() -> dict[str, Any] | None:
    """Return what torch says of the GPUs, in a process of its own; None if it sees none."""
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def tell(what: str, ok: bool, line: str) -> None:
    """Print what was found, and remember whether it is as it must be."""
    passed.append(ok)
    print(f"{'pass' if ok else 'FAIL'}  {what:14} {line}", flush=True)


def resumes(folder: Path) -> None:
    """Check that two epochs in one go and in two give the same bits, in each precision."""
    for precision in ("float32", "bfloat16") if REHEARSES else ("float32", "bfloat16", "float16"):
        study(folder, wide(precision), algorithm="random", trials=1, max_epochs=3)
        done = command(folder, "check-target", check=False)
        said = last(done.stdout + done.stderr).partition(";")[0]
        tell("resume", done.returncode == 0, f"{precision}: the same bits in one go and in two; {said}")


def precisions(folder: Path) -> None:
    """Check that a wide network trains faster with less precision."""
    took = {}
    for precision in ("float32", "bfloat16"):
        here = folder / precision
        here.mkdir()
        study(here, wide(precision), algorithm="random", trials=1, max_epochs=4)
        command(here, "search")
        rows = [row for rows in curves(here).values() for row in rows]
        assert all(math.isfinite(row["loss"]) for row in rows)
        # the first epoch compiles and tunes
        took[precision] = statistics.median(row["seconds"] for row in rows[1:])
    ratio = took["float32"] / took["bfloat16"]
    line = ", ".join(f"{name} {1000 * seconds:.1f} ms an epoch" for name, seconds in took.items())
    tell("precision", REHEARSES or ratio > KERNELS_ALIKE, f"{line}: {ratio:.2f} times as fast")


def side_by_side(folder: Path) -> None:
    """Check that trials which share a GPU have the curves that they have alone."""
    found, took = {}, {}
    for number in (1, 4):
        here = folder / str(number)
        here.mkdir()
        study(here, DIGITS, algorithm="random", trials=8, max_epochs=3, side_by_side=number, workers=1)
        begun = time.monotonic()
        command(here, "search")
        took[number] = time.monotonic() - begun
        found[number] = values(here, "accuracy")
    same = found[1] == found[4]
    ratio = took[1] / took[4]
    tell(
        "side by side",
        same,
        f"8 trials: {took[1]:.1f} s alone, {took[4]:.1f} s four at a time ({ratio:.2f}), same curves",
    )


def workers(folder: Path) -> None:
    """Check that workers find what rounds find, share GPUs out, and lose no GPU from training to training."""
    best, took = {}, {}
    for execution in ("rounds", "workers"):
        here = folder / execution
        here.mkdir()
        study(here, DIGITS, algorithm="swift-hyperband", max_epochs=9, execution=execution, workers=2)
        begun = time.monotonic()
        command(here, "run", "--cores", "2", "best")
        took[execution] = time.monotonic() - begun
        best[execution] = yaml.safe_load((here / "results/gpu/best.yaml").read_text())
    same = best["rounds"]["configuration"] == best["workers"]["configuration"]
    same = same and best["rounds"]["value"] == best["workers"]["value"]
    ratio = took["workers"] / took["rounds"]
    tell(
        "workers",
        same,
        f"rounds {took['rounds']:.1f} s, workers {took['workers']:.1f} s ({ratio:.2f}), same best trial",
    )
    place = folder / "workers/results/gpu"
    given = [json.loads(path.read_text())["gpu"] for path in sorted(place.glob("workers/*/worker.json"))]
    count = (ask() or {"count": 1})["count"]
    tell("dealt out", count == 1 or len(set(given)) == len(given), f"{count} GPUs, given to workers: {given}")
    costs = start_costs(folder / "workers")
    line = f"{len(costs)} trainings, {statistics.median(costs):.2f} s each beside their epochs (fork, CUDA, states)"
    # a context that is never given back would make each training slower, and end in an error
    first, second = costs[: len(costs) // 2], costs[len(costs) // 2 :]
    tell("context", statistics.median(second) < 2 * statistics.median(first) + 0.5, line)


def start_costs(folder: Path) -> list[float]:
    """Return how long each training took beside its epochs, in seconds, in the order of their begin."""
    found = []
    rows = {trial: {row["epoch"]: row["seconds"] for row in rows} for trial, rows in curves(folder).items()}
    for path in folder.glob("results/gpu/workers/*/events.jsonl"):
        begun: dict[str, float] = {}
        done: dict[str, int] = {}
        for event in map(json.loads, path.read_text().splitlines()):
            if event["what"] == "began":
                begun[event["trial"]] = event["time"]
            elif event["what"] == "trained" and event["trial"] in begun:
                trial, since = event["trial"], begun.pop(event["trial"])
                trained = range(done.get(trial, 0) + 1, event["epochs"] + 1)
                done[trial] = event["epochs"]
                found.append((since, event["time"] - since - sum(rows[trial].get(epoch, 0.0) for epoch in trained)))
    return [max(0.0, cost) for _, cost in sorted(found)]


def killed(folder: Path) -> None:
    """Check that a search that is killed in the middle of an epoch ends with the bits of one that was not."""
    whole, cut = folder / "whole", folder / "cut"
    for here in (whole, cut):
        here.mkdir()
        study(here, DIGITS, algorithm="hyperband", max_epochs=9, execution="workers", workers=2, brackets=[1])
    command(whole, "search")
    process = start(cut, "search")
    while not list(cut.glob("results/gpu/trials/*/curve.jsonl")) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    at = sum(map(len, curves(cut).values()))
    command(cut, "search")
    same = values(whole, "accuracy") == values(cut, "accuracy")
    tell(
        "killed",
        same,
        f"after {at} of {sum(map(len, curves(cut).values()))} epochs, resumed: the same curves, bit for bit",
    )


def wide(precision: str) -> dict[str, Any]:
    """Return the target of a wide network."""
    options = {"precision": precision, "width": 64 if REHEARSES else 4096}
    name = f"{ROOT / 'benchmarks/gpu_target.py'}:Wide"
    return {"name": name, "metric": "loss", "mode": "min", "options": options}


def study(folder: Path, target: dict[str, Any], **keys: Any) -> None:
    """Make a project folder with a study."""
    for name in ("workflow", "rules", "profiles", "envs"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    resources = {name: keys.pop(name) for name in ("workers", "side_by_side") if name in keys}
    content = {"name": "gpu", "target": target, "space": SPACE, "execution": keys.pop("execution", "rounds")}
    content["resources"] = resources | {"gpus": 0 if REHEARSES else 1}
    if keys["algorithm"] == "swift-hyperband":
        content["swift"] = {"d": 3}
    content["search"] = {"seed": 1, "eta": 3} | keys
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config/config.yaml").write_text(yaml.safe_dump(content))
    shutil.rmtree(folder / "results", ignore_errors=True)


def command(folder: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command of the project's to its end."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "swift_hyperband", *words], cwd=folder, capture_output=True, text=True, check=check
    )


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start a command of the project's in a process group of its own."""
    nothing = subprocess.DEVNULL
    line = [sys.executable, "-P", "-m", "swift_hyperband", *words]
    return subprocess.Popen(line, cwd=folder, stdout=nothing, stderr=nothing, start_new_session=True)


def curves(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each trial's curve."""
    paths = folder.glob("results/gpu/trials/*/curve.jsonl")
    return {path.parent.name: [json.loads(line) for line in path.read_text().splitlines()] for path in paths}


def values(folder: Path, metric: str) -> dict[str, list[float]]:
    """Return the values of a metric of each trial."""
    return {trial: [row[metric] for row in rows] for trial, rows in curves(folder).items()}


def last(text: str) -> str:
    """Return the last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


if __name__ == "__main__":
    sys.exit(main())

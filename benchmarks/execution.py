"""The same search by rounds and by workers: wall and CPU seconds, and a picture of who trained when.

    python benchmarks/execution.py [--study config/config.yaml] [--turns 3] [--other OTHER] [--picture FILE.png]

Each is a whole `swift-hyperband run` in a folder of its own, with the report, one after the other; `--turns` repeats
both. CPU seconds are those of all processes, also of those that outlive their parents. OTHER is another checkout with
its own environment, such as a build before workers, whose run by its study's default execution is measured beside them.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch

from swift_hyperband.report import style
from swift_hyperband.results import jobs, workers
from swift_hyperband.results.layout import StudyFolder

ROOT = Path(__file__).parents[1]
TITLES = {
    "rounds": "execution: rounds, a job for each batch of trainings",
    "workers": "execution: workers, jobs that stay",
}


@dataclass(frozen=True)
class Cost:
    """What a run took, in seconds; its best trial; and where its results lie."""

    wall: float
    cpu: float
    best: dict[str, Any]
    folder: StudyFolder


def project(folder: Path, checkout: Path, study: dict[str, Any], execution: str | None) -> None:
    """Make a folder with a checkout's workflow and a study."""
    for name in ("workflow", "rules", "profiles", "envs", "examples"):
        (folder / name).symlink_to(checkout / name)
    (folder / "config").mkdir()
    keys = {key: value for key, value in study.items() if key not in ("execution", "speculate")}
    if execution is not None:
        keys["execution"] = execution
    (folder / "config/config.yaml").write_text(yaml.safe_dump(keys))


def cost(folder: Path, binaries: Path, cores: int, study: str) -> Cost:
    """Run the search of a folder to its end."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [str(binaries / "swift-hyperband"), "run", "--cores", str(cores)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    wall = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{folder}: {done.stdout}{done.stderr}")
    with suppress(ChildProcessError):
        # processes whose parents ended before them
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = StudyFolder(folder / "results" / study)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, yaml.safe_load(found.best.read_text()), found)


Bar = tuple[float, float]


def rows(folder: StudyFolder) -> list[tuple[list[Bar], list[tuple[float, float, int]]]]:
    """Return for each job slot, from top to bottom, when a job ran there and when it trained which bracket's trials."""
    trained = sorted(epochs(folder))
    starts = jobs.read(folder.path)
    found: list[tuple[list[Bar], list[tuple[float, float, int]]]] = []
    spells = {worker.name: worker.spells for worker in workers.read(folder)}
    for job in starts:
        # the first slot that is free
        slot = next((slot for slot in found if slot[0][-1][1] <= job.started + 0.05), None)
        if slot is None:
            found.append(slot := ([], []))
        slot[0].append((job.started, job.ended))
        if job.part == jobs.WORKER:
            mine = {(spell.trial, spell.epochs) for spell in spells.get(job.batch, ())}
            spans = [(spell.began, spell.ended or job.ended) for spell in spells.get(job.batch, ())]
            inside = [one for one in trained if one[2] in {trial for trial, _ in mine} and _within(one, spans)]
        else:
            batch = json.loads(
                (folder.path / f"bracket={job.bracket}/round={job.round}/{job.part}/{job.batch}.json").read_text()
            )
            inside = [one for one in trained if one[2] in batch["trials"] and _within(one, [(job.started, job.ended)])]
        slot[1].extend((begin, end, bracket) for begin, end, _, bracket in inside)
    return found


def _within(one: tuple[float, float, str, int], spans: list[Bar]) -> bool:
    return any(begin - 0.01 <= one[0] <= end for begin, end in spans)


def epochs(folder: StudyFolder) -> Iterator[tuple[float, float, str, int]]:
    """Yield each trained epoch: begin, end, trial and bracket."""
    for place in folder.trials():
        bracket = json.loads((place / "config.json").read_text())["bracket"]
        begun: dict[int, float] = {}
        with suppress(FileNotFoundError):
            for line in (place / "started.jsonl").read_text().splitlines():
                row = json.loads(line)
                begun[row["epoch"]] = row["time"]
        with suppress(FileNotFoundError):
            for line in (place / "curve.jsonl").read_text().splitlines():
                row = json.loads(line)
                begin = begun[row["epoch"]]
                yield begin, begin + row["seconds"], place.name, bracket


def draw(costs: dict[str, Cost], file: Path) -> None:
    """Draw who trained when, below each other on one axis of time."""
    slots = {name: rows(found.folder) for name, found in costs.items()}
    brackets = sorted({bar[2] for each in slots.values() for slot in each for bar in slot[1]}, reverse=True)
    hues = dict(zip(brackets, style.hues(len(brackets)), strict=True))
    with style.style():
        picture = style.figure(0.9 + sum(0.55 + 0.3 * len(each) for each in slots.values()))
        axes = picture.subplots(len(slots), 1, sharex=True, height_ratios=[len(each) for each in slots.values()])
        longest = max(found.wall for found in costs.values())
        for ax, (name, each) in zip(axes, slots.items(), strict=True):
            begin = min(bar[0] for slot in each for bar in slot[0])
            # the run begins before its first job
            shift = max(0.0, costs[name].wall - (max(bar[1] for slot in each for bar in slot[0]) - begin)) / 2
            for row, (ran, trained) in enumerate(each, 1):
                boxes = [_box(row, 0.4, start - begin + shift, end - begin + shift) for start, end in ran]
                ax.add_collection(PolyCollection(boxes, facecolors=style.LIGHT, edgecolors="white", linewidths=0.5))
                for bracket, hue in hues.items():
                    inner = [
                        _box(row, 0.4, a - begin + shift, b - begin + shift) for a, b, of in trained if of == bracket
                    ]
                    if inner:
                        ax.add_collection(PolyCollection(inner, facecolors=hue, edgecolors="none"))
            ax.axvline(costs[name].wall, color=style.DARK, lw=1)
            ax.set(xlim=(0, 1.02 * longest), ylim=(len(each) + 0.6, 0.4), yticks=range(1, len(each) + 1))
            ax.set_ylabel("worker" if name == "workers" else "slot")
            ax.set_title(f"{TITLES[name]}: {costs[name].wall:.0f} s, {costs[name].cpu:.0f} CPU s", loc="left")
            ax.grid(axis="x")
        axes[-1].set_xlabel("seconds since the start of the run")
        handles = [Patch(facecolor=hue, label=f"bracket {bracket}") for bracket, hue in hues.items()]
        handles.append(Patch(facecolor=style.LIGHT, label="a job that does not train"))
        picture.legend(handles=handles, loc="outside lower center", ncols=3)
        style.save(picture, file)


def _box(row: int, half: float, begin: float, end: float) -> list[tuple[float, float]]:
    return [(begin, row - half), (begin, row + half), (end, row + half), (end, row - half)]


def main() -> None:
    """Measure, print, and draw if a picture is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, default=ROOT / "config/config.yaml")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--other", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    if sys.platform == "linux":
        set_child_subreaper = 36
        ctypes.CDLL(None).prctl(set_child_subreaper, 1)
    study = yaml.safe_load(options.study.read_text())
    cases: list[tuple[str, Path, str | None]] = [("rounds", ROOT, "rounds"), ("workers", ROOT, "workers")]
    if options.other is not None:
        cases.insert(0, ("other", options.other.resolve(), None))
    found: dict[str, list[Cost]] = {name: [] for name, _, _ in cases}
    with tempfile.TemporaryDirectory() as name:
        for turn in range(options.turns):
            for case, checkout, execution in cases:
                folder = Path(name) / f"{case}-{turn}"
                folder.mkdir()
                project(folder, checkout, study, execution)
                binaries = Path(sys.executable).parent if checkout == ROOT else checkout / ".venv/bin"
                took = cost(folder, binaries, options.cores, study["name"])
                found[case].append(took)
                print(
                    f"{case:8} {took.wall:7.1f} s wall {took.cpu:7.1f} s CPU   best {took.best['value']:.6g}",
                    flush=True,
                )
        bests = {str(sorted(one.best["configuration"].items())) for each in found.values() for one in each}
        print("the same best configuration" if len(bests) == 1 else f"DIFFERENT: {bests}")
        for case in found:
            if case != "workers":
                walls, cpus = ([getattr(one, what) for one in found[case]] for what in ("wall", "cpu"))
                mine = [[getattr(one, what) for one in found["workers"]] for what in ("wall", "cpu")]
                print(f"workers / {case}: wall {sum(mine[0]) / sum(walls):.2f}, CPU {sum(mine[1]) / sum(cpus):.2f}")
        if options.picture is not None:
            draw({case: found[case][-1] for case in ("rounds", "workers")}, options.picture)
    if len(bests) > 1:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""How long `snakemake compare` takes here and in another checkout, and whether both make the same rows.

    python benchmarks/compare_speed.py OTHER --curves DIR [--seeds 100] [--tables MLPF digits] [--cores 2]

OTHER is a checkout of another version with a virtual environment in .venv, as here. Both run the comparison of their
config/compare.yaml from nothing, one after another, each in an empty folder. Printed are seconds of CPU and on the
clock, and the ratio other / here. CPU seconds are those of all processes: they depend little on who else uses the
machine. Rows must be equal but for `cpu_s`. With fewer seeds the start of jobs counts for more. One table and ten seeds
take a few minutes.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet
import yaml

PARTS = ("config", "examples", "rules", "workflow", "envs", "profiles")


def run(checkout: Path, folder: Path, options: argparse.Namespace) -> tuple[float, float]:
    """Run the comparison of a checkout in a folder; return seconds of CPU and on the clock."""
    for name in PARTS:
        shutil.copytree(checkout / name, folder / name)
    (folder / "curves").symlink_to(options.curves.resolve())
    file = folder / "config/compare.yaml"
    keys = yaml.safe_load(file.read_text())
    keys["seeds"] = options.seeds
    # in the proportion of the file: with fewer seeds alone they would take most of the time
    keys["predictions"]["splits"] = -(-options.seeds // 2)
    if options.tables:
        keys["tables"] = [table for table in keys["tables"] if table["name"] in options.tables]
    file.write_text(yaml.safe_dump(keys, sort_keys=False))
    start, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [checkout / ".venv/bin/snakemake", "compare", "--cores", str(options.cores), "--quiet", "all"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(command, cwd=folder, env=environment, check=True)
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime, time.monotonic() - began


def rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of a comparison by file, without CPU times."""
    found = {}
    for path in sorted(folder.glob("results/compare/*/*/*.parquet")):
        table = pyarrow.parquet.read_table(path).to_pylist()
        found[f"{path.parent.name}/{path.stem}"] = [{**row, "cpu_s": None} for row in table]
    return found


def main() -> None:
    """Run both and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--tables", nargs="+", metavar="NAME", help="only these (default: all)")
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    checkouts = {"other": options.other.resolve(), "here": Path(__file__).resolve().parents[1]}
    times, found = {}, {}
    for name, checkout in checkouts.items():
        with tempfile.TemporaryDirectory() as folder:
            times[name] = run(checkout, Path(folder), options)
            found[name] = rows(Path(folder))
        print(f"{name:6} {times[name][0]:8.1f} s of CPU {times[name][1]:8.1f} s on the clock", flush=True)
    ratios = [other / here for other, here in zip(times["other"], times["here"], strict=True)]
    print(f"ratio  {ratios[0]:8.2f}          {ratios[1]:8.2f}")
    unlike = [name for name in found["here"] | found["other"] if found["here"].get(name) != found["other"].get(name)]
    print("rows are equal" if not unlike else f"rows differ: {', '.join(unlike)}")


if __name__ == "__main__":
    main()

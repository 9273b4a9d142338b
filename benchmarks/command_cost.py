"""What starting a command costs: CPU seconds of Python and its imports, beside another build.

    python benchmarks/command_cost.py [--other ../other/.venv/bin/swift-hyperband] [--repeats 10]

Commands of both builds take turns, so that a busy machine slows both down. The median counts. Before that each runs
once, so that Python's byte code is on the disk, as it is for users.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

COMMANDS = (["--help"], ["plan"], ["plan", "--json"], ["status"], ["job", "--help"], ["job", "best", "none/best.yaml"])


def cpu(program: Path, words: list[str]) -> float:
    """Return the CPU seconds of one run of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # some of them end with an error, which costs as much as the beginning of a job
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([program, *words], capture_output=True, check=False, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--other", type=Path, help="the command of another build, to compare with")
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    programs = [Path(sys.executable).with_name("swift-hyperband"), *filter(None, [options.other])]
    for words in COMMANDS:
        for program in programs:
            cpu(program, words)
        found = [[cpu(program, words) for program in programs] for _ in range(options.repeats)]
        seconds = [median(times) for times in zip(*found, strict=True)]
        ratio = f"  {seconds[0] / seconds[1]:.2f} of the other's {seconds[1]:.3f}" if len(seconds) > 1 else ""
        print(f"{' '.join(words):24} {seconds[0]:.3f} CPU s{ratio}", flush=True)


if __name__ == "__main__":
    main()

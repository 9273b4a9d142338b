"""A folder in which a study over recorded curves can be run as a user runs it: real Snakemake, real jobs, no torch."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import forked
import psutil
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
ROWS, EPOCHS = 120, 27


@dataclass
class Project:
    """A project folder with the repository's workflow and a study `config/config.yaml` over recorded curves."""

    path: Path
    variables: dict[str, str] = field(default_factory=dict)
    timeout: float = 900
    """Seconds after which a command is taken to hang, on however busy a machine."""
    modules: tuple[str, ...] = forked.COMMANDS
    """What the processes of commands have imported."""
    name: str = "table"
    """That of the study."""

    @classmethod
    def create(cls, path):
        """Put the workflow, 120 noisy power-law curves as table.csv, and a study into a folder."""
        for name in ["workflow", "rules", "profiles", "envs"]:
            (path / name).symlink_to(ROOT / name)
        draw = random.Random(0)
        lines = ["row,epoch,loss"]
        for row in range(ROWS):
            end, start, speed = draw.uniform(0.1, 0.6), draw.uniform(0.5, 2.0), draw.uniform(0.3, 1.5)
            lines += [
                f"{row},{epoch},{end + start * epoch**-speed + draw.gauss(0, 0.01)}" for epoch in range(1, EPOCHS + 1)
            ]
        (path / "table.csv").write_text("\n".join(lines) + "\n")
        found = cls(path)
        found.study()
        return found

    def study(self, **keys):
        """Write the study file; keys such as search__seed=3 replace single values.

        Three brackets of 9 epochs at most: 69 epochs as Hyperband, in six rounds, two of them with a decision.
        """
        content = {
            "name": "table",
            "target": {
                "name": "curve-table",
                "metric": "loss",
                "mode": "min",
                "options": {"table": "table.csv"},
            },
            "space": {"row": {"type": "int", "low": 0, "high": ROWS - 1}},
            "search": {"algorithm": "swift-hyperband", "max_epochs": 9, "eta": 3, "seed": 1},
            "swift": {"d": 3, "thaw": 0.0},
            "predictor": {"name": "last-value", "fewest_curves": 3},
            "resources": {"workers": 1},
        }
        for key, value in keys.items():
            *sections, last = key.split("__")
            place = content
            for section in sections:
                place = place.setdefault(section, {})
            place[last] = value
        self.name = content["name"]
        (self.path / "config").mkdir(exist_ok=True)
        (self.path / "config/config.yaml").write_text(yaml.safe_dump(content))

    def command(self, *arguments):
        return [str(BIN / arguments[0]), *map(str, arguments[1:])]

    def start(self, *arguments):
        """Start a command in a process group of its own; what it prints goes to a file, which outlives it."""
        # appended to: another one that still runs may print there, too
        (self.path / "printed.txt").write_text("")
        with (self.path / "printed.txt").open("a") as printed:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=self.path,
                env=environment() | self.variables,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # a shell that runs the tests in the background makes everything below it deaf to Ctrl-C
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )

    def printed(self):
        return (self.path / "printed.txt").read_text()

    def run(self, *arguments, check=True):
        """Run a command to its end; return what it printed."""
        code, printed = self.code(*arguments), self.printed()
        assert (code == 0) == check, printed
        return printed

    def code(self, *arguments):
        """Run a command to its end; return its exit code."""
        variables, printed = environment() | self.variables, self.path / "printed.txt"
        code = forked.run(
            self.command(*arguments), self.path, variables, printed, modules=self.modules, timeout=self.timeout
        )
        assert code is not None, f"not through within {self.timeout} s\n{self.waits_for()}"
        return code

    def waits_for(self):
        """Return what tells why a command does not end."""
        return self.printed()

    def search(self, *arguments, check=True):
        return self.run("swift-hyperband", "run", "--cores", "2", "best", *arguments, check=check)

    @property
    def results(self):
        return self.path / "results" / self.name

    def best(self):
        return (self.results / "best.yaml").read_bytes()

    def decisions(self, folder=None):
        """Return what was decided in every round, without what differs from run to run."""
        found, folder = {}, folder or self.results
        for name in ["decision", "promotion"]:
            for path in folder.glob(f"bracket=*/round=*/{name}.json"):
                content = json.loads(path.read_text())
                found[str(path.relative_to(folder))] = {
                    key: value for key, value in content.items() if key not in ("inputs", "time")
                }
        return found

    def trains(self):
        """Return whether a trial has a first epoch behind it."""
        return any(self.results.glob("trials/*/curve.jsonl"))

    def epochs_started(self, folder=None):
        """Return how often each epoch of each trial was started."""
        return Counter(
            (path.parent.name, json.loads(line)["epoch"])
            for path in (folder or self.results).glob("trials/*/started.jsonl")
            for line in path.read_text().splitlines()
        )


def at_work(folder):
    """Return the processes at work in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_for(condition, process, seconds=240):
    """Wait until something holds; fail where the process ends before. The limit is for a machine that hangs."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "ended too early"
        assert time.monotonic() < end, "waited for in vain"
        time.sleep(0.01)


def environment():
    """Return the environment of a user who did not activate the virtual environment."""
    names = ["HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"]
    # of `make coverage`
    names += ["COVERAGE_PROCESS_CONFIG"]
    kept = {name: os.environ[name] for name in names if name in os.environ}
    elsewhere = [path for path in os.environ["PATH"].split(":") if Path(path) != BIN]
    return {**kept, "PATH": ":".join(elsewhere)}

"""A folder with commands that stand in for SLURM's: the queue is a file."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import forked
import yaml

from swift_hyperband.slurm import queue as slurm

ROOT = Path(__file__).parents[2]
NUMBER = "3ccec161-e7e3-4e8b-ad8b-623383e5eece"

# the queue is a file; where there are several, each look takes one away and shows the next
SQUEUE = """#!/bin/sh
echo "$@" >> asked
[ -e broken ] && { echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1; }
cat queue
[ -e queue.next ] && mv queue.next queue
exit 0
"""
SCANCEL = """#!/bin/sh
echo "$@" >> cancelled
: > queue.next
"""


def job(number, state="RUNNING", study="table", folder=None, prefix=None, comment=""):
    name = f"{prefix or slurm.job_prefix(study)}_{NUMBER}"
    return f"{number}|{name}|{state}|0:12|n1|{comment}|{folder or Path.cwd()}"


def make(tmp_path, monkeypatch):
    """Make a folder with a study that runs on SLURM, and commands that stand in for SLURM's; return the folder."""
    monkeypatch.chdir(tmp_path)
    Path("profiles").symlink_to(ROOT / "profiles")
    # a workflow that has nothing to do: what is tested here comes before
    Path("workflow").mkdir()
    Path("workflow/Snakefile").write_text("rule all:\n    input:\n        'queue',\n")
    Path("config").mkdir()
    study = {
        "name": "table",
        "target": {"name": "curve-table", "metric": "loss", "mode": "min", "options": {"table": "table.csv"}},
        "space": {"row": {"type": "int", "low": 0, "high": 9}},
        "search": {"algorithm": "hyperband", "max_epochs": 9, "eta": 3, "seed": 1},
    }
    Path("config/config.yaml").write_text(yaml.safe_dump(study))
    Path("bin").mkdir()
    for name, script in {"squeue": SQUEUE, "scancel": SCANCEL}.items():
        Path("bin", name).write_text(script)
        Path("bin", name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    Path("queue").write_text("")
    return tmp_path


def jobs():
    return slurm.jobs("table", pauses=())


HERE = [str(Path(sys.executable).with_name("swift-hyperband")), "run"]
OWN = ["--snakefile", "workflow/Snakefile"]
COMMAND = [*HERE, "--profile", "profiles/slurm"]


def run(*options, command=COMMAND):
    return forked.here(*command, *options, *OWN)


def start(*options):
    return subprocess.Popen(
        [*COMMAND, *options, *OWN],
        stderr=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
        # a shell that runs the tests in the background makes everything below it deaf to Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def on_terminal(answer, *options):
    """Run the command on a terminal, and give an answer there; return exit code and all that is seen there."""
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *options, *OWN], stdin=inside, stdout=inside, stderr=inside, start_new_session=True
    )
    os.close(inside)
    seen = ""
    while True:
        try:
            seen += os.read(terminal, 1000).decode()
        except OSError:
            # nobody is left on the other side
            break
        if answer and "[w/c/q]" in seen:
            os.write(terminal, answer.encode() + b"\n")
            answer = None
    os.close(terminal)
    return process.wait(timeout=30), seen

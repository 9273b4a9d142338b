"""A SLURM cluster, and project folders whose searches run on it. `make test-slurm` runs these tests."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def load(path):
    """Load a module of the tests, which are no package."""
    spec = importlib.util.spec_from_file_location(f"tests_{path.stem}", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).parent
cluster_module = load(HERE / "cluster.py")
project_module = load(HERE.parent / "workflow/project.py")
tail = cluster_module.tail


class SlurmProject(project_module.Project):
    """A project folder whose searches run on the cluster, with the profile that is shipped."""

    process = None

    def command(self, *arguments):
        if arguments[0] == "search on SLURM":
            quick = ("--max-status-checks-per-second", "1")
            run = [sys.executable, HERE / "fastpoll.py", "run", "--profile", "profiles/slurm", *quick, "best"]
            return [*map(str, run), *arguments[1:]]
        return super().command(*arguments)

    def search(self, *arguments, check=True):
        return self.run("search on SLURM", *arguments, check=check)

    def code(self, *arguments):
        # forks of a process with Snakemake run scripts, no programs
        if arguments[0] in ("search on SLURM", sys.executable):
            self.start(*arguments)
            return self.ended()
        return super().code(*arguments)

    def start(self, *arguments):
        self.process = super().start(*arguments)
        return self.process

    def start_search(self, *arguments):
        """Start a search, and return when its first training is at work."""
        self.start("search on SLURM", *arguments)
        self.wait_until(self.training)

    def found(self):
        return self.best(), self.decisions()

    def jobs(self):
        """Return the search's jobs, also those that ended."""
        return [job for job in self.cluster.jobs() if job.folder == str(self.path)]

    def training(self):
        """Return the numbers of the jobs that are training, in their order."""
        found = set()
        for path in self.results.glob("trials/*/lease"):
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                found.add(json.loads(path.read_text())["slurm_job"])
        return sorted(found)

    def wait_until(self, condition, seconds=60):
        """Wait for something to happen while a search runs."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.printed()
            assert time.monotonic() < end, f"nothing of that within {seconds} s\n{self.waits_for()}"
            time.sleep(0.2)

    def ended(self):
        """Wait for the search to end by itself; return its exit code."""
        try:
            return self.process.wait(timeout=self.timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not through within {self.timeout} s\n{self.waits_for()}") from None

    def waits_for(self):
        """Return what tells why a search does not end: the queue, and the ends of all logs."""
        asked = [
            "squeue -a --states=all -o '%i %P %T %r %N %k'",
            "sinfo -N",
            "sacct -X -o jobid,state,nodelist,comment",
        ]
        said = [
            f"$ {command}\n" + subprocess.run(command, shell=True, capture_output=True, text=True).stdout
            for command in asked
        ]
        logs = [*self.path.glob("logs/slurm/**/*.log"), *self.results.glob("bracket=*/round=*/logs/*.log")]
        return "\n".join([*said, tail(self.path / "printed.txt", 60), *(tail(path, 15) for path in sorted(logs))])


SMALL = {
    "search__max_epochs": 9,
    "swift__d": 3,
    "batch_size": 4,
    "resources": {"workers": 3, "gpus": 1, "gpus_required": False, "mem_mb": 600, "runtime": 10},
}


LEG = os.environ.get("TEST_SLURM")
"""1, or accounting for a cluster with slurmdbd; `make test-slurm` runs both."""


@pytest.fixture(scope="session")
def cluster():
    """The cluster; it stays up, for `make test-slurm` takes it down."""
    if LEG is None:
        pytest.skip("'make test-slurm' runs it, as root on Debian 12")
    found = cluster_module.Cluster(accounting=LEG == "accounting")
    if reason := found.why_not():
        pytest.skip(reason)
    found.up()
    return found


@pytest.fixture
def accounting(cluster):
    """The cluster, with slurmdbd."""
    if not cluster.accounting:
        pytest.skip("runs on a cluster with slurmdbd")
    return cluster


@pytest.fixture(scope="session")
def epochs(request):
    """How many epochs were started, and how many of them again, by test; printed at the end."""
    counted = {}
    yield counted
    started, again = (sum(found[index] for found in counted.values()) for index in (0, 1))
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nepochs started again, of those started: {again} of {started}")
        for test, (of, twice) in counted.items():
            print(f"  {twice} of {of}  {test}")


@pytest.fixture
def project(cluster, tmp_path, request, epochs):
    """A small study: 9 epochs at most, on GPUs, three jobs side by side."""
    found = SlurmProject.create(tmp_path)
    found.cluster = cluster
    found.study(**SMALL)
    yield found
    started = found.epochs_started()
    if started:
        epochs[request.node.name] = started.total(), started.total() - len(started)
    if found.process is not None and found.process.poll() is None:
        os.killpg(found.process.pid, signal.SIGKILL)
        found.process.wait()
    cluster.up()
    for job in found.jobs():
        subprocess.run(["scancel", job.id], check=True)


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: waits for a minute, the least time limit that SLURM knows")

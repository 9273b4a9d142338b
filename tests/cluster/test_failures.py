"""What goes wrong on a cluster in the middle of a search: the search ends as if nothing had happened."""

import contextlib
import os
import signal
import subprocess
import time

import pytest

KEYS = {
    "search__max_epochs": 9,
    "swift__d": 3,
    # seven jobs in three stages
    "search__brackets": [1, 0],
    "batch_size": 9,
    "resources": {"workers": 3, "gpus": 1, "gpus_required": False, "mem_mb": 600, "runtime": 10},
}
SPOT = [f"{rule}:slurm_partition=spot" for rule in ("train_full", "train_partial", "train_complete")]
"""A partition whose jobs have to go when those of another one want their place."""


def found_here(project, seconds, **keys):
    """Return what a search finds here, in one process, and make its epochs last."""
    project.study(**keys)
    project.run("swift-hyperband", "search")
    found = project.found()
    project.results.rename(project.path / "undisturbed")
    project.study(**keys, target__options={"table": "table.csv", "seconds": seconds})
    return found


@pytest.fixture
def undisturbed(project):
    """Return what the search finds when nothing goes wrong."""
    return found_here(project, 0.5, **KEYS)


def one_training(project, seconds=0.5, **keys):
    """Let the search be one job of nine epochs; return what it finds when nothing goes wrong."""
    resources = {"workers": 1, "gpus": 1, "gpus_required": False, "mem_mb": 600, "runtime": 10}
    search = {"algorithm": "random", "trials": 1, "max_epochs": 9}
    return found_here(project, seconds, resources=resources, search=search, **keys)


@pytest.fixture
def spot_cancels():
    """Let SLURM end a job that has to go for good, as many clusters do."""
    subprocess.run(["scontrol", "update", "partition=spot", "PreemptMode=CANCEL"], check=True)
    yield
    subprocess.run(["scontrol", "update", "partition=spot", "PreemptMode=REQUEUE"], check=True)


def take_all_gpus():
    other = ["sbatch", "-p", "gpu", "--nodes=3", "--gpus-per-node=1", "-o", "/dev/null", "--wrap", "sleep 3"]
    subprocess.run(other, check=True)


def started_twice(project):
    """Return how many epochs were started more than once."""
    started = project.epochs_started()
    return started.total() - len(started)


def submitted_twice(project):
    """Return how many jobs do what another one does, too."""
    jobs = project.jobs()
    return len(jobs) - len({job.comment for job in jobs})


def test_a_job_that_somebody_cancels_is_submitted_again(project, undisturbed):
    project.start_search()
    cancelled = project.training()[0]
    subprocess.run(["scancel", cancelled], check=True)
    assert project.ended() == 0, project.printed()
    assert project.found() == undisturbed
    assert submitted_twice(project) == 1
    assert started_twice(project) <= 1


def test_jobs_that_a_dead_head_left_in_the_queue_are_not_submitted_again(project):
    undisturbed = one_training(project, seconds=2)
    project.start_search()
    os.kill(project.process.pid, signal.SIGKILL)
    project.process.wait()
    project.search()
    assert project.found() == undisturbed
    assert submitted_twice(project) == 0


def test_a_node_that_is_lost_and_comes_back_costs_its_epoch(project, undisturbed, cluster):
    project.start_search()
    number = project.training()[0]
    job = next(job for job in project.jobs() if job.id == number)
    cluster.lose_node(job.node)
    time.sleep(5)
    cluster.start_node(job.node)
    assert project.ended() == 0, project.printed()
    assert project.found() == undisturbed
    # SLURM itself starts the job again, once more if the node is not quite back
    assert submitted_twice(project) <= 1
    assert started_twice(project) <= 1


def test_an_outage_of_the_controller_is_not_noticed(project, cluster):
    # goes on for longer than the outage: SLURM takes a minute to end a job that is through while it is away
    undisturbed = one_training(project, seconds=3)
    project.start_search()
    cluster.stop_controller()
    # longer than the 10 seconds for which the plugin lets scontrol try
    time.sleep(15)
    cluster.start_controller()
    project.timeout = 45
    assert project.ended() == 0, project.printed()
    assert project.found() == undisturbed
    assert submitted_twice(project) == 0


def test_a_job_that_has_to_go_for_another_one_is_started_again(project):
    undisturbed = one_training(project, seconds=1)
    project.start_search("--set-resources", *SPOT)
    take_all_gpus()
    assert project.ended() == 0, project.printed()
    assert project.found() == undisturbed
    assert submitted_twice(project) == 0, "SLURM itself starts the job again"


def test_a_job_that_has_to_go_and_is_not_started_again_by_slurm_is_submitted_again(project, spot_cancels):
    undisturbed = one_training(project, seconds=1)
    project.start_search("--set-resources", *SPOT)
    take_all_gpus()
    project.timeout = 40
    assert project.ended() == 0, project.printed()
    assert project.found() == undisturbed


HUNGRY = """
from swift_hyperband.targets.recorded import CurveTable


class Hungry(CurveTable):
    def train_epoch(self, epoch):
        super().train_epoch(epoch)
        if epoch == 2:
            self.held = bytearray(700 * 2**20)
"""


def test_a_job_that_needs_more_than_its_memory_gets_more(project):
    (project.path / "hungry.py").write_text(HUNGRY)
    undisturbed = one_training(project, target__name="hungry.py:Hungry")
    project.search()
    assert project.found() == undisturbed


def test_a_full_disk_is_said_and_with_room_again_the_search_goes_on(project, cluster):
    undisturbed = one_training(project, seconds=1)
    project.results.parent.rmdir()
    here = cluster.disk / project.path.name
    here.mkdir()
    project.results.parent.symlink_to(here)
    project.start_search("--retries", "0")
    project.wait_until(lambda: list(project.results.glob("trials/*/curve.jsonl")))
    fill(ballast := cluster.disk / "ballast")
    assert project.ended() == 1
    assert "the disk must take what is written, found: No space left on device" in project.printed()
    ballast.unlink()
    project.search()
    assert project.found() == undisturbed
    assert started_twice(project) <= 1


def fill(path):
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        for size in (2**16, 2**12, 2**9, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))


CRASHES_ONCE = """
from pathlib import Path

from swift_hyperband.targets.recorded import CurveTable


class CrashesOnce(CurveTable):
    def train_epoch(self, epoch):
        super().train_epoch(epoch)
        if epoch == 3 and not Path("crashed").exists():
            Path("crashed").touch()
            raise RuntimeError("once")
"""


def test_a_training_that_crashes_once_goes_on_in_its_job(project):
    (project.path / "crashes.py").write_text(CRASHES_ONCE)
    (project.path / "crashed").touch()
    undisturbed = one_training(project, target__name="crashes.py:CrashesOnce")
    (project.path / "crashed").unlink()
    project.search()
    assert (project.path / "crashed").exists()
    assert project.found() == undisturbed
    assert submitted_twice(project) == 0
    assert started_twice(project) == 1


@pytest.mark.slow
def test_a_job_over_its_time_goes_on_in_another_one(project):
    # the least that SLURM knows: a minute
    undisturbed = one_training(project, seconds=7, resources__runtime=1)
    project.search()
    assert project.found() == undisturbed
    assert started_twice(project) <= 1
    assert len(project.jobs()) == 2

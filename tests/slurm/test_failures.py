"""What goes wrong on a cluster in the middle of a search: the search ends as if nothing had happened."""

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
    "resources": {"workers": 3, "gpus": 1, "mem_mb": 600, "runtime": 10},
}


@pytest.fixture
def undisturbed(project):
    """Return what the search finds here, in one process, and make it slow: epochs of half a second."""
    project.study(**KEYS)
    project.run("swift-hyperband", "search")
    found = project.found()
    project.results.rename(project.path / "undisturbed")
    project.study(**KEYS, target__options={"table": "table.csv", "seconds": 0.5})
    return found


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


def test_ctrl_c_cancels_the_jobs_and_the_same_command_goes_on(project, undisturbed):
    project.start_search()
    os.killpg(project.process.pid, signal.SIGINT)
    assert project.ended() != 0
    assert {job.state for job in project.jobs()} <= {"CANCELLED", "COMPLETING"}
    project.search()
    assert project.found() == undisturbed


def test_sigterm_lets_running_jobs_end_and_the_same_command_goes_on(project, undisturbed):
    project.start_search()
    os.kill(project.process.pid, signal.SIGTERM)
    assert project.ended() != 0
    assert started_twice(project) == 0
    project.search()
    assert project.found() == undisturbed
    assert started_twice(project) == 0


def test_after_kill_9_of_the_head_the_same_command_goes_on_beside_its_jobs(project, undisturbed):
    project.start_search()
    os.kill(project.process.pid, signal.SIGKILL)
    project.process.wait()
    project.search()
    assert project.found() == undisturbed
    assert started_twice(project) == 0, "what jobs of the dead head train is not trained beside them"


@pytest.mark.xfail(strict=True, reason="submits every job a second time that the dead head left in the queue")
def test_jobs_that_a_dead_head_left_in_the_queue_are_not_submitted_again(project):
    project.study(
        target__options={"table": "table.csv", "seconds": 2.0},
        search={"algorithm": "random", "trials": 3, "max_epochs": 9},
        resources={"workers": 3, "gpus": 1, "mem_mb": 600, "runtime": 10},
    )
    project.start_search()
    os.kill(project.process.pid, signal.SIGKILL)
    project.process.wait()
    project.search()
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
    assert submitted_twice(project) == 0, "SLURM itself starts the job again"
    assert started_twice(project) <= 1


def test_a_restart_of_the_controller_is_not_noticed(project, undisturbed, cluster):
    project.start_search()
    cluster.stop_controller()
    time.sleep(8)
    cluster.start_controller()
    assert project.ended() == 0, project.printed()
    assert project.found() == undisturbed
    assert started_twice(project) == 0


def test_a_job_that_has_to_go_for_another_one_is_started_again(project, undisturbed):
    rules = ["train_full", "train_partial", "train_complete"]
    project.start_search("--set-resources", *(f"{rule}:slurm_partition=spot" for rule in rules))
    subprocess.run(
        ["sbatch", "-p", "gpu", "--nodes=3", "--gpus-per-node=1", "-o", "/dev/null", "--wrap", "sleep 3"], check=True
    )
    assert project.ended() == 0, project.printed()
    assert project.found() == undisturbed
    assert submitted_twice(project) == 0, "SLURM itself starts the job again"

"""Searches by workers on a SLURM cluster: whatever becomes of workers, nodes and heads, they end as by rounds."""

import os
import signal
import subprocess
import time
from copy import deepcopy

import psutil
import pytest

KEYS = {
    "execution": "workers",
    "search__max_epochs": 9,
    "swift__d": 3,
    "resources": {"workers": 3, "gpus": 1, "gpus_required": False, "mem_mb": 600, "runtime": 10},
}
SPOT = ("--set-resources", "worker:slurm_partition=spot")
"""A partition whose jobs have to go when those of another one want their place."""


def by_rounds(project, seconds=0.5, **keys):
    """Return what the search finds here, by rounds in one process; let it run by workers, with epochs that last."""
    slow = {"table": "table.csv", "seconds": seconds}
    project.study(**deepcopy(KEYS) | keys | {"execution": "rounds"})
    project.run("swift-hyperband", "search")
    found = project.found()
    project.results.rename(project.path / "by-rounds")
    project.study(**deepcopy(KEYS) | keys, target__options=slow)
    return found


def started_again(project):
    """Return how many epochs were started more than once."""
    started = project.epochs_started()
    return started.total() - len(started)


def workers(project):
    """Return the jobs of workers, also those that ended."""
    return [job for job in project.jobs() if job.comment.startswith("rule_worker_")]


def ended(project, seconds=60):
    """Return how the workers of a search ended that is over; those that run on end by themselves."""
    end = time.monotonic() + seconds
    while not set(states := [job.state for job in workers(project)]) <= {"CANCELLED", "COMPLETED"}:
        assert time.monotonic() < end, states
        time.sleep(0.2)
    return states


def test_workers_find_what_rounds_find_on_every_gpu(project):
    expected = by_rounds(project)
    project.search()
    assert project.found() == expected
    jobs = workers(project)
    assert len(jobs) == len(project.jobs()) == 3
    assert {job.state for job in jobs} == {"COMPLETED"}
    assert {job.node for job in jobs} == {"n1", "n2", "n3"}
    assert started_again(project) == 0


def test_workers_without_a_gpu_are_not_waited_for(project):
    expected = by_rounds(project, resources__workers=5)
    project.search()
    assert project.found() == expected
    # one that gets a GPU in the moment in which the search is over ends by itself
    states = ended(project)
    assert (len(states), states.count("COMPLETED") >= 3) == (5, True)
    assert started_again(project) == 0


def test_workers_that_a_sites_own_commands_submitted_are_not_waited_for(project):
    expected = by_rounds(project, resources__workers=5)
    generic = ("--profile", "profiles/slurm-generic", "--seconds-between-status-checks", "1")
    project.run("swift-hyperband", "run", *generic, "best")
    assert project.found() == expected
    # one that gets a GPU in the moment in which the search is over ends by itself
    assert len(ended(project)) == 5
    assert started_again(project) == 0


def test_a_worker_that_somebody_cancels_is_submitted_again(project):
    expected = by_rounds(project)
    project.start_search()
    subprocess.run(["scancel", project.training()[0]], check=True)
    assert project.ended() == 0, project.printed()
    assert project.found() == expected
    assert started_again(project) <= 1


def test_a_node_that_is_lost_takes_one_worker_with_it(project, cluster):
    expected = by_rounds(project)
    project.start_search()
    number = project.training()[0]
    node = next(job for job in project.jobs() if job.id == number).node
    cluster.lose_node(node)
    time.sleep(5)
    cluster.start_node(node)
    assert project.ended() == 0, project.printed()
    assert project.found() == expected
    assert started_again(project) <= 1


@pytest.mark.parametrize("mode", ["REQUEUE", "CANCEL"])
def test_a_worker_that_has_to_go_for_another_job_comes_back(project, mode):
    expected = by_rounds(project)
    subprocess.run(["scontrol", "update", "partition=spot", f"PreemptMode={mode}"], check=True)
    try:
        project.start_search(*SPOT)
        other = ["sbatch", "-p", "gpu", "--nodes=3", "--gpus-per-node=1", "-o", "/dev/null", "--wrap", "sleep 3"]
        subprocess.run(other, check=True)
        assert project.ended() == 0, project.printed()
    finally:
        subprocess.run(["scontrol", "update", "partition=spot", "PreemptMode=REQUEUE"], check=True)
    assert project.found() == expected
    assert started_again(project) <= 3


def test_a_worker_that_is_requeued_goes_on(project):
    expected = by_rounds(project)
    project.start_search()
    subprocess.run(["scontrol", "requeue", project.training()[0]], check=True)
    assert project.ended() == 0, project.printed()
    assert project.found() == expected
    assert started_again(project) <= 1


def below(project, *words):
    """Return the processes of the search whose command line has these words."""
    found = []
    for process in psutil.Process(project.process.pid).children(recursive=True):
        try:
            if set(words) <= set(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_killed_decider_is_started_again_by_the_head(project):
    expected = by_rounds(project)
    project.start_search()
    (decider,) = below(project, "job", "search")
    decider.kill()
    assert project.ended() == 0, project.printed()
    assert project.found() == expected
    assert started_again(project) == 0


def test_workers_go_on_without_a_head_and_the_next_one_goes_on_with_them(project):
    expected = by_rounds(project)
    project.start_search()
    os.killpg(project.process.pid, signal.SIGKILL)
    project.process.wait()
    project.timeout = 240
    project.search("--leftover", "wait")
    assert project.found() == expected
    assert len(workers(project)) == 3, "no further worker was needed"
    assert started_again(project) == 0


def test_workers_that_a_dead_head_left_are_cancelled_if_wanted(project):
    expected = by_rounds(project, seconds=1)
    project.start_search()
    os.killpg(project.process.pid, signal.SIGKILL)
    project.process.wait()
    project.timeout = 240
    project.search("--leftover", "cancel")
    assert project.found() == expected
    assert len(workers(project)) == 6
    assert started_again(project) <= 3


@pytest.mark.slow
def test_a_worker_over_its_time_is_submitted_again_with_the_same_time(project):
    # the least that SLURM knows: a minute
    one = {"workers": 1, "gpus": 1, "gpus_required": False, "mem_mb": 600, "runtime": 1}
    search = {"algorithm": "random", "trials": 1, "max_epochs": 9}
    expected = by_rounds(project, seconds=10, resources=one, search=search)
    project.search()
    assert project.found() == expected
    assert started_again(project) == 0
    assert len(workers(project)) >= 2
    asked = ["squeue", "--states=all", "-h", "-o", "%l|%Z"]
    limits = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {line.partition("|")[0] for line in limits if line.endswith(f"|{project.path}")} == {"1:00"}


def test_workers_that_a_sites_own_commands_submitted_are_workers_of_the_next_head(project):
    expected = by_rounds(project, seconds=1.0, resources__workers=5)
    generic = ["swift-hyperband", "run", "--profile", "profiles/slurm-generic", "--seconds-between-status-checks", "1"]
    project.start(*generic, "best")
    project.wait_until(lambda: len(project.training()) == 3)
    os.killpg(project.process.pid, signal.SIGKILL)
    project.process.wait()
    project.timeout = 150
    project.run(*generic, "--leftover", "wait", "best")
    assert "5 jobs (2 pending, 3 running) of these go on as workers of this search" in project.printed()
    assert project.found() == expected
    # one that gets a GPU in the moment in which the search is over ends by itself
    assert {job.state for job in workers(project)} <= {"CANCELLED", "COMPLETED"}
    assert len(workers(project)) == 5
    assert started_again(project) == 0

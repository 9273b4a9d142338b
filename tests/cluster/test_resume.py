"""One command goes on with a search whose head is gone, whatever became of its jobs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

KEYS = {
    "search__max_epochs": 9,
    "swift__d": 3,
    # seven jobs in three stages
    "search__brackets": [1, 0],
    "batch_size": 9,
    "resources": {"workers": 3, "gpus": 1, "gpus_required": False, "mem_mb": 600, "runtime": 10},
}
RESUME = [sys.executable, Path(__file__).with_name("fastpoll.py"), "resume", "--profile", "profiles/slurm"]
QUICK = ["--max-status-checks-per-second", "1", "best"]
AT_WORK = {"PENDING", "CONFIGURING", "RUNNING"}


@pytest.fixture
def undisturbed(project):
    """Return what the search finds here, in one process, and make it slow: epochs of a second."""
    project.study(**KEYS)
    project.run("swift-hyperband", "search")
    found = project.found()
    project.results.rename(project.path / "undisturbed")
    project.study(**KEYS, target__options={"table": "table.csv", "seconds": 1.0})
    return found


def lose_head(project):
    """Start a search and kill its head while its jobs run; return their numbers."""
    project.start_search()
    project.process.kill()
    project.process.wait()
    found = [job.id for job in project.jobs() if job.state in AT_WORK]
    assert found
    return found


def test_jobs_of_a_dead_head_are_waited_for_and_train_nothing_twice(project, undisturbed):
    left = lose_head(project)
    printed = project.run(*RESUME, "--leftover", "wait", *QUICK)
    assert f"job{'s' if len(left) > 1 else ''} (" in printed
    assert "of an earlier start are in SLURM: " in printed
    assert "swift-hyperband: waits for these: " in printed
    assert project.found() == undisturbed
    jobs = project.jobs()
    assert {job.state for job in jobs if job.id in left} == {"COMPLETED"}
    assert len({job.comment for job in jobs}) == len(jobs), "each job was submitted once"
    assert set(project.epochs_started().values()) == {1}
    assert all(job.name.startswith("swift-hyperband-table_") for job in jobs)


def test_jobs_of_a_dead_head_are_cancelled_on_demand_and_cost_an_epoch_at_most(project, undisturbed):
    left = lose_head(project)
    # by the folder, as if the study file were gone: jobs read the study from there
    project.run(*RESUME, "results/table", "--leftover", "cancel", *QUICK)
    assert project.found() == undisturbed
    assert {job.state for job in project.jobs() if job.id in left} <= {"CANCELLED", "COMPLETED"}
    started = project.epochs_started()
    assert started.total() - len(started) <= len(left)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stopped_head_leaves_no_jobs_behind_and_resume_goes_on(project, undisturbed, number, code):
    project.start_search()
    project.process.send_signal(number)
    assert project.process.wait(timeout=60) == code, project.printed()
    assert "jobs in SLURM are cancelled" in project.printed()
    assert project.printed().endswith("swift-hyperband: stopped; the same command goes on\n")
    assert not [job for job in project.jobs() if job.state in AT_WORK]
    project.run(*RESUME, *QUICK)
    assert project.found() == undisturbed


def test_a_second_head_is_refused_and_touches_no_job_of_the_first(project, undisturbed):
    project.start_search()
    first = project.process
    printed = project.run(*RESUME, "--leftover", "cancel", *QUICK, check=False)
    assert f"one process at a time can run this search, and process {first.pid} on host " in printed
    project.process = first
    assert first.wait(timeout=project.timeout) == 0
    assert project.found() == undisturbed
    assert {job.state for job in project.jobs()} <= {"COMPLETED", "COMPLETING"}


def test_workers_of_a_dead_head_are_workers_of_the_next_one(project, undisturbed):
    project.study(**KEYS, execution="workers", target__options={"table": "table.csv", "seconds": 2.0})
    project.start_search()
    project.wait_until(lambda: len(project.training()) == 3)
    os.killpg(project.process.pid, signal.SIGKILL)
    project.process.wait()
    left = [job.id for job in project.jobs() if job.state in AT_WORK]
    assert len(left) == 3
    project.start(*RESUME, "--leftover", "wait", *QUICK, "--verbose")
    project.wait_until(lambda: project.printed().count(", which an earlier start left in SLURM") == 3, 180)
    subprocess.run(["scancel", left[0]], check=True)
    assert project.ended() == 0, project.printed()
    assert project.found() == undisturbed
    jobs = project.jobs()
    assert [job.state for job in jobs if job.id in left[1:]] == ["COMPLETED"] * 2
    assert len(jobs) == 4, "the one that was cancelled was submitted again"
    started = project.epochs_started()
    assert started.total() - len(started) <= 1

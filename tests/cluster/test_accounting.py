"""A cluster with slurmdbd, as most have: accounts are checked, and sacct answers."""

import contextlib
import os
import subprocess

import pytest

from swift_hyperband.results import accounting as books_of
from swift_hyperband.results import jobs

SEARCH = {"algorithm": "random", "trials": 3, "max_epochs": 9}
RESOURCES = {"workers": 3, "gpus": 1, "gpus_required": False, "mem_mb": 600, "runtime": 10}


def test_a_search_finds_what_it_finds_here_and_its_jobs_are_accounted_to_the_profiles_account(accounting, project):
    project.study(search=SEARCH, resources=RESOURCES)
    project.run("swift-hyperband", "search")
    here = project.found()
    project.results.rename(project.path / "here")
    project.search()
    assert project.found() == here
    asked = ["sacct", "-X", "-n", "-P", "--format=Account,State,WorkDir"]
    lines = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {line for line in lines if str(project.path) in line} == {f"lab|COMPLETED|{project.path}"}


def test_an_account_that_does_not_exist_is_said_with_those_that_do(accounting, project):
    project.study(search=SEARCH, resources=RESOURCES)
    printed = project.search("--set-resources", "train_full:slurm_account=nope", "--retries", "0", check=False)
    assert "The given account nope appears to be invalid. Available accounts:" in printed
    assert "lab" in printed


def books(project):
    """Return GPU-seconds and seconds in the queue of the project's jobs, as SLURM accounts for them."""
    fields = "Submit,Start,ElapsedRaw,AllocTRES,WorkDir"
    asked = ["sacct", "-X", "-D", "-n", "-P", "-S", "now-1hours", f"--format={fields}"]
    environment = {**os.environ, "SLURM_TIME_FORMAT": "%s"}
    printed = subprocess.run(asked, capture_output=True, text=True, check=True, env=environment).stdout
    lines = [line.split("|") for line in printed.splitlines() if line.endswith(str(project.path))]
    started = [line for line in lines if line[1].isdigit()]
    assert all("gres/gpu=1" in line[3] for line in started)
    return sum(int(line[2]) for line in started), sum(int(line[1]) - int(line[0]) for line in started), len(started)


def test_gpu_hours_and_queue_hours_are_those_of_slurms_own_books(accounting, project):
    project.study(search=SEARCH, resources=RESOURCES, target__options={"table": "table.csv", "seconds": 0.5})
    project.start("search on SLURM")
    # one while it starts, before its Python leaves a record; another one in the middle of its training
    project.wait_until(lambda: [job for job in project.jobs() if job.state == "RUNNING"])
    first = next(job.id for job in project.jobs() if job.state == "RUNNING")
    subprocess.run(["scancel", first], check=True)
    project.wait_until(project.training)
    subprocess.run(["scancel", project.training()[0]], check=True)
    assert project.ended() == 0, project.printed()
    gpu_seconds, queue_seconds, started = books(project)
    found = jobs.totals(read(project))
    assert started >= 5
    assert found.jobs == started
    assert found.gpu_hours * 3600 == pytest.approx(gpu_seconds, abs=2)
    assert found.queue_hours * 3600 == pytest.approx(queue_seconds, abs=2)
    assert found.estimated == 0
    # what is cancelled may still do its work in the seconds that it is given to end
    assert found.outcomes["stopped"] in (1, 2)
    assert set(found.outcomes) == {"stopped", "through"}
    assert f"training jobs: {started} started, {found.outcomes['stopped']} stopped; " in project.printed()


def read(project):
    """Return the jobs as somebody sees them who is in the project's folder."""
    with contextlib.chdir(project.path):
        return books_of.read(project.results.relative_to(project.path))

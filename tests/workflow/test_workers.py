"""A search by workers under Snakemake, which decides as by rounds, whatever becomes of its processes."""

import json
import os
import signal
import time

import psutil
import pytest
import yaml
from workflow_project import wait_for

BY_WORKERS = {"execution": "workers", "resources__workers": 2}


SLOW = {"target__options": {"table": "table.csv", "seconds": 0.2}}
"""Epochs last."""


def child(process, *words):
    """Return the process below another one whose command line has these words; None where there is none."""
    for found in psutil.Process(process.pid).children(recursive=True):
        try:
            if set(words) <= set(found.cmdline()):
                return found
        except psutil.Error:
            continue
    return None


def agenda(project):
    return json.loads((project.results / "agenda.json").read_text())


def test_a_search_by_workers_decides_as_by_rounds_and_then_has_nothing_to_do(project, finished):
    project.study(**BY_WORKERS)
    printed = project.run("swift-hyperband", "run", "--cores", "2")
    assert "2 started" in printed
    assert project.best() == finished.best()
    assert project.decisions() == finished.decisions()
    assert max(project.epochs_started().values()) == 1
    assert (project.results / "report/jobs.png").exists()
    # by either: what is trained needs no job
    for execution in ("workers", "rounds", "workers"):
        project.study(**BY_WORKERS | {"execution": execution})
        assert "Nothing to be done" in project.run("snakemake", "--cores", "2")


def test_a_search_may_change_between_rounds_and_workers_in_the_middle(project, finished):
    project.study(**SLOW)
    project.run("snakemake", "--cores", "2", "results/table/bracket=2/round=1/promotion.json")
    project.study(**BY_WORKERS, **SLOW)
    process = project.start("swift-hyperband", "run", "--cores", "2", "best")
    wait_for((project.results / "bracket=1/round=0/decision.json").exists, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    assert not project.results.joinpath("best.yaml").exists()
    project.study(**SLOW)
    project.search()
    assert project.best() == finished.best()
    assert project.decisions() == finished.decisions()
    assert sum(project.epochs_started().values()) - len(project.epochs_started()) <= 2, "those in flight"


def test_a_decider_that_dies_is_started_again(project, finished):
    project.study(**BY_WORKERS, **SLOW)
    process = project.start("swift-hyperband", "run", "--cores", "2", "best")
    wait_for(project.trains, process)
    found = child(process, "job", "search")
    os.kill(found.pid, signal.SIGKILL)
    assert process.wait(240) == 0, project.printed()
    assert project.best() == finished.best()
    assert project.decisions() == finished.decisions()


def test_a_search_that_is_stopped_starts_no_other_decider(project):
    project.study(**BY_WORKERS, **SLOW)
    process = project.start("swift-hyperband", "run", "--cores", "2", "best")
    wait_for(project.trains, process)
    # as a terminal
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(120) == 128 + signal.SIGINT
    assert "is being stopped" in project.printed()
    assert "another one is started" not in project.printed()


def test_the_decider_and_the_workers_end_with_a_killed_head_and_the_search_goes_on(project, finished):
    project.study(**BY_WORKERS, **SLOW)
    process = project.start("swift-hyperband", "run", "--cores", "2", "best")
    wait_for(project.trains, process)
    below = psutil.Process(process.pid).children(recursive=True)
    # Snakemake, which the watcher then cleans up behind
    os.kill(below[0].pid, signal.SIGKILL)
    assert process.wait(60) == 128 + signal.SIGKILL
    end = time.monotonic() + 60
    while [one for one in below if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < end, "left behind"
        time.sleep(0.1)
    project.search()
    assert project.best() == finished.best()
    assert project.decisions() == finished.decisions()


CRASHES = """
from swift_hyperband.targets import Target


class Crashes(Target):
    def setup(self, config):
        raise RuntimeError("no such data")
"""


def test_trials_that_all_crash_alike_end_the_run_whatever_the_retries(project):
    (project.path / "crashes.py").write_text(CRASHES)
    project.study(**BY_WORKERS, target__name="crashes.py:Crashes", target__options={}, retries=0, give_up_after=2)
    printed = project.run("swift-hyperband", "run", "--cores", "2", "--retries", "5", "best", check=False)
    lines = [line for line in printed.splitlines() if "crash" in line and "alike" in line]
    assert lines, printed
    assert "Traceback" not in printed
    assert agenda(project)["error"]


@pytest.mark.parametrize("option", ["--dag", "--summary", "--lint"])
def test_snakemakes_views_work_for_workers(project, option):
    project.study(**BY_WORKERS)
    printed = project.run("snakemake", option)
    assert "Error" not in printed
    assert not project.results.exists()


def test_a_lost_result_is_made_again_without_training(project, finished):
    project.study(**BY_WORKERS)
    project.search()
    started = project.epochs_started()
    project.results.joinpath("best.yaml").unlink()
    project.search()
    assert project.best() == finished.best()
    assert project.epochs_started() == started


def test_the_best_trials_lost_state_is_made_again_by_workers(project, finished):
    project.study(**BY_WORKERS)
    project.search()
    trial = yaml.safe_load(project.best())["trial"]
    (state,) = (project.results / "trials" / trial).glob("state.*")
    before = state.read_bytes()
    state.unlink()
    project.search()
    assert project.best() == finished.best()
    assert state.read_bytes() == before


def test_a_search_without_rounds_runs_under_snakemake(project):
    project.study(**BY_WORKERS, search__algorithm="asha")
    assert "2 started" in project.search()
    best = project.best()
    assert "Nothing to be done" in project.search()
    project.results.joinpath("best.yaml").unlink()
    project.search()
    assert project.best() == best
    project.study(search__algorithm="asha")
    assert "execution must be workers with algorithm asha" in project.search(check=False)

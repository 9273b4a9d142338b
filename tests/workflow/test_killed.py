"""A search that is killed again and again ends as if nothing had happened."""

import os
import random
import re
import signal
import time

import pytest
from workflow_project import wait_for

KILLS = 6
"""Half of them hit what comes before the first training of a start, half of them a training."""
SLOW = {"resources__workers": 2, "target__options": {"table": "table.csv", "seconds": 0.1}}


@pytest.mark.parametrize("victim", ["head", "group"])
def test_kill_9_at_random_moments_changes_nothing(project, finished, victim, capsys):
    project.study(**SLOW)
    moments = random.Random(victim)
    early = late = 0
    for number in range(KILLS):
        before = project.epochs_started().total()
        process = project.start("swift-hyperband", "run", "--cores", "2", "best")
        if number % 2:
            # after some epochs of this start, however slow the machine is
            more = moments.randint(1, 8)
            while process.poll() is None and project.epochs_started().total() < before + more:
                time.sleep(0.02)
        else:
            time.sleep(moments.uniform(0.2, 2.0))
        if process.poll() is not None:
            break
        if project.epochs_started().total() > before:
            late += 1
        else:
            early += 1
        (os.kill if victim == "head" else os.killpg)(process.pid, signal.SIGKILL)
        process.wait()
    assert late, "no kill hit a training"
    project.search()
    started = project.epochs_started()
    twice = sum(count - 1 for count in started.values())
    with capsys.disabled():
        print(f"\n{early + late} kills of the {victim}: {twice} of {started.total()} epochs were started twice")
    assert (project.best(), project.decisions()) == (finished.best(), finished.decisions())
    # two trainings run side by side, so a kill costs two epochs at most; the orphans of a dead head go on by themselves
    assert twice <= (2 * (early + late) if victim == "group" else 0)


def test_a_second_head_is_refused_while_the_first_lives(project):
    project.study(target__options={"table": "table.csv", "seconds": 0.5})
    first = project.start("swift-hyperband", "run", "--cores", "1", "best")
    try:
        # written by the process that has the lease
        wait_for((project.results / "settings.json").exists, first)
        settings = (project.results / "settings.json").read_text()
        # the first must outlive the others, however slow the machine is
        os.killpg(first.pid, signal.SIGSTOP)
        project.study(retries=9, target__options={"table": "table.csv", "seconds": 0.5})
        others = [
            ("swift-hyperband", "run", "best"),
            ("snakemake", "--cores", "1", "--nolock", "best"),
            ("swift-hyperband", "search"),
        ]
        for command in others:
            printed = project.run(*command, check=False)
            assert f"one process at a time can run this search, and process {first.pid}" in printed
            assert "Traceback" not in printed
        assert (project.results / "settings.json").read_text() == settings, "a process that is refused writes nothing"
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()


def test_ctrl_c_ends_a_search_and_the_same_command_goes_on(project, finished):
    project.study(**SLOW)
    first = project.start("swift-hyperband", "run", "--cores", "2", "best")
    wait_for(project.trains, first)
    os.killpg(first.pid, signal.SIGINT)
    assert first.wait(timeout=240) != 0
    assert not (project.results / "best.yaml").exists()
    project.search()
    assert (project.best(), project.decisions()) == (finished.best(), finished.decisions())


def test_plain_snakemake_goes_on_after_unlock(project, finished):
    project.study(**SLOW)
    first = project.start("snakemake", "--cores", "2", "best")
    wait_for(project.trains, first)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    project.run("snakemake", "--unlock")
    project.run("snakemake", "--cores", "2", "best")
    assert (project.best(), project.decisions()) == (finished.best(), finished.decisions())


def test_a_search_goes_on_though_files_have_times_ahead(copied):
    rounds = sorted(copied.results.glob("bracket=*/round=0/*.json"))
    ahead = time.time() + 7200
    for path in [*rounds, *copied.results.glob("bracket=1/round=0/partial/*.json")]:
        os.utime(path, (ahead, ahead))
    for path in copied.results.glob("bracket=0/round=*/*.json"):
        # as if it had not come so far
        path.unlink()
    best = copied.best()
    (copied.results / "best.yaml").unlink()
    printed = copied.search()
    assert re.search(r"swift-hyperband: \d+ files in results/table had a time up to \d+ s ahead", printed), printed
    assert copied.best() == best
    assert "Nothing to be done" in copied.search()

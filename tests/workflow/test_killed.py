"""A search that is killed again and again ends as if nothing had happened."""

import os
import random
import re
import signal
import time

import pytest


@pytest.fixture
def undisturbed(project):
    """Run the search once without disturbance; return its best.yaml and decisions, and clear it away."""
    project.study(resources__workers=2, target__options={"table": "table.csv", "seconds": 0.04})
    project.search()
    found = project.best(), project.decisions()
    project.results.rename(project.path / "undisturbed")
    return found


@pytest.mark.parametrize("victim", ["head", "group"])
def test_kill_9_at_ten_random_moments_changes_nothing(project, undisturbed, victim, capsys):
    moments = random.Random(victim)
    kills = 0
    while kills < 10 and not (project.results / "best.yaml").exists():
        process = project.start("swift-hyperband", "run", "--cores", "2", "best")
        # half of them soon after the start, when the DAG is built; the rest while jobs run
        time.sleep(moments.choice([moments.uniform(0.2, 2.0), moments.uniform(2.0, 5.0)]))
        if process.poll() is None:
            kills += 1
            (os.kill if victim == "head" else os.killpg)(process.pid, signal.SIGKILL)
            process.wait()
    project.search()
    started = project.epochs_started()
    twice = sum(count - 1 for count in started.values())
    with capsys.disabled():
        print(f"\n{kills} kills of the {victim}: {twice} of {started.total()} epochs were started twice")
    assert (project.best(), project.decisions()) == undisturbed
    # two trainings run side by side, so a kill costs two epochs at most; the orphans of a dead head go on by themselves
    assert twice <= (2 * kills if victim == "group" else 0)


def test_a_second_head_is_refused_while_the_first_lives(project):
    project.study(target__options={"table": "table.csv", "seconds": 0.2})
    first = project.start("swift-hyperband", "run", "--cores", "1", "best")
    try:
        while not (project.results / "lease").exists():
            assert first.poll() is None
            time.sleep(0.1)
        settings = (project.results / "settings.json").read_text()
        project.study(retries=9, target__options={"table": "table.csv", "seconds": 0.2})
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


def test_ctrl_c_ends_a_search_and_the_same_command_goes_on(project, undisturbed):
    first = project.start("swift-hyperband", "run", "--cores", "2", "best")
    time.sleep(4)
    os.killpg(first.pid, signal.SIGINT)
    assert first.wait(timeout=60) != 0
    project.search()
    assert (project.best(), project.decisions()) == undisturbed


def test_plain_snakemake_goes_on_after_unlock(project, undisturbed):
    first = project.start("snakemake", "--cores", "2", "best")
    time.sleep(5)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    project.run("snakemake", "--unlock")
    project.run("snakemake", "--cores", "2", "best")
    assert (project.best(), project.decisions()) == undisturbed


def test_a_search_goes_on_though_files_have_times_ahead(project, undisturbed):
    project.study(search__max_epochs=9, swift__d=3)
    project.search()
    rounds = sorted(project.results.glob("bracket=*/round=0/*.json"))
    ahead = time.time() + 7200
    for path in [*rounds, *project.results.glob("bracket=1/round=0/partial/*.json")]:
        os.utime(path, (ahead, ahead))
    for path in project.results.glob("bracket=0/round=*/*.json"):
        # as if it had not come so far
        path.unlink()
    (project.results / "best.yaml").unlink()
    printed = project.search()
    assert re.search(r"swift-hyperband: \d+ files in results/table had a time up to 7\d\d\d s ahead", printed), printed
    assert "Nothing to be done" in project.search()

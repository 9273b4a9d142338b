"""Whatever is killed, whenever: a search by workers comes to the same bits."""

import fcntl
import os
import random
import shutil
import signal
import time
from functools import partial

import pytest
from worker_actors import Actor, by_rounds, decided, until
from workflow_project import Project

KILLS = int(os.environ.get("WORKER_KILLS", "24"))
"""Of each kind at most; more of them for a doubt."""
KEYS = {"search__max_epochs": 27, "swift__thaw": 0.2, "predictor__name": "linear", "resources__workers": 2}
SLOW = {"target__options": {"table": "table.csv", "seconds": KILLS / 2400}, "execution": "workers"}


def begin(project, name):
    """Start a part of the search again."""
    words = ("job", "search") if name == "decider" else ("work",)
    return Actor(project, *words, "results/table", *(["--name", name] if name != "decider" else []))


@pytest.fixture(scope="session")
def expected(tmp_path_factory):
    """The decisions of the search in one process; one search serves all tests, whichever worker of pytest runs them."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "by-rounds"
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            # one that failed half-way is made again, so that each worker shows the failure
            shutil.rmtree(shared, ignore_errors=True)
            shared.mkdir()
            by_rounds(Project.create(shared), **KEYS)
            (shared / "done").touch()
    return decided(shared / "by-rounds")


@pytest.fixture
def begun(project, expected):
    """The same search by workers, begun by a process that decides and is killed at once."""
    project.study(**KEYS, **SLOW)
    first = Actor(project, "job", "search", "config/config.yaml")
    until((project.results / "agenda.json").exists)
    first.kill()
    return expected


def has_moved(project, before):
    """Whether an epoch began, or the search is over."""
    return project.epochs_started().total() > before or (project.results / "best.yaml").exists()


@pytest.mark.parametrize("victims", ["worker", "decider", "all", "worker alone"])
def test_kill_9_at_random_moments_changes_nothing(project, begun, victims, capsys):
    moments, actors = random.Random(victims), {}
    late = 0
    for number in range(KILLS):
        for name in ("decider", "0", "1"):
            if name not in actors or actors[name].code() is not None:
                actors[name] = begin(project, name)
        before = project.epochs_started().total()
        if number % 2:
            # in a training of this start, however slow the machine is
            until(partial(has_moved, project, before))
            time.sleep(moments.uniform(0.0, 0.05))
        else:
            time.sleep(moments.uniform(0.0, 0.25))
        if (project.results / "best.yaml").exists():
            break
        late += project.epochs_started().total() > before
        worker = moments.choice("01")
        for name in {"all": actors, "decider": ["decider"]}.get(victims, [worker]):
            # "alone": its trainings go on as orphans
            actors[name].kill(group=victims != "worker alone")
    assert late, "no kill hit a training"
    for name in ("decider", "0", "1"):
        if actors[name].code() is not None:
            actors[name] = begin(project, name)
    codes = {name: actor.wait() for name, actor in actors.items()}
    started = project.epochs_started()
    with capsys.disabled():
        twice = started.total() - len(started)
        print(
            f"\n{late} of {KILLS} kills of {victims} hit trainings: {twice} of {started.total()} epochs were repeated"
        )
    assert codes == dict.fromkeys(actors, 0), project.printed()
    assert decided(project.results) == begun


def test_a_worker_starts_a_process_that_decides_where_that_was_killed(project, begun):
    workers = [begin(project, name) for name in "01"]
    until(project.trains)
    assert [worker.wait() for worker in workers] == [0, 0], project.printed()
    assert "no process decides, so this worker starts one" in project.printed()
    assert decided(project.results) == begun


def test_workers_come_and_go_in_the_middle(project, begun):
    decider, first = begin(project, "decider"), begin(project, "0")
    until(project.trains)
    # with its trial unfinished the search cannot end before the others are there, however slowly they start
    os.killpg(first.pid, signal.SIGSTOP)
    others = [begin(project, "7"), Actor(project, "work", "results/table")]
    until(lambda: (project.results / "workers/7/events.jsonl").exists())
    # asked to end: its training ends at once, and its trial is free
    os.kill(first.pid, signal.SIGTERM)
    os.killpg(first.pid, signal.SIGCONT)
    assert first.wait() == 128 + signal.SIGTERM
    assert not (project.results / "workers/0/lease").exists()
    assert [actor.wait() for actor in (*others, decider)] == [0, 0, 0], project.printed()
    assert decided(project.results) == begun
    # the next number after those of the study's own workers
    assert sorted(path.name for path in project.results.glob("workers/*")) == ["0", "2", "7"]

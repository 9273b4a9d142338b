"""How workers and the process that decides end, and how a search goes on in another way."""

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from worker_actors import Actor, by_rounds, decided, until
from workflow_project import at_work

CRASHING = """
class Model:
    def setup(self, configuration, context):
        self.value = configuration["x"]

    def train_epoch(self, epoch):
        raise ValueError("no luck")

    def validate(self):
        return {"loss": self.value}

    def state_dict(self):
        return {"value": self.value}

    def load_state_dict(self, state):
        self.value = state["value"]
"""


WAITS = """\
while epoch > 3 and not __import__("os").path.exists("may-end"):
            __import__("time").sleep(0.05)"""


def of_class(project, body):
    """Let the study train a class in model.py."""
    (project.path / "model.py").write_text(CRASHING.replace('raise ValueError("no luck")', body))
    path = project.path / "config/config.yaml"
    study = yaml.safe_load(path.read_text())
    study["target"] = {"name": "model.py:Model", "metric": "loss", "mode": "min"}
    study["space"] = {"x": {"type": "float", "low": 0.0, "high": 1.0}}
    path.write_text(yaml.safe_dump(study))


def begin(project, *names):
    """Return the process that decides, and workers."""
    (project.results / "agenda.json").unlink(missing_ok=True)
    decider = Actor(project, "job", "search", "config/config.yaml")
    until((project.results / "agenda.json").exists)
    return [decider, *(Actor(project, "work", "results/table", "--name", name) for name in names)]


def test_a_search_goes_from_rounds_to_workers_and_back_and_into_the_workflow(project):
    keys = {"search__max_epochs": 27, "swift__thaw": 0.2}
    slow = {"target__options": {"table": "table.csv", "seconds": 0.01}}
    expected = by_rounds(project, **keys)

    def epochs(number):
        return lambda: project.epochs_started().total() >= number

    for execution, reached in [("rounds", 30), ("workers", 90), ("rounds", 150), ("workers", 210)]:
        project.study(**keys, **slow, execution=execution)
        actors = [Actor(project, "search")] if execution == "rounds" else begin(project, "0", "1")
        until(epochs(reached))
        for actor in actors:
            actor.kill()
    project.study(**keys, **slow)
    project.search()
    assert decided(project.results) == expected
    started = project.epochs_started()
    # each kill costs the epochs in flight at most
    assert started.total() - len(started) <= 2 * 4


@pytest.mark.parametrize("command", ["search", "work"])
def test_a_search_of_which_all_trials_crash_ends_with_one_line(project, command):
    of_class(project, 'raise ValueError("no luck")')
    line = "crashes in its first epoch, and all of them alike"
    if command == "search":
        assert project.code("swift-hyperband", "search", "--workers", "2") == 2
        errors = [found for found in project.printed().splitlines() if found.startswith("error: ")]
        assert len(errors) == 1
        assert line in errors[0]
        assert errors[0].endswith("trials/" + errors[0].rpartition("trials/")[2])
    else:
        assert [actor.wait() for actor in begin(project, "0", "1")] == [1, 1, 1], project.printed()
        assert line in project.printed()
    assert line in json.loads((project.results / "agenda.json").read_text())["error"]
    assert "Traceback" not in project.printed()
    # the code is mended, and the same command goes on
    of_class(project, "pass")
    project.run("swift-hyperband", command, "config/config.yaml")
    assert (project.results / "best.yaml").exists()


def test_what_the_process_that_decides_cannot_do_ends_all_with_its_line(project):
    expected = by_rounds(project)
    project.study(execution="workers")
    in_the_way = project.results / "bracket=2/round=0/promotion.json"
    in_the_way.mkdir(parents=True)
    decider = Actor(project, "job", "search", "config/config.yaml")
    workers = [Actor(project, "work", "config/config.yaml", "--name", name) for name in "01"]
    assert [actor.wait() for actor in (decider, *workers)] == [1, 1, 1], project.printed()
    line = "promotion.json: must be a file, found a folder; move it away and start the search again"
    assert line in project.printed()
    assert "Traceback" not in project.printed()
    in_the_way.rmdir()
    project.run("swift-hyperband", "work", "results/table")
    assert decided(project.results) == expected


def test_a_full_disk_of_a_worker_ends_the_search_with_one_line_and_it_goes_on_later(project):
    of_class(project, 'import errno; raise OSError(errno.ENOSPC, "No space left on device", "/scratch/cache.bin")')
    assert project.code("swift-hyperband", "search") == 2
    errors = [line for line in project.printed().splitlines() if line.startswith("error: ")]
    assert errors == [
        "error: /scratch/cache.bin: the disk must take what is written, found: No space left on device; "
        "then run again to go on"
    ]
    assert not [*project.results.glob("trials/*/failures.json")]
    of_class(project, "pass")
    project.run("swift-hyperband", "search")


def test_a_worker_whose_time_is_over_says_so_and_another_goes_on(project):
    project.study(execution="workers", target__options={"table": "table.csv", "seconds": 0.4})
    # ten seconds are reserved for the end of a job
    decider, worker = begin(project, "0")
    limited = Actor(project, "work", "results/table", "--name", "1", "--minutes", "0.2")
    assert limited.wait() == 75, project.printed()
    assert json.loads((project.results / "workers/1/events.jsonl").read_text().splitlines()[-1])["what"] != "began"
    # a scheduler warns of the end of its time, perhaps all processes of the job
    for actor in (decider, worker):
        os.kill(actor.pid, signal.SIGUSR1)
    assert worker.wait() == 75
    assert decider.code() is None
    decider.kill()
    assert not [*project.results.glob("trials/*/lease")]


def test_a_worker_refuses_a_search_in_rounds_and_one_that_was_not_begun(project):
    project.study(execution="rounds")
    assert project.code("swift-hyperband", "work", "results/table") == 2
    assert "results/table: must hold a started search" in project.printed()
    assert project.code("swift-hyperband", "work", "config/config.yaml") == 2
    assert "execution must be workers" in project.printed()


def test_workers_end_where_the_search_goes_on_in_rounds(project):
    slow = {"target__options": {"table": "table.csv", "seconds": 0.2}}
    project.study(execution="workers", **slow)
    actors = begin(project, "0")
    until(project.trains)
    project.study(execution="rounds", **slow)
    rounds = Actor(project, "search")
    assert [actor.wait() for actor in actors] == [1, 1]
    assert "execution must be workers for workers to go on, found rounds" in project.printed()
    rounds.kill()


def test_a_worker_trains_several_trials_side_by_side(project):
    expected = by_rounds(project)
    options = {"table": "table.csv", "seconds": 0.1}
    project.study(execution="workers", resources__side_by_side=3, target__options=options)
    decider, worker = begin(project, "0")
    assert (worker.wait(), decider.wait()) == (0, 0)
    assert decided(project.results) == expected
    events = [json.loads(line) for line in (project.results / "workers/0/events.jsonl").read_text().splitlines()]
    at_work, most = 0, 0
    for event in events[1:]:
        at_work += 1 if event["what"] == "began" else -1
        most = max(most, at_work)
    assert most == 3


def test_ctrl_c_ends_a_search_with_all_its_workers_and_it_goes_on(project):
    expected = by_rounds(project)
    project.study(execution="workers", target__options={"table": "table.csv", "seconds": 0.1})
    search = Actor(project, "search")
    until(project.trains)
    os.killpg(search.pid, signal.SIGINT)
    assert search.wait() == 130
    assert at_work(project.path) == []
    assert not [*project.results.glob("trials/*/lease")]
    assert "Traceback" not in project.printed()
    assert [path.read_text() for path in project.results.glob("workers/*/log") if "Traceback" in path.read_text()] == []
    assert Actor(project, "search").wait() == 0
    assert decided(project.results) == expected


def test_workers_end_with_the_search_that_started_them_however_that_ends(project):
    project.study(execution="workers", target__options={"table": "table.csv", "seconds": 0.2})
    search = Actor(project, "search")
    until(project.trains)
    search.kill(group=False)
    # a training that nobody could end goes on to its epoch
    until(lambda: at_work(project.path) == [])


def test_a_killed_worker_of_a_search_is_started_again(project):
    expected = by_rounds(project)
    project.study(execution="workers", target__options={"table": "table.csv", "seconds": 0.05})
    search = Actor(project, "search")
    until(project.trains)
    worker = json.loads((project.results / "workers/0/worker.json").read_text())
    os.kill(worker["pid"], signal.SIGKILL)
    assert search.wait() == 0
    assert json.loads((project.results / "workers/0/worker.json").read_text())["pid"] != worker["pid"]
    assert decided(project.results) == expected


def test_workers_that_die_while_they_import_the_target_end_the_search_with_one_line(project):
    of_class(project, "pass")
    (project.path / "model.py").write_text("import os\nos.abort()\nclass Model: pass\n")
    assert project.code("swift-hyperband", "search", "--workers", "2") == 2
    errors = [line for line in project.printed().splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "ended with code -6 before it could train" in errors[0]


def test_a_process_that_decides_and_dies_again_and_again_ends_its_worker(project):
    project.study(execution="workers", target__options={"table": "table.csv", "seconds": 0.3})
    (decider,) = begin(project)
    decider.kill()
    worker, killed = Actor(project, "work", "results/table"), {decider.pid}
    while worker.code() is None:
        lease = project.results / "decider/lease"
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            pid = json.loads(lease.read_text())["pid"]
            if pid not in killed:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        time.sleep(0.05)
    assert (worker.code(), len(killed)) == (1, 1 + 3), project.printed()
    assert "the process that decides ended 3 times soon after its start" in project.printed()


def test_a_process_that_was_suspended_while_another_one_took_its_place_decides_no_more(project):
    project.study(execution="workers", target__options={"table": "table.csv", "seconds": 0.1})
    decider, worker = begin(project, "0")
    until(project.trains)
    os.kill(decider.pid, signal.SIGSTOP)
    # another process of this machine, alive: this test
    lease = project.results / "decider/lease"
    stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    taken = {**json.loads(lease.read_text()), "pid": os.getpid(), "started": int(stat[19]), "token": "other"}
    lease.with_name("taken").write_text(json.dumps(taken))
    lease.with_name("taken").replace(lease)
    agenda = (project.results / "agenda.json").read_bytes()
    os.kill(decider.pid, signal.SIGCONT)
    assert decider.wait() == 0
    assert "another process decides, as this one was suspended for too long" in project.printed()
    assert (project.results / "agenda.json").read_bytes() == agenda
    assert lease.exists()
    worker.kill()


def test_workers_leave_where_more_live_than_trials_are_left(project):
    # 9 trials, then 3, then 1, which trains until it may end
    project.study(execution="workers", search__brackets=[2], search__algorithm="hyperband", speculate=False)
    of_class(project, WAITS)
    decider, *workers = begin(project, "0", "1", "2", "3")
    until(lambda: [worker.code() for worker in workers].count(0) == 3)
    assert not (project.results / "best.yaml").exists()
    assert not json.loads((project.results / "agenda.json").read_text())["over"]
    (project.path / "may-end").touch()
    assert [actor.wait() for actor in (*workers, decider)] == [0] * 5

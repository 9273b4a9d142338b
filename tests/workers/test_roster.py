import json
import multiprocessing
import os
import time

import pytest

from swift_hyperband.processes import holders
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Training
from swift_hyperband.workers.roster import Roster, Seat


@pytest.fixture
def folder(tmp_path):
    return StudyFolder(tmp_path)


def test_workers_without_names_get_numbers_that_no_living_worker_has(folder):
    first, second = Seat(folder, None, first=2), Seat(folder, None, first=2)
    assert (first.name, second.name, second.number) == ("2", "3", 3)
    first.leave()
    third = Seat(folder, None, first=2)
    assert third.name == "2"
    roster = Roster(folder)
    roster.look()
    assert list(roster.living) == ["2", "3"]
    second.leave()
    third.leave()
    roster.look()
    assert roster.living == {}


def elsewhere(place):
    """Make the lease of a worker one of another machine that gives no sign of life."""
    held = json.loads((place / "lease").read_text())
    (place / "lease").unlink()
    (place / "lease").write_text(json.dumps(held | {"machine": "another", "host": "node9"}))


def test_the_number_of_a_worker_that_died_on_another_machine_is_free_again(folder, monkeypatch):
    monkeypatch.setattr(holders, "SILENT_AFTER", 0.0)
    monkeypatch.setattr(holders.Judge.__init__, "__defaults__", (holders.INTERVAL, 0.0))
    seat, roster = Seat(folder, None), Roster(folder)
    elsewhere(seat.folder)
    # it may live
    assert Seat(folder, None).name == "1"
    roster.look()
    time.sleep(0.01)
    roster.look()
    assert list(roster.living) == ["1"]
    assert Seat(folder, None).name == "0"
    # the dead one was only suspended
    assert not seat.hold()


def test_a_suspended_worker_takes_its_place_again_if_nobody_has_it(folder):
    seat, roster = Seat(folder, None), Roster(folder)
    assert seat.hold()
    (seat.folder / "lease").unlink()
    roster.look()
    assert roster.living == {}
    assert seat.hold()
    roster.look()
    assert list(roster.living) == ["0"]
    seat.leave()
    assert not (seat.folder / "lease").exists()


def test_jobs_of_an_array_begin_at_numbers_of_their_own(folder, monkeypatch):
    monkeypatch.setenv("SGE_TASK_ID", "undefined")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "41")
    assert [Seat(folder, None, first=2).name for _ in range(2)] == ["43", "44"]


def test_a_worker_waits_for_another_one_of_its_name_such_as_a_killed_head_leaves_behind(folder):
    def be(name):
        Seat(folder, name)
        (folder.path / "sits").touch()
        time.sleep(0.5)
        os._exit(0)

    other = multiprocessing.get_context("fork").Process(target=be, args=("node7-gpu1",))
    other.start()
    while not (folder.path / "sits").exists():
        time.sleep(0.01)
    assert Seat(folder, "node7-gpu2").number == Seat(folder, "node7-gpu1").number + 1
    assert not other.is_alive()
    assert other.exitcode == 0


def test_events_are_read_once_in_order_and_a_torn_line_when_it_is_whole(folder):
    seat, roster = Seat(folder, "0"), Roster(folder)
    seat.describe(at_a_time=3)
    seat.note("began", Training("a", 2))
    roster.look()
    assert roster.living == {"0": 3}
    found = [(worker, event.what, event.training) for worker, event in roster.events()]
    assert found == [("0", "arrived", ("", 0)), ("0", "began", ("a", 2))]
    assert list(roster.events()) == []
    seat.note("crashed", Training("a", 2), "ValueError: no luck")
    line = json.dumps({"what": "trained", "trial": "b", "epochs": 1, "time": 0.0, "error": None})
    path = folder.worker("0") / "events.jsonl"
    with path.open("a") as file:
        file.write(line[:20])
    (event,) = [event for _, event in roster.events()]
    assert (event.what, event.error) == ("crashed", "ValueError: no luck")
    with path.open("a") as file:
        file.write(line[20:] + "\nnoise\n")
    assert [event.trial for _, event in roster.events()] == ["b"]
    seat.leave()

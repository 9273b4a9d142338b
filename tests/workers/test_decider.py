"""What the process that decides makes of what it hears, and of what it does not hear."""

import random

import pytest

from swift_hyperband.processes.lease import LeaseLostError
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Training
from swift_hyperband.study.model import load
from swift_hyperband.training.trial import write_rows
from swift_hyperband.workers.agenda import Agenda
from swift_hyperband.workers.conduct import conduct_of
from swift_hyperband.workers.decider import Decider
from swift_hyperband.workers.roster import Seat
from swift_hyperband.workflow.deciding import deciding
from swift_hyperband.workflow.driver import begin_search


@pytest.fixture
def begun(project, monkeypatch):
    """Return a function that begins the project's search: its study and its folder."""
    monkeypatch.chdir(project.path)

    def begin(**keys):
        project.study(execution="workers", **keys)
        study = load(project.path / "config/config.yaml")
        folder = StudyFolder.of(study.name)
        folder.path.mkdir(parents=True)
        return begin_search(study, folder), folder

    return begin


@pytest.mark.parametrize("sampling", ["random", "tpe"])
def test_no_worker_is_spare_that_a_later_bracket_needs(begun, sampling):
    study, folder = begun(search__algorithm="hyperband", search__max_epochs=27, search__sampling=sampling)
    conduct, draw = conduct_of(folder, study), random.Random(1)
    asked, racing = list(conduct.resume()), []
    while not conduct.search.finished:
        racing.append(conduct.racing())
        training = asked.pop(0)
        conduct.tell(training.trial, [draw.random() for _ in range(training.epochs)])
        asked += conduct.ask(99)
    if sampling == "tpe":
        # the bracket of 27, 9, 3 and 1 trials begins when all others are over
        assert set(racing[:-13]) == {27}
    else:
        assert racing[0] == 27 + 12 + 6 + 4
    assert (racing[-1], conduct.racing()) == (1, 0)


def written(folder, name, epochs):
    """Let a trial have trained to an epoch."""
    write_rows(folder.trial(name), [{"epoch": epoch, "loss": 0.3, "seconds": 0.1} for epoch in range(1, epochs + 1)])


class StopError(Exception):
    """Ends the process that decides."""


def decided_until(folder, study, step):
    """Decide, and call `step` with the process that decides between two looks, until that returns True."""
    with deciding(folder) as held:
        found = Decider(folder, study, conduct_of(folder, study), held, lambda: step(found) and stop())
        with pytest.raises(StopError):
            found.run()


def stop():
    raise StopError


def test_a_training_of_which_a_living_worker_s_word_was_lost_is_found(begun, monkeypatch):
    monkeypatch.setattr("swift_hyperband.workers.decider.LOOK_EVERY", 0.05)
    study, folder = begun()
    seat, steps = Seat(folder, "0"), iter(range(10**6))
    trained, lost = "", ""

    def step(decider):
        nonlocal trained, lost
        agenda, number = decider._agenda, next(steps)
        if number == 1:
            (trained, epochs), (lost, more) = agenda.needed[:2]
            seat.note("began", Training(trained, epochs))
            seat.note("began", Training(lost, more))
            written(folder, trained, epochs)
            with (folder.worker("0") / "events.jsonl").open("a") as file:
                file.write('{"what": "trai')
        if number < 2 or any(training.trial == lost for training in agenda.taken):
            return False
        assert any(training.trial == lost for training in agenda.needed), "another worker may train it"
        return trained in decider._conduct.search.curves

    decided_until(folder, study, step)
    # the next event is whole, whatever lies before it
    seat.leave()
    seat = Seat(folder, "0")
    lines = (folder.worker("0") / "events.jsonl").read_text().splitlines()
    assert (lines[-2], '"arrived"' in lines[-1]) == ('{"what": "trai', True)
    seat.leave()


def test_crashes_before_another_process_decides_are_told_once(begun, caplog):
    study, folder = begun()
    seat = Seat(folder, "0")
    name = next(iter(study.trials(2)))
    seat.note("began", Training(name, 1))
    seat.note("crashed", Training(name, 1), "ValueError: no luck")
    steps = iter(range(10**6))

    def step(_):
        if (number := next(steps)) == 2:
            seat.note("began", Training(name, 1))
            seat.note("crashed", Training(name, 1), "ValueError: no luck again")
        return number > 2 and caplog.text

    decided_until(folder, study, step)
    assert caplog.text.count("crash in worker 0") == 1
    assert "no luck again" in caplog.text
    seat.leave()


def test_an_agenda_that_an_earlier_process_writes_too_late_is_written_over(begun, monkeypatch):
    monkeypatch.setattr("swift_hyperband.workers.decider.LOOK_EVERY", 0.05)
    study, folder = begun()
    late, steps = Agenda("another"), iter(range(10**6))

    def step(decider):
        if (number := next(steps)) == 2:
            late.write(folder.agenda)
        return number > 2 and Agenda.read(folder.agenda) == decider._agenda

    decided_until(folder, study, step)


def test_a_process_that_decides_no_more_writes_no_agenda(begun):
    study, folder = begun()
    with deciding(folder) as held:
        found = Decider(folder, study, conduct_of(folder, study), held)
        (folder.decider / "lease").unlink()
        with pytest.raises(LeaseLostError):
            found._plan()
    assert not folder.agenda.exists()


def test_the_events_of_workers_that_have_left_are_read_when_it_is_looked_who_lives(begun):
    study, folder = begun()
    seat, other = Seat(folder, "0"), Seat(folder, "1")
    opened = []

    def step(decider):
        read = decider._roster._data
        if not opened:
            other.leave()
            decider._roster.look()
            list(decider._roster.events())
            decider._roster._data = lambda name, begin: opened.append(name) or read(name, begin)
            decider._look_at = float("inf")
        return len(opened) > 5

    decided_until(folder, study, step)
    assert set(opened) == {"0"}
    seat.leave()

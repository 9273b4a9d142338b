"""How long a worker stays whose job has a time limit."""

import time

import pytest

from swift_hyperband import cli
from swift_hyperband.cli import work
from swift_hyperband.processes.exit_codes import TRY_AGAIN
from swift_hyperband.results.freeze import load_frozen
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import Training
from swift_hyperband.study.model import load
from swift_hyperband.training.child import import_target
from swift_hyperband.training.clock import RESERVE, Clock
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import write_rows
from swift_hyperband.workers.agenda import Agenda
from swift_hyperband.workers.conduct import conduct_of
from swift_hyperband.workers.roster import Seat
from swift_hyperband.workers.worker import Worker
from swift_hyperband.workflow.driver import begin_search


class Told:
    """In the place of the process that decides: an agenda that needs nothing, then another one."""

    is_mine, is_here = False, True

    def __init__(self, then, after):
        self._agendas = [Agenda("told", workers=2), then]
        self._after = time.monotonic() + after

    def agenda(self):
        return self._agendas[time.monotonic() > self._after]


@pytest.fixture
def seat(project, monkeypatch):
    monkeypatch.chdir(project.path)
    study = load(project.path / "config/config.yaml")
    folder = StudyFolder.of(study.name)
    folder.path.mkdir(parents=True)
    begin_search(study, folder)
    # no job of these tests has the time to import what torch needs, where an earlier test has imported torch
    import_target(TrainingSettings.from_study_json(study.definition(), retries=0))
    found = Seat(folder, "0")
    yield found
    found.leave()


def trained(seat, seconds_left, then=None, after=0.0):
    """Run a worker; return its exit code, whether it could train, and what it began."""
    folder = StudyFolder.of("table")
    agenda = then if then is not None else Agenda("told", workers=2)
    worker = Worker(folder, load_frozen(folder), seat, Told(agenda, after), Clock.of(seconds_left), queued=True)
    code = worker.run()
    began = [line for line in (seat.folder / "events.jsonl").read_text().splitlines() if '"began"' in line]
    return code, worker.could_train, len(began)


def test_a_worker_that_finds_nothing_to_train_ends_before_its_time_is_over(seat):
    assert trained(seat, RESERVE + 3.0) == (TRY_AGAIN, True, 0)


def test_a_worker_that_has_no_time_to_train_says_so(seat):
    assert trained(seat, RESERVE / 1000) == (TRY_AGAIN, False, 0)


@pytest.mark.parametrize(("after", "began"), [(0.0, 1), (3.0, 0)])
def test_a_worker_begins_an_epoch_that_does_not_fit_only_if_it_is_new(seat, after, began):
    folder = StudyFolder.of("table")
    study = load(folder.path.parents[1] / "config/config.yaml")
    name = conduct_of(folder, study).resume()[0].trial
    write_rows(folder.trial(name), [{"epoch": 1, "loss": 0.3, "seconds": 1000.0}])
    agenda = Agenda("told", needed=(Training(name, 2),), workers=2)
    assert trained(seat, RESERVE + 10.0, agenda, after) == (TRY_AGAIN, True, began)


@pytest.mark.parametrize(("behind", "began"), [(0, 1), (1, 0)])
def test_a_worker_trains_nothing_again_ahead_of_the_search(seat, behind, began):
    folder = StudyFolder.of("table")
    study = load(folder.path.parents[1] / "config/config.yaml")
    name = conduct_of(folder, study).resume()[0].trial
    write_rows(folder.trial(name), [{"epoch": 1, "loss": 0.3, "seconds": 0.1}][:behind])
    agenda = Agenda("told", hopes=(Training(name, 2),), workers=2)
    assert trained(seat, RESERVE + 3.0, agenda) == (TRY_AGAIN, True, began), "its state is gone"


def test_the_time_of_a_job_runs_while_it_waits_for_its_place(project, monkeypatch):
    clocks = []

    class Waiting(Seat):
        def __init__(self, *arguments, **keys):
            clocks.append(time.monotonic())
            super().__init__(*arguments, **keys)

    class Noted:
        could_train = True

        def __init__(self, *arguments):
            clocks.append(arguments[4].deadline)

        def run(self):
            return TRY_AGAIN

    monkeypatch.chdir(project.path)
    study = load(project.path / "config/config.yaml")
    begin_search(study, StudyFolder.of(study.name))
    monkeypatch.setattr(work, "Seat", Waiting)
    monkeypatch.setattr(work, "Worker", Noted)
    assert cli.main(["work", "results/table", "--name", "0", "--minutes", "2"]) == TRY_AGAIN
    waits, deadline = clocks
    assert deadline - 120 < waits

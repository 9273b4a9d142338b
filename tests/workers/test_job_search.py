"""A shared disk that is away for a moment ends no search by workers."""

import errno
import json
import random

import pytest
from worker_actors import Actor

from swift_hyperband.processes import lease
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.model import load
from swift_hyperband.workers import agenda, job_search
from swift_hyperband.workers.roster import Roster
from swift_hyperband.workers.start import Deciding


def failing(number, errors, real):
    """Return a function that fails for some of its calls, and else does what the real one does."""
    calls = iter(range(10**9))

    def call(*arguments):
        if next(calls) in errors:
            raise OSError(number, "away", "results/table")
        return real(*arguments)

    return call


def test_a_disk_that_is_away_for_a_moment_ends_no_search(project, monkeypatch):
    monkeypatch.chdir(project.path)
    monkeypatch.setattr(job_search, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(Roster, "look", failing(errno.EIO, {0, 2}, Roster.look))
    study = load(project.path / "config/config.yaml")
    worker = Actor(project, "work", "config/config.yaml", "--name", "0")
    job_search.decide(StudyFolder.of(study.name), study)
    assert worker.wait() == 0, project.printed()
    found = json.loads((project.results / "agenda.json").read_text())
    assert (found["over"], found["error"]) == (True, None)


@pytest.mark.parametrize(("number", "error"), [(errno.EIO, None), (errno.ENOSPC, "the disk must take what is written")])
def test_the_agenda_tells_of_a_full_disk_and_not_of_one_that_is_away(project, monkeypatch, number, error):
    monkeypatch.chdir(project.path)
    monkeypatch.setattr(job_search, "PAUSES", ())
    monkeypatch.setattr(Roster, "look", failing(number, {1}, Roster.look))
    monkeypatch.setattr("swift_hyperband.workers.decider.LOOK_EVERY", 0.01)
    study = load(project.path / "config/config.yaml")
    with pytest.raises(OSError, match="away"):
        job_search.decide(StudyFolder.of(study.name), study)
    found = json.loads((project.results / "agenda.json").read_text())["error"]
    assert error is found is None or error.replace(" is written", "") in found


def test_a_search_that_the_head_is_beginning_is_not_decided_yet_and_that_is_no_error(project, monkeypatch):
    monkeypatch.chdir(project.path)
    study = load(project.path / "config/config.yaml")
    folder = StudyFolder.of(study.name)
    folder.path.mkdir(parents=True)
    with lease.acquire(folder.path, unless=lambda: False):
        job_search.decide(folder, study)
    assert not folder.agenda.exists()


def test_a_worker_starts_no_process_to_decide_where_the_search_has_just_ended(project, monkeypatch):
    monkeypatch.chdir(project.path)
    folder = StudyFolder.of("table")
    agenda.Agenda("told").write(folder.agenda)
    deciding = Deciding(folder, str(folder.path))

    def ends(*_):
        agenda.Agenda("told", over=True).write(folder.agenda)
        return 0.0

    monkeypatch.setattr(random, "uniform", ends)
    deciding.agenda()
    assert not deciding.is_mine
    assert deciding.agenda().over


def test_a_worker_waits_while_the_disk_is_away(project, monkeypatch):
    monkeypatch.chdir(project.path)
    folder = StudyFolder.of("table")
    agenda.Agenda("told").write(folder.agenda)
    deciding = Deciding(folder, str(folder.path))
    monkeypatch.setattr(deciding._watch, "is_held", lambda _: True)
    monkeypatch.setattr(agenda, "read_text", failing(errno.ETIMEDOUT, {0}, agenda.read_text))
    assert deciding.agenda() is None
    assert deciding.agenda() == agenda.Agenda("told")
    monkeypatch.setattr(deciding, "_look_at", 0.0)
    monkeypatch.setattr(deciding._watch, "is_held", failing(errno.EIO, {0}, lambda _: True))
    assert deciding.agenda() is None
    assert deciding.agenda() == agenda.Agenda("told")

"""A search of which no job can succeed is given up, whatever retries the profile gives."""

from types import SimpleNamespace

import pytest

from swift_hyperband.workflow.retrying import give_up_with


@pytest.fixture
def scheduler(monkeypatch):
    """Return what Snakemake's scheduler is to the function that is replaced; no job is really handled."""
    from snakemake.scheduling.job_scheduler import JobScheduler

    handled = []
    monkeypatch.setattr(JobScheduler, "_handle_error", lambda scheduler, job: handled.append(job))
    rules = [SimpleNamespace(restart_times=3), SimpleNamespace(restart_times=1)]
    found = SimpleNamespace(keepgoing=True, workflow=SimpleNamespace(rules=rules), handled=handled)
    found.fail = lambda job: JobScheduler._handle_error(found, job)
    return found


def test_jobs_are_tried_again_as_long_as_there_is_no_reason_to_give_up(scheduler, capsys):
    give_up_with(lambda: None)
    scheduler.fail("a")
    assert scheduler.keepgoing
    assert [rule.restart_times for rule in scheduler.workflow.rules] == [3, 1]
    assert scheduler.handled == ["a"]
    assert capsys.readouterr().err == ""


def test_once_there_is_a_reason_nothing_is_tried_again_and_that_is_said_once(scheduler, capsys):
    give_up_with(lambda: "every trial crashes alike")
    scheduler.fail("a")
    scheduler.fail("b")
    assert not scheduler.keepgoing
    assert [rule.restart_times for rule in scheduler.workflow.rules] == [0, 0]
    assert scheduler.handled == ["a", "b"]
    assert capsys.readouterr().err == "swift-hyperband: every trial crashes alike\n"


def test_a_worker_whose_time_is_over_starts_again_as_often_as_it_takes(scheduler):
    def job(rule, worker):
        found = SimpleNamespace(name=rule)
        # Snakemake has counted one more for the next start
        return SimpleNamespace(rule=found, wildcards=SimpleNamespace(worker=worker), attempt=2)

    give_up_with(lambda: None, lambda name: name == "0")
    over, failed, train = job("worker", "0"), job("worker", "1"), job("train_full", "0")
    for one in (over, failed, train):
        scheduler.fail(one)
    assert [one.attempt for one in (over, failed, train)] == [1, 2, 2]


def test_the_installed_snakemake_has_the_function_that_is_replaced():
    from snakemake.scheduling.job_scheduler import JobScheduler

    assert callable(JobScheduler._handle_error)

"""Whatever SLURM says, or does not say, of a job: the head does not wait for ever, and forgets no job."""

import asyncio
from types import SimpleNamespace

import pytest

from swift_hyperband.slurm import plugin as slurm_plugin


class Logger:
    def debug(self, text):
        pass


def job(number):
    return SimpleNamespace(external_jobid=number, job=SimpleNamespace(log=[f"logs/{number}.log"]))


@pytest.fixture
def plugin():
    """Return a plugin that does as the real one does: keeps what is not over, and nothing when nobody answers."""

    async def query_job_status(command, logger):
        return (found.answers.pop(0), 0.1) if found.answers else (None, None)

    class Executor:
        def __init__(self):
            self.failed = {}
            self.done = []

        def report_job_error(self, job, msg):
            self.failed[job.external_jobid] = msg

        async def check_active_jobs(self, jobs):
            states, _ = await found.query_job_status("squeue", Logger())
            for job in jobs if states is not None else ():
                state = states.get(job.external_jobid)
                if state == "CANCELLED":
                    self.report_job_error(job, "SLURM status is: 'CANCELLED'")
                elif state == "COMPLETED":
                    self.done.append(job.external_jobid)
                else:
                    yield job

    found = SimpleNamespace(
        query_job_status=query_job_status, get_min_job_age=lambda: found.age, Executor=Executor, answers=[], age=None
    )
    slurm_plugin.mend(found)
    return found


def check(executor, jobs):
    async def kept():
        return [job.external_jobid async for job in executor.check_active_jobs(jobs)]

    return asyncio.run(kept())


def test_jobs_are_kept_while_nobody_answers_how_they_are(plugin):
    executor = plugin.Executor()
    assert check(executor, [job("1"), job("2")]) == ["1", "2"]
    plugin.answers = [{"1": "RUNNING", "2": "COMPLETED"}]
    assert check(executor, [job("1"), job("2")]) == ["1"]
    assert (executor.failed, executor.done) == ({}, ["2"])


@pytest.mark.parametrize("state", ["PREEMPTED", "REVOKED", "CANCELLED by 1000"])
def test_a_job_that_slurm_will_not_start_again_has_failed(plugin, state):
    executor = plugin.Executor()
    plugin.answers = [{"1": state}]
    assert check(executor, [job("1")]) == []
    assert "1" in executor.failed


def test_a_job_that_slurm_no_longer_knows_has_failed_after_a_while(plugin, monkeypatch):
    executor = plugin.Executor()
    plugin.answers = [{"2": "RUNNING"}] * 3
    assert check(executor, [job("1"), job("2")]) == ["1", "2"], "it may have been submitted just now"
    monkeypatch.setattr(slurm_plugin, "UNKNOWN_AFTER", 0.0)
    assert check(executor, [job("1"), job("2")]) == ["2"]
    assert executor.failed == {"1": "SLURM no longer knows job 1; it is submitted again"}


def test_the_profiles_way_to_ask_is_kept_while_the_controller_is_away(plugin):
    assert plugin.get_min_job_age() == slurm_plugin.MIN_JOB_AGE
    plugin.age = 600
    assert plugin.get_min_job_age() == 600
    plugin.age = None
    assert plugin.get_min_job_age() == 600


def test_the_head_says_now_and_then_what_it_waits_for(plugin, monkeypatch, capsys):
    executor = plugin.Executor()
    plugin.answers = [{"1": "RUNNING"}, {"1": "RUNNING"}, {"1": "RUNNING"}]
    check(executor, [job("1"), job("2")])
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(slurm_plugin, "SAY_AFTER", 0.0)
    check(executor, [job("1"), job("2")])
    assert "it waits for 1 RUNNING (logs/1.log), 2 unknown to SLURM (logs/2.log)\n" in capsys.readouterr().err
    plugin.answers = []
    check(executor, [job("1"), job("2")])
    assert "waits for 2 jobs, and SLURM does not answer how they are" in capsys.readouterr().err


def test_the_real_plugin_has_what_is_mended(monkeypatch):
    plugin = pytest.importorskip("snakemake_executor_plugin_slurm")
    for name in ("query_job_status", "get_min_job_age", "mended"):
        monkeypatch.setattr(plugin, name, getattr(plugin, name, False), raising=False)
    monkeypatch.setattr(plugin.Executor, "check_active_jobs", plugin.Executor.check_active_jobs)
    before = plugin.query_job_status
    slurm_plugin.mend(plugin)
    assert plugin.query_job_status is not before
    mended = plugin.query_job_status
    slurm_plugin.mend(plugin)
    assert plugin.query_job_status is mended, "once is enough"

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
            self.slept = 0

        def report_job_error(self, job, msg):
            self.failed[job.external_jobid] = msg

        def report_job_success(self, job):
            self.done.append(job.external_jobid)

        async def sleep(self):
            await asyncio.sleep(600 if self.done else 0)
            self.slept += 1

        async def check_active_jobs(self, jobs):
            states, _ = await found.query_job_status("squeue", Logger())
            for job in jobs if states is not None else ():
                state = states.get(job.external_jobid)
                if state in ("CANCELLED", "TIMEOUT"):
                    self.report_job_error(job, f"SLURM status is: '{state}'")
                elif state == "COMPLETED":
                    self.report_job_success(job)
                else:
                    yield job

    found = SimpleNamespace(
        query_job_status=query_job_status, get_min_job_age=lambda: found.age, Executor=Executor, answers=[], age=None
    )
    found.over, found.taken, found.error = False, set(), None
    slurm_plugin.mend(found, lambda: found.over, found.taken, lambda: found.error)
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


def worker(number, output):
    rule = SimpleNamespace(name="worker")
    return SimpleNamespace(external_jobid=number, job=SimpleNamespace(rule=rule, log=[], output=[output]))


def test_when_a_search_is_over_workers_in_the_queue_are_not_waited_for(plugin, tmp_path, monkeypatch):
    states, cancelled = {"0": "RUNNING", "1": "RUNNING", "2": "PENDING"}, []

    def ask(numbers):
        if not states:
            raise slurm_plugin.queue.SlurmError("squeue: must be there")
        return states

    monkeypatch.setattr(slurm_plugin.queue, "states", ask)
    monkeypatch.setattr(slurm_plugin.queue, "cancel_numbers", lambda numbers, pauses: cancelled.extend(numbers))
    # a site's own commands have the same executor, without what is corrected in the SLURM plugin
    plain = SimpleNamespace(Executor=type("Plain", (plugin.Executor,), {"check_active_jobs": kept}))
    slurm_plugin.let_workers_end(plain, lambda: plugin.over)
    for number, executor in enumerate((plugin.Executor(), plain.Executor())):
        plugin.over, found = False, tmp_path / str(number)
        cancelled.clear()
        states.update({"2": "PENDING"})
        outputs = [found / name for name in ("ended", "running", "pending")]
        found.mkdir()
        outputs[0].touch()
        workers = [worker(str(number), output) for number, output in enumerate(outputs)]
        plugin.answers = [{"0": "RUNNING", "1": "RUNNING", "2": "PENDING"}] * 9
        assert check(executor, workers) == ["0", "1", "2"]
        plugin.over = True
        assert sorted(check(executor, workers)) == ["1", "2"], "it ends in a moment"
        assert cancelled == ["2"]
        states["2"] = "COMPLETING"
        assert sorted(check(executor, workers[1:])) == ["1", "2"], "it had begun, and removes its output"
        assert not outputs[2].exists()
        states["2"] = "CANCELLED"
        assert check(executor, workers[1:]) == ["1"]
        assert executor.done == ["0", "2"]
        assert outputs[2].exists(), "Snakemake looks for it"
        states_before = dict(states)
        states.clear()
        assert check(executor, workers[1:2]) == ["1"], "SLURM does not answer, or is not there"
        states.update(states_before)
        assert cancelled == ["2"]


def test_when_a_search_cannot_go_on_workers_in_the_queue_fail_at_once(plugin, tmp_path, monkeypatch):
    states, cancelled = {"0": "RUNNING", "1": "PENDING", "2": "PENDING"}, []
    monkeypatch.setattr(slurm_plugin.queue, "states", lambda numbers: states)
    monkeypatch.setattr(slurm_plugin.queue, "cancel_numbers", lambda numbers, pauses: cancelled.extend(numbers))
    monkeypatch.setattr(slurm_plugin, "LOOK_EVERY", 0.01)
    executor, jobs = plugin.Executor(), [worker("0", tmp_path / "0"), worker("1", tmp_path / "1"), job("2")]
    plugin.answers = [states] * 9
    assert check(executor, jobs) == ["0", "1", "2"]
    executor.done.append("its pauses are of ten minutes now")
    plugin.error = "results/a/agenda.json: must be readable"
    asyncio.run(asyncio.wait_for(executor.sleep(), 60))
    # the one at work reads the reason itself, and jobs of others are not its business
    assert sorted(check(executor, jobs)) == ["0", "2"]
    assert (executor.failed, cancelled) == ({"1": plugin.error}, ["1"])
    with pytest.raises(TimeoutError):
        # it was told: SLURM is not asked every second from here on
        asyncio.run(asyncio.wait_for(executor.sleep(), 0.2))


async def kept(executor, jobs):
    for job in jobs:
        yield job


def test_workers_of_an_earlier_start_are_asked_for_by_their_numbers(plugin, monkeypatch):
    asked = []

    def states(numbers):
        asked.append(set(numbers))
        if len(asked) == 2:
            raise slurm_plugin.queue.SlurmError("squeue: must answer")
        return {"17": "RUNNING" if len(asked) == 1 else "TIMEOUT"}

    monkeypatch.setattr(slurm_plugin.queue, "states", states)
    monkeypatch.setattr(slurm_plugin, "UNKNOWN_AFTER", 0.0)
    plugin.taken.add("17")
    executor = plugin.Executor()
    plugin.answers = [{"1": "RUNNING"}] * 3
    assert check(executor, [job("1"), job("17")]) == ["1", "17"]
    assert check(executor, [job("1"), job("17")]) == ["1", "17"], "nobody answers"
    assert check(executor, [job("1"), job("17")]) == ["1"]
    assert executor.failed == {"17": "SLURM status is: 'TIMEOUT'"}
    assert asked == [{"17"}] * 3


def test_the_end_of_a_search_ends_the_pause_between_two_questions(plugin, monkeypatch):
    monkeypatch.setattr(slurm_plugin, "LOOK_EVERY", 0.01)
    executor = plugin.Executor()
    asyncio.run(executor.sleep())
    assert executor.slept == 1
    executor.done.append("its pauses are of ten minutes now")
    plugin.over = True
    asyncio.run(asyncio.wait_for(executor.sleep(), 60))
    assert executor.slept == 1


def test_the_real_plugin_has_what_is_mended(monkeypatch):
    plugin = pytest.importorskip("snakemake_executor_plugin_slurm")
    for name in ("query_job_status", "get_min_job_age", "mended"):
        monkeypatch.setattr(plugin, name, getattr(plugin, name, False), raising=False)
    for name in ("check_active_jobs", "sleep"):
        monkeypatch.setattr(plugin.Executor, name, getattr(plugin.Executor, name))
    before = plugin.query_job_status
    slurm_plugin.mend(plugin)
    assert plugin.query_job_status is not before
    mended = plugin.query_job_status
    slurm_plugin.mend(plugin)
    assert plugin.query_job_status is mended, "once is enough"

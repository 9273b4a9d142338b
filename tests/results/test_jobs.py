"""The record that each training job leaves: where it ran, how long it waited and ran, how it ended."""

import json
import os
import time

import pytest

from swift_hyperband.cli.result import spent
from swift_hyperband.results import jobs
from swift_hyperband.slurm import queue

ROUND = "bracket=2/round=0"


@pytest.fixture(autouse=True)
def outside_slurm(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)


def record(folder, outcome=None, error=None, queued=False):
    with jobs.recorded(folder / ROUND, "full", "0abc", gpus=2, cpus=4, queued=queued) as found:
        if error is not None:
            raise error
        found.outcome = outcome


@pytest.mark.parametrize("outcome", ["through", "out of time"])
def test_a_job_says_where_and_how_long_it_ran_and_how_it_ended(tmp_path, outcome):
    began = time.time()
    record(tmp_path, outcome)
    took = time.time() - began
    (found,) = jobs.read(tmp_path)
    assert (found.bracket, found.round, found.part, found.batch) == (2, 0, "full", "0abc")
    assert (found.host, found.slurm, found.submitted) == (os.uname().nodename, None, None)
    assert found.outcome == outcome
    assert 0 <= found.ran <= took
    assert found.log == "bracket=2/round=0/logs/full-0abc.log"


def test_a_worker_is_a_job_of_no_round(tmp_path):
    with jobs.recorded(tmp_path / "workers/3", jobs.WORKER, "3", gpus=1, cpus=1, queued=False) as record:
        record.outcome = "through"
    (found,) = jobs.read(tmp_path)
    assert (found.bracket, found.round, found.part, found.batch) == (-1, -1, "worker", "3")
    assert found.log == "workers/3/log"


def test_only_the_last_start_tells_whether_a_worker_ended_by_its_time(tmp_path):
    place = tmp_path / "workers/3"
    assert not jobs.was_out_of_time(place)
    for outcome, expected in [("out of time", True), ("failed", False), ("out of time", True)]:
        with jobs.recorded(place, jobs.WORKER, "3", gpus=1, cpus=1, queued=False) as record:
            record.outcome = outcome
        assert jobs.was_out_of_time(place) == expected


@pytest.mark.parametrize(("error", "outcome"), [(ValueError(), "failed"), (SystemExit(143), "stopped")])
def test_a_job_that_ends_by_an_error_or_a_signal_has_not_done_its_work(tmp_path, error, outcome):
    with pytest.raises(type(error)):
        record(tmp_path, error=error)
    assert [job.outcome for job in jobs.read(tmp_path)] == [outcome]


def test_a_job_that_was_killed_ended_when_it_gave_its_last_sign_of_life(tmp_path):
    with jobs.recorded(tmp_path / ROUND, "full", "0abc", gpus=1, cpus=1, queued=False):
        (path,) = tmp_path.glob("bracket=2/round=0/jobs/*.json")
        assert [job.outcome for job in jobs.read(tmp_path)] == ["at work"]
        # as a kill leaves it
        left = path.read_text()
    path.write_text(left)
    last = time.time() - 3600
    os.utime(path, (last, last))
    (found,) = jobs.read(tmp_path)
    assert found.outcome == "lost"
    assert found.ended == pytest.approx(last)


@pytest.mark.parametrize("skew", [-70, 70, -3600, 3600])
def test_a_job_at_work_on_a_file_server_with_another_clock_is_not_lost(tmp_path, monkeypatch, skew):
    monkeypatch.setattr(jobs, "disk_time", lambda folder: time.time() + skew)
    with jobs.recorded(tmp_path / ROUND, "full", "0abc", gpus=1, cpus=1, queued=False):
        (path,) = tmp_path.glob("bracket=2/round=0/jobs/*.json")
        # the server dates files by its own clock; this one was touched a moment ago
        os.utime(path, (time.time() + skew, time.time() + skew))
        assert [job.outcome for job in jobs.read(tmp_path)] == ["at work"]
        # and now it has been silent for more than a minute
        last = time.time() + skew - 65
        os.utime(path, (last, last))
        (found,) = jobs.read(tmp_path)
        assert (found.outcome, found.ended) == ("lost", pytest.approx(last))


def test_who_may_only_read_results_sees_jobs_by_the_own_clock(tmp_path, monkeypatch):
    def refuse(folder):
        raise PermissionError

    monkeypatch.setattr(jobs, "disk_time", refuse)
    with jobs.recorded(tmp_path / ROUND, "full", "0abc", gpus=1, cpus=1, queued=False):
        (path,) = tmp_path.glob("bracket=2/round=0/jobs/*.json")
        assert [job.outcome for job in jobs.read(tmp_path)] == ["at work"]
        os.utime(path, (0, 0))
        assert [job.outcome for job in jobs.read(tmp_path)] == ["lost"]


def test_looking_at_a_silent_job_leaves_nothing_behind(tmp_path):
    with jobs.recorded(tmp_path / ROUND, "full", "0abc", gpus=1, cpus=1, queued=False):
        (path,) = tmp_path.glob("bracket=2/round=0/jobs/*.json")
        os.utime(path, (0, 0))
        assert [job.outcome for job in jobs.read(tmp_path)] == ["lost"]
        assert list(path.parent.iterdir()) == [path]


def test_what_all_jobs_took_is_their_sum(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setattr(queue, "times", lambda job: (time.time() - 3600, time.time() - 1800))
    record(tmp_path, "through", queued=True)
    record(tmp_path, "through", queued=True)
    (path, *_) = tmp_path.glob("bracket=2/round=0/jobs/*.json")
    assert {job.slurm for job in jobs.read(tmp_path)} == {"17"}
    found = jobs.totals([*jobs.read(tmp_path)])
    assert found.jobs == 2
    assert found.queue_hours == pytest.approx(1.0, abs=0.1)
    assert found.core_hours == pytest.approx(2 * found.gpu_hours)
    assert found.gpu_hours == pytest.approx(2.0, abs=0.1), "the allocation counts from its beginning, for 2 GPUs each"
    assert found.outcomes == {"through": 2}
    path.write_text("{")
    assert len(jobs.read(tmp_path)) == 1, "nothing rests on a damaged record"


def test_what_runs_within_an_allocation_did_not_wait_for_that_allocation(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    record(tmp_path, "through", queued=False)
    assert [(job.slurm, job.waited) for job in jobs.read(tmp_path)] == [(None, 0)]


def test_jobs_that_have_ended_are_read_once(tmp_path):
    record(tmp_path, "through")
    known = {}
    assert jobs.read(tmp_path, known) == list(known.values())
    (path,) = known
    path.write_text("")
    assert len(jobs.read(tmp_path, known)) == 1


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (jobs.Totals(29, 0.0, 0.0394, 0.0, {"through": 29}), "29 started; 0.0394 core-hours"),
        (
            jobs.Totals(40, 1.5, 3.0, 0.25, {"through": 36, "out of time": 1, "failed": 2, "lost": 1}),
            "40 started, 1 out of time, 2 failed, 1 lost; 1.5 GPU-hours, 3 core-hours, 0.25 hours in the queue",
        ),
    ],
)
def test_what_jobs_took_and_how_they_ended_is_told_in_a_line(found, text):
    assert spent(found) == text


@pytest.mark.parametrize("content", ["", "[]", "null", "{}", '{"started": null}', '{"outcome": 3}', "[" * 50_000])
def test_a_damaged_record_of_a_job_is_left_out(tmp_path, content):
    record(tmp_path, "through")
    (path,) = tmp_path.glob("bracket=2/round=0/jobs/*.json")
    sound = json.loads(path.read_text())
    other = path.with_name("other.json")
    other.write_text(json.dumps(sound | json.loads(content)) if content.startswith('{"') else content)
    assert len(jobs.read(tmp_path)) == 1

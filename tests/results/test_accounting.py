"""GPU-hours and queue hours are those of SLURM's own books: start-up is no queue, cancelled jobs count."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from swift_hyperband.cli.result import spent
from swift_hyperband.results import accounting, jobs
from swift_hyperband.slurm import queue

COMMENT = "rule_train_full_wildcards_table_2_0_0abc"
NOW = int(time.time())


def job(**keys):
    found = jobs.Job(2, 0, "full", "0abc", "n1", "17", 1, 1, NOW, NOW + 100.5, NOW + 160.5, "through", estimated=True)
    return replace(found, **keys)


def run(**keys):
    found = queue.Run("17", NOW, NOW + 97, NOW + 163, "COMPLETED", 2, 1, "n1", "swift-hyperband-table_1", COMMENT, "/")
    return replace(found, **keys)


def test_a_job_takes_what_its_allocation_lasted():
    (found,) = accounting.put_together([job()], [run()])
    assert (found.waited, found.ran, found.cpus, found.estimated) == (97, 66, 2, False)


def test_a_job_that_slurm_has_forgotten_is_said_to_be_estimated():
    found = accounting.put_together([job()], [])
    assert spent(jobs.totals(found)).endswith("(at least: SLURM did not tell how 1 of them ended)")


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("CANCELLED", "stopped"),
        ("TIMEOUT", "out of time"),
        ("NODE_FAIL", "lost"),
        ("OUT_OF_MEMORY", "failed"),
        ("LAUNCH_FAILED", "failed"),
    ],
)
def test_a_job_that_left_no_record_counts(state, outcome):
    (found,) = accounting.put_together([], [run(state=state)])
    assert (found.bracket, found.round, found.part, found.batch, found.outcome) == (2, 0, "full", "0abc", outcome)
    (found,) = accounting.put_together([job(outcome="lost")], [run(state=state)])
    assert found.outcome == outcome


def test_a_worker_that_left_no_record_counts_by_its_name():
    (found,) = accounting.put_together([], [run(comment="rule_worker_wildcards_table_12", state="NODE_FAIL")])
    assert (found.bracket, found.part, found.batch, found.outcome, found.ran) == (-1, "worker", "12", "lost", 66)


def test_a_job_that_slurm_started_again_counts_with_both_runs():
    first, second = job(), job(submitted=NOW + 170.0, started=NOW + 182.0, ended=NOW + 200.0)
    again = run(submitted=NOW + 170, started=NOW + 180, ended=NOW + 203)
    found = jobs.totals(accounting.put_together([first, second], [again, run(state="REQUEUED")]))
    assert found.jobs == 2
    assert found.gpu_hours * 3600 == pytest.approx(66 + 23)
    assert found.queue_hours * 3600 == pytest.approx(97 + 10)


def test_two_jobs_of_the_workflow_in_one_of_slurms_take_it_once():
    found = jobs.totals(accounting.put_together([job(), job(batch="0def", started=NOW + 130.0)], [run()]))
    assert found.gpu_hours * 3600 == pytest.approx(66)
    assert found.queue_hours * 3600 == pytest.approx(97)


QUEUE = f"""#!/bin/sh
case "$*" in *states=all*) ;; *) exit 0 ;; esac
[ -e forgotten ] && exit 0
cat <<END
1|{NOW}|{NOW + 2}|{NOW + 12}|COMPLETED|1|cpu=1,gres/gpu=2|n1|swift-hyperband-table_1-2|{COMMENT}|$PWD
2|{NOW}|{NOW + 5}|{NOW + 5}|CANCELLED|1|cpu=1,gres/gpu=2||swift-hyperband-table_1-2|{COMMENT}|$PWD
3|{NOW}|{NOW + 50}|{NOW + 90}|PENDING|1|cpu=1,gres/gpu=2||swift-hyperband-table_1-2|{COMMENT}|$PWD
4|{NOW}|{NOW + 4}|{NOW + 900}|RUNNING|1|cpu=1,gres/gpu=2|n1|swift-hyperband-table_1-2|{COMMENT}|$PWD
5|{NOW}|{NOW + 2}|{NOW + 12}|COMPLETED|1|cpu=1,gres/gpu=2|n1|other|(null)|$PWD
6|{NOW - 9000}|{NOW - 8000}|{NOW - 7000}|COMPLETED|1|cpu=1|n1|swift-hyperband-table_1-2|{COMMENT}|$PWD
END
"""
BOOKS = f"""#!/bin/sh
[ -e disabled ] && {{ echo 'Slurm accounting storage is disabled' >&2; exit 1; }}
cat <<END
7|{NOW}|{NOW + 1}|{NOW + 6}|CANCELLED by 0|1|cpu=1,gres/gpu=2|n1|swift-hyperband-table_1-2||$PWD
8|{NOW}|None|{NOW + 6}|CANCELLED by 0|1||None assigned|swift-hyperband-table_1-2||$PWD
4|{NOW}|{NOW + 4}|Unknown|RUNNING|1|cpu=1,gres/gpu=2|n1|swift-hyperband-table_1-2||$PWD
9|{NOW}|{NOW + 1}|{NOW + 4}|REQUEUED|1|cpu=1,gres/gpu=2|n1|swift-hyperband-table_1-2||$PWD
END
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bin").mkdir()
    for name, script in {"squeue": QUEUE, "sacct": BOOKS}.items():
        Path("bin", name).write_text(script)
        Path("bin", name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    found = Path("results/table")
    found.mkdir(parents=True)
    (found / "study.json").write_text("{}")
    # the search began with the jobs, however long ago this module was imported
    os.utime(found / "study.json", (NOW, NOW))
    return found


def test_squeue_and_sacct_together_tell_what_this_searchs_jobs_took(folder):
    accounting.note(folder)
    found = {job.slurm: job for job in accounting.read(folder)}
    assert set(found) == {"1", "4", "7", "9"}
    assert [found[number].outcome for number in ("1", "4", "7", "9")] == ["through", "at work", "stopped", "stopped"]
    assert [found[number].ran for number in ("1", "7", "9")] == [10, 5, 3]
    assert found["1"].gpus == 2


def test_what_slurm_forgets_stays_noted(folder):
    Path("disabled").touch()
    accounting.note(folder)
    Path("forgotten").touch()
    accounting.note(folder)
    assert {job.slurm for job in accounting.read(folder)} == {"1", "4"}
    right = json.loads((folder / "slurm.json").read_text())["runs"][0]
    for wrong in (
        {"id": 1},
        right | {"submitted": "x"},
        right | {"ended": [1]},
        right | {"more": 1},
        right | {"cpus": 10**400},
        right | {"ended": 1e300},
        None,
        7,
    ):
        (folder / "slurm.json").write_text(json.dumps({"runs": [wrong]}))
        assert accounting.read(folder) == [], "nothing rests on a damaged note"
        assert accounting.noted(folder) == []

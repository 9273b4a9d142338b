"""Workers that a killed head left in SLURM's queue are workers of the next head."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from slurm_stand_in import job

from swift_hyperband.slurm import left_workers

COMMENT = "rule_worker_wildcards_table_{}"


@pytest.fixture
def plugin():
    """Return a plugin that does as the real ones do."""

    class Executor:
        def __init__(self):
            self.submitted = []
            self.followed = {}

        @staticmethod
        def remembers(_):
            return {}

        def run_job(self, job):
            self.submitted.append(job.wildcards.worker)

        def report_job_submission(self, found):
            assert found.aux == self.remembers(found.external_jobid)
            self.followed[found.job.wildcards.worker] = found.external_jobid

    def info(job, external_jobid, aux):
        return SimpleNamespace(job=job, external_jobid=external_jobid, aux=aux)

    return SimpleNamespace(Executor=Executor, SubmittedJobInfo=info)


def worker(name):
    return SimpleNamespace(rule=SimpleNamespace(name="worker"), wildcards=SimpleNamespace(worker=name))


def test_a_worker_in_the_queue_is_followed_once_and_the_others_are_submitted(queue, plugin):
    lines = [
        job(17, comment=COMMENT.format(1)),
        job(18, state="PENDING", comment=COMMENT.format(2)),
        job(19, state="COMPLETING", comment=COMMENT.format(0)),
        job(20, comment="rule_train_full_wildcards_table_3_0_99c48c7fa4"),
        job(21, comment=COMMENT.format(3), folder="/somewhere/else"),
        # two heads were killed, and left one each: that at work counts
        job(22, state="PENDING", comment=COMMENT.format(1)),
    ]
    Path("queue").write_text("\n".join(lines) + "\n")
    taken = left_workers.take_over([plugin], "table")
    executor = plugin.Executor()
    for name in "0123":
        executor.run_job(worker(name))
    assert executor.followed == {"1": "17", "2": "18"}
    assert executor.submitted == ["0", "3"]
    assert taken == {"17", "18"}
    executor.run_job(worker("1"))
    assert executor.submitted == ["0", "3", "1"], "its job has ended before the search"


def test_where_slurm_does_not_answer_all_workers_are_submitted(queue, plugin):
    Path("broken").touch()
    assert left_workers.take_over([plugin], "table") == set()
    executor = plugin.Executor()
    executor.run_job(worker("0"))
    assert executor.submitted == ["0"]


@pytest.mark.parametrize("name", [left_workers.PLUGIN, left_workers.GENERIC])
def test_the_real_plugins_have_what_is_wrapped(name):
    plugin = pytest.importorskip(name)
    assert callable(plugin.Executor.run_job)
    assert plugin.SubmittedJobInfo("job", external_jobid="17", aux={}).external_jobid == "17"


def test_the_log_of_a_worker_is_known_to_the_slurm_plugin(queue, plugin, tmp_path):
    Path("queue").write_text(job(17, comment=COMMENT.format(1)) + "\n" + job(18, comment=COMMENT.format(2)) + "\n")
    left = tmp_path / "rule_worker" / "table_1" / "17.log"
    left.parent.mkdir(parents=True)
    left.touch()
    plugin.Executor.slurm_logdir = tmp_path
    logs = {"17": left, "18": tmp_path / "18.log"}
    plugin.Executor.remembers = staticmethod(lambda number: {"slurm_logfile": logs[number]})
    left_workers.take_over([plugin], "table")
    executor = plugin.Executor()
    for name in ("1", "2"):
        executor.run_job(worker(name))
    assert executor.followed == {"1": "17", "2": "18"}

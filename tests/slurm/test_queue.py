"""Which jobs in SLURM's queue are a search's, and what SLURM answers, or does not."""

import re
from pathlib import Path

import pytest
from slurm_stand_in import NUMBER, job, jobs

from swift_hyperband.slurm import queue as slurm


def test_a_searchs_jobs_are_those_of_its_name_and_its_trainings_in_this_folder(queue):
    mine = [
        job(1),
        job(2, state="PENDING"),
        job(3, state="COMPLETING"),
        job(4, prefix="swift-hyperband", comment="rule_train_full_wildcards_table_3_0_99c48c7fa4"),
        job(5, prefix="anything", comment="rule_train_partial_wildcards_table_0_2_99c48c7fa4"),
        job(12, prefix="swift-hyperband", comment="rule_worker_wildcards_table_7"),
    ]
    others = [
        job(6, study="table_2"),
        job(7, study="tables"),
        job(8, folder="/somewhere/else"),
        job(9, prefix="swift-hyperband", comment="rule_train_full_wildcards_table_2_1_0_99c48c7fa4"),
        job(10, prefix="swift-hyperband", comment="rule_compare"),
        job(13, prefix="swift-hyperband", comment="rule_worker_wildcards_table_2_7"),
        job(11, prefix="swift-hyperband"),
        "something that is no job",
    ]
    Path("queue").write_text("\n".join([*others, *mine]) + "\n")
    assert [found.id for found in jobs()] == ["1", "2", "3", "4", "5", "12"]
    assert jobs()[0] == slurm.Job(
        "1", f"swift-hyperband-table_{NUMBER}", "RUNNING", "0:12", "n1", "", str(queue.resolve())
    )
    assert slurm.counted(jobs()) == "6 jobs (4 running, 1 pending, 1 completing)"


def test_a_folder_may_have_any_name_and_be_reached_by_a_link(queue, monkeypatch):
    odd = queue / "a|b c"
    odd.mkdir()
    Path("link").symlink_to(odd)
    Path("queue").rename(odd / "queue")
    monkeypatch.chdir("link")
    Path("queue").write_text(job(1, folder=queue / "link") + "\n" + job(2, folder=odd) + "\n")
    assert [found.id for found in jobs()] == ["1", "2"]


@pytest.mark.parametrize("study", ["digits", "a" * 34, "a" * 35, "a" * 200])
def test_the_plugin_takes_the_names_of_jobs_of_any_study(study):
    prefix = slurm.job_prefix(study)
    assert re.match(r"^[A-Za-z0-9_-]{1,50}$", prefix)
    assert prefix != slurm.job_prefix(study + "b")
    assert prefix.startswith("swift-hyperband-" + study[:20])


def test_a_command_that_hangs_is_not_waited_for(queue, monkeypatch, capsys):
    Path("bin/squeue").write_text("#!/bin/sh\nexec sleep 600\n")
    monkeypatch.setattr(slurm, "PATIENCE", 0.2)
    with pytest.raises(slurm.SlurmError, match=r"squeue: must answer, found: no answer within 0 seconds"):
        slurm.jobs("table", pauses=(0.1,))
    assert capsys.readouterr().err.count("does not answer (no answer within 0 seconds); it is asked again") == 1


def test_a_machine_without_slurm_is_told_apart_from_one_that_does_not_answer(queue, monkeypatch):
    monkeypatch.setenv("PATH", str(queue))
    with pytest.raises(slurm.SlurmError, match=r"squeue: must be there .* start the search where SLURM's commands are"):
        jobs()


def test_jobs_that_ended_meanwhile_can_be_cancelled(queue):
    Path("bin/scancel").write_text(
        "#!/bin/sh\necho 'scancel: error: Kill job error on job id 1: Invalid job id specified' >&2\nexit 1\n"
    )
    Path("queue").write_text(job(1) + "\n")
    slurm.cancel(jobs(), pauses=())


@pytest.mark.parametrize(
    ("answer", "over"),
    [
        ("echo RUNNING", False),
        ("echo CANCELLED", True),
        ("echo NODE_FAIL", False),
        ("echo PENDING", False),
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", True),
        ("exit 1", False),
    ],
)
def test_a_job_is_over_when_slurm_says_so_or_has_forgotten_it(queue, answer, over):
    Path("bin/squeue").write_text(f"#!/bin/sh\n{answer}\n")
    assert slurm.is_over("17") == over


def test_when_a_job_was_submitted_and_given_its_node_is_told_in_seconds(queue, monkeypatch):
    # whatever form of times the user prefers
    monkeypatch.setenv("SLURM_TIME_FORMAT", "relative")
    Path("bin/squeue").write_text("#!/bin/sh\n[ $SLURM_TIME_FORMAT = %s ] && echo '1795862896|1795862901'\n")
    assert slurm.times("17") == (1795862896, 1795862901)
    Path("bin/squeue").write_text("#!/bin/sh\nexit 1\n")
    assert slurm.times("17") == (None, None)
    # nodes need not have squeue
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv("SLURM_JOB_START_TIME", "1795862901")
    assert slurm.times("17") == (None, 1795862901)
    assert slurm.times("18") == (None, None)

"""The live line is what `status` knows, in a line: no number of its own."""

from types import SimpleNamespace

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.cli.live import told
from swift_hyperband.workflow.snakemake_log import failures, new_log


def progress(best=None, rounds=(), outcomes=(), living=()):
    brackets = [
        SimpleNamespace(
            name=f"bracket {bracket}" if bracket >= 0 else "thaw",
            is_thaw=bracket < 0,
            round=None if index is None else SimpleNamespace(competitors=("a",), schedule=SimpleNamespace(index=index)),
        )
        for bracket, index in rounds
    ]
    target = SimpleNamespace(metric="loss")
    return SimpleNamespace(
        sum={"spent": 45, "to_come": 237}.get,
        best=best,
        brackets=brackets,
        jobs=[SimpleNamespace(outcome=outcome) for outcome in outcomes],
        living=dict.fromkeys(living),
        history=SimpleNamespace(study=SimpleNamespace(name="mine", target=target), rungs=None),
        has_no_bound=False,
    )


@pytest.mark.parametrize(
    ("found", "queue", "line"),
    [
        (progress(), "", "mine: 45 of at most 282 epochs"),
        (
            progress(SimpleNamespace(value=0.12345678), [(3, None), (2, 1)], ["at work", "through"]),
            "",
            "mine: 45 of at most 282 epochs; best loss 0.123457; bracket 2 round 1; 1 job running",
        ),
        (progress(None, [(-1, 0)], ["at work"]), "", "mine: 45 of at most 282 epochs; thaw; 1 job running"),
        (
            progress(None, [], ["at work", "at work", "lost"], ["0", "1"]),
            "",
            "mine: 45 of at most 282 epochs; 2 workers running",
        ),
        (
            progress(None, [(3, 0), (2, 1), (1, 0)], ["at work", "at work"]),
            "in SLURM 3 jobs (2 running, 1 pending)",
            "mine: 45 of at most 282 epochs; bracket 3 round 0, bracket 2 round 1 and 1 more; "
            "in SLURM 3 jobs (2 running, 1 pending)",
        ),
    ],
)
def test_the_line_tells_bracket_best_epochs_and_jobs(found, queue, line):
    assert told(found, queue) == line


def test_where_no_log_can_be_written_is_told_in_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").write_text("")
    with pytest.raises(UserError, match="logs: must be a folder where Snakemake's log can be written"):
        new_log("mine")


def test_the_logs_of_the_last_starts_of_a_study_are_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    for number in range(30):
        for study in ("mine", "mine-too"):
            (tmp_path / f"logs/{study}-202601{number:02}T000000-1.log").touch()
    newest = new_log("mine")
    assert len(list(tmp_path.glob("logs/mine-2*.log"))) == 20
    assert newest.exists()
    assert len(list(tmp_path.glob("logs/mine-too-*.log"))) == 30, "those of other studies stay"


JOB = """Error in rule train_full:
    log: results/mine/bracket=1/round=0/logs/full-a.log (check log file(s) for error details)
Logfile results/mine/bracket=1/round=0/logs/full-a.log:
================
error: the disk is full
================
WorkflowError:
At least one job did not complete successfully.
"""
OWN = """Building DAG of jobs...
MissingRuleException:
No rule to produce nothing

Exiting
"""


@pytest.mark.parametrize(
    ("said", "told_"),
    [
        (JOB + JOB, ["error: the disk is full (results/mine/bracket=1/round=0/logs/full-a.log)"]),
        (OWN, ["MissingRuleException:", "No rule to produce nothing", "Exiting"]),
        ("something\n\nodd\n", ["something", "odd"]),
    ],
)
def test_a_log_of_snakemakes_is_told_in_short(tmp_path, said, told_):
    (tmp_path / "log").write_text(said)
    assert failures(tmp_path / "log") == told_

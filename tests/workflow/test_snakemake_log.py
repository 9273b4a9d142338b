"""Snakemake's log: a file for each start, of which the last ones are kept, and the errors that it names."""

from pathlib import Path

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.workflow.snakemake_log import KEPT_LOGS, SHOWN, failures, new_log

NOTHING_NEW = "At least one job did not complete successfully.\n"


def test_each_start_has_a_log_and_the_last_ones_are_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()
    old = [Path(f"logs/digits-20200101T0000{number:02}-1.log") for number in range(KEPT_LOGS + 3)]
    others = [Path("logs/digits-wide-20200101T000000-1.log"), Path("logs/notes.log")]
    for path in (*old, *others):
        path.touch()
    log = new_log("digits")
    assert log.exists()
    assert set(Path("logs").iterdir()) == {log, *others, *old[1 - KEPT_LOGS :]}


def test_where_no_log_can_be_written_that_is_said_in_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("logs").write_text("a file")
    with pytest.raises(
        UserError, match=r"logs: must be a folder where Snakemake's log can be written, found: .*--verbose"
    ):
        new_log("digits")


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        # errors of jobs, each once, with the file that holds it
        (
            "Logfile logs/a.log:\n===\nerror: no disk\n===\nLogfile logs/b.log:\nerror: no disk\nerror: no node\n",
            ["error: no disk (logs/a.log)", "error: no node (logs/b.log)"],
        ),
        (
            "".join(f"error: {number}\n" for number in range(SHOWN + 2)),
            [*(f"error: {n}" for n in range(SHOWN)), "and 2 more"],
        ),
        # else Snakemake's last own error that says what is wrong
        (
            "MissingInputException in rule x:\n  a.txt\n\n\n\nWorkflowError:\n" + NOTHING_NEW,
            ["MissingInputException in rule x:", "a.txt"],
        ),
        # else its last lines
        ("one\n\ntwo\n", ["one", "two"]),
    ],
)
def test_errors_are_found_in_a_log(tmp_path, log, expected):
    path = tmp_path / "log"
    path.write_text(log)
    assert failures(path) == expected

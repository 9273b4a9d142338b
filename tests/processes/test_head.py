"""The head of a search: one living process at a time, which others can name, and which mends times of files."""

import os

import pytest

from swift_hyperband.base import files
from swift_hyperband.base.errors import UserError
from swift_hyperband.processes import head, lease
from swift_hyperband.results.layout import StudyFolder


def test_a_search_has_one_head_at_a_time_and_the_other_is_told_whom_to_end(tmp_path):
    folder = tmp_path / "study"
    first = head.lead(folder, watcher=17)
    try:
        assert lease.is_held_by(folder, 17)
        line = f"one process at a time can run this search, and process 17 on host {os.uname().nodename}"
        with pytest.raises(UserError, match=line):
            head.lead(folder)
    finally:
        first.release()
    second = head.lead(folder)
    assert str(lease.holder(folder)).startswith(f"process {os.getpid()} on host ")
    second.release()


def test_a_forked_child_that_exits_leaves_the_search_to_its_head(tmp_path):
    folder = tmp_path / "study"
    head.become_head(folder)
    child = os.fork()
    if child == 0:
        # what exit handlers of the child do
        head.resign(folder)
        os._exit(0)
    os.waitpid(child, 0)
    try:
        assert head.is_led(folder)
        assert lease.is_held_here(folder)
    finally:
        head.resign(folder)
    assert lease.holder(folder) is None


def test_files_with_times_ahead_are_set_to_now_when_a_head_takes_over(tmp_path, capsys):
    folder = StudyFolder(tmp_path / "table")
    for name in ("bracket=1/round=0/promotion.json", "best.yaml", "study.json"):
        files.write_text(folder.path / name, "{}")
    past = 1_000_000_000
    os.utime(folder.study, (past, past))
    ahead = folder.best.stat().st_mtime + 7200
    for path in (folder.best, folder.path / "bracket=1/round=0/promotion.json"):
        os.utime(path, (ahead, ahead))
    head.lead(folder.path).release()
    said = capsys.readouterr().err
    assert said.startswith(f"swift-hyperband: 2 files in {folder.path} had a time up to 7")
    assert said.count("\n") == 1
    assert folder.study.stat().st_mtime == past
    files.write_text(folder.path / "now", "")
    assert folder.best.stat().st_mtime <= (folder.path / "now").stat().st_mtime
    head.lead(folder.path).release()
    assert capsys.readouterr().err == ""

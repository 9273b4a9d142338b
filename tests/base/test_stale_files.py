"""Files that others replace while they are read: what NFS then says means neither that they are damaged nor gone."""

import errno
import os
from pathlib import Path

import pytest

from swift_hyperband.base import files
from swift_hyperband.processes import head, lease
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.training import trial


@pytest.fixture
def stale(monkeypatch):
    """Let the first opens of files by a name fail as NFS does when another host has replaced them; return how many."""
    left = {}
    opened = Path.open

    def open_(path, *arguments, **keys):
        if left.get(path.name, 0) > 0:
            left[path.name] -= 1
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(path))
        return opened(path, *arguments, **keys)

    monkeypatch.setattr(Path, "open", open_)
    monkeypatch.setattr(files, "STALE_PAUSES", (0.0, 0.0, 0.0))
    return left


def test_a_file_that_was_replaced_while_it_was_read_is_read_again(tmp_path, stale):
    files.write_json(tmp_path / "some.json", {"a": 1})
    trial.write_rows(tmp_path, [{"epoch": 1.0, "loss": 0.5}])
    digest = files.digest(tmp_path / "some.json")
    for times in (1, 3):
        stale.update({"some.json": times, "curve.jsonl": times})
        assert files.read_json(tmp_path / "some.json") == {"a": 1}
        assert trial.read_rows(tmp_path) == [{"epoch": 1.0, "loss": 0.5}]
        stale["some.json"] = times
        assert files.digest(tmp_path / "some.json") == digest
        assert stale["some.json"] == 0, "it was asked as often as that"


def test_a_disk_that_stays_stale_is_said_to_fail(tmp_path, stale):
    files.write_json(tmp_path / "some.json", {})
    stale["some.json"] = 1000
    with pytest.raises(OSError, match="Stale") as told:
        files.read_json(tmp_path / "some.json")
    assert told.value.errno == errno.ESTALE


def test_a_lease_that_was_replaced_while_it_was_read_is_there(tmp_path, stale):
    with lease.acquire(tmp_path, lambda: False) as held:
        stale["lease"] = 2
        held.check()
        stale["lease"] = 2
        assert lease.holder(tmp_path) is not None
        stale["lease"] = 2
        assert lease.acquire(tmp_path, unless=iter([False, True]).__next__) is None, "nobody takes it away"


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

"""Files that others replace while they are read: what NFS then says means neither that they are damaged nor gone."""

import errno
import os
from pathlib import Path

import pytest

from swift_hyperband.base import files
from swift_hyperband.processes import lease
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

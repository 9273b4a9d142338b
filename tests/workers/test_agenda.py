import json

import pytest

from swift_hyperband.search import Training
from swift_hyperband.workers import agenda
from swift_hyperband.workers.agenda import Agenda


def test_workers_read_what_was_written(tmp_path):
    written = Agenda(
        "host-1", 3, needed=(Training("a", 2),), hopes=(Training("b", 9), Training("c", 1)), workers=4, spare=("7",)
    )
    written.write(tmp_path / "agenda.json")
    assert Agenda.read(tmp_path / "agenda.json") == written


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"needed": 3}', "null"])
def test_a_damaged_agenda_counts_as_none(tmp_path, damage):
    (tmp_path / "agenda.json").write_text(damage)
    assert Agenda.read(tmp_path / "agenda.json") is None
    agenda.remove(tmp_path / "agenda.json")
    agenda.remove(tmp_path / "agenda.json")
    assert Agenda.read(tmp_path / "agenda.json") is None


@pytest.mark.parametrize("wrong", [["a"], ["a", "2"], [1, 2], ["a", 2, 3], "ab"])
def test_so_does_one_with_a_damaged_training(tmp_path, wrong):
    path = tmp_path / "agenda.json"
    Agenda("host-1").write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hopes": [["a", 2], wrong]}))
    assert Agenda.read(path) is None


def test_the_version_alone_makes_no_other_agenda():
    assert not Agenda("host-1", 1).differs(Agenda("host-1", 2))
    assert Agenda("host-1", 1, over=True).differs(Agenda("host-1", 1))

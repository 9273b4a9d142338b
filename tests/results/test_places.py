"""A search that begins anew because its key `results` was changed says so, once, and nothing else is said."""

import json
from pathlib import Path

import pytest

from swift_hyperband.base.files import write_text
from swift_hyperband.results import places
from swift_hyperband.results.layout import StudyFolder


def start(results, name="small"):
    """Do what a start does: warn, begin, note."""
    folder = StudyFolder.of(name, results)
    places.warn(folder)
    write_text(folder.study, "{}")
    places.note(folder)


def test_who_goes_from_place_to_place_is_told_where_the_last_search_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    start("results")
    assert not places.NOTE.exists(), "the default place needs none"
    start("one")
    start("one")
    start("one", name="other")
    assert json.loads(places.NOTE.read_text()) == {"small": str(tmp_path / "one"), "other": str(tmp_path / "one")}
    # the same place by another name, and one that the search was moved to
    start("../" + tmp_path.name + "/one")
    (tmp_path / "one/other").rename(tmp_path / "moved")
    start("two", name="other")
    assert capsys.readouterr().err == ""
    start("two")
    assert capsys.readouterr().err == (
        "swift-hyperband: a new search begins in two/small, while the last one of this name is in "
        f"{tmp_path}/one/small; "
        f"to go on with that one, stop, and set results: {tmp_path}/one, or move its folder\n"
    )
    start("one")
    start("two")
    assert capsys.readouterr().err == "", "both are there"


@pytest.mark.parametrize("content", ["", "[]", '{"small": 1}', None])
def test_a_note_that_says_nothing_stops_no_start(content, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if content is None:
        places.NOTE.mkdir()
    else:
        places.NOTE.write_text(content)
    start("one")
    assert capsys.readouterr().err == ""
    assert Path("one/small/study.json").exists()
    assert places.NOTE.is_dir() or json.loads(places.NOTE.read_text()) == {"small": str(tmp_path / "one")}

"""Classes named "module:Class" are parsed and imported in one way, for targets and samplers."""

import sys

import pytest

from swift_hyperband.base.classes import ClassName, import_file, import_named, parsed


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Work in an empty folder; what is imported there is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path


def test_a_name_has_a_module_and_a_class():
    assert parsed("package.module:Mine") == ClassName("package.module", "Mine")
    assert not parsed("package.module:Mine").is_file
    assert parsed("models/mine.py:Mine") == ClassName("models/mine.py", "Mine")
    assert parsed("C:/models/mine.py:Mine").is_file, "the last colon counts"


@pytest.mark.parametrize("text", ["", "Mine", "module:", ":Mine"])
def test_a_text_without_both_is_none(text):
    assert parsed(text) is None


def test_a_module_of_the_working_directory_is_imported_by_its_name(here):
    (here / "module_of_mine.py").write_text("class Mine: ...")
    assert import_named("module_of_mine").Mine.__name__ == "Mine"


def test_a_file_imports_what_lies_beside_it_and_hides_no_installed_module(here):
    folder = here / "models"
    folder.mkdir()
    (folder / "json.py").write_text("raise AssertionError('of the user')")
    (folder / "beside_it.py").write_text("number = 3")
    (folder / "mine.py").write_text("import json, beside_it\nclass Mine: number = beside_it.number")
    assert import_file(folder / "mine.py").Mine.number == 3


def test_a_file_is_imported_once_and_another_one_of_its_name_is_another_module(here):
    for name in ("one", "other"):
        (here / name).mkdir()
        (here / name / "mine.py").write_text(f"name = '{name}'")
    one = import_file(here / "one/mine.py")
    assert import_file(here / "one/mine.py") is one
    assert import_file(here / "other/mine.py").name == "other"
    assert one.name == "one"


def test_a_file_that_fails_is_tried_again(here):
    path = here / "mine.py"
    path.write_text("1 / 0")
    with pytest.raises(ZeroDivisionError):
        import_file(path)
    path.write_text("number = 10")
    assert import_file(path).number == 10

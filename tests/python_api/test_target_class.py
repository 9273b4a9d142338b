"""A target that is given as a class gets the name by which other processes import it, or a line that says why not."""

import importlib
import sys

import pytest

from swift_hyperband.base.errors import KeysError
from swift_hyperband.python_api.target_class import name_of
from swift_hyperband.targets import load_class
from swift_hyperband.targets.recorded import CurveTable

CODE = """\
class Model:
    def setup(self, configuration, context): ...
    def train_epoch(self, epoch): ...
    def validate(self): ...
    class Inner:
        def setup(self, configuration, context): ...
        def train_epoch(self, epoch): ...
        def validate(self): ...
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("model_of_test", "package_of_test", "package_of_test.model"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_a_class_of_a_file_in_the_working_directory_is_named_by_the_file(here):
    (here / "model_of_test.py").write_text(CODE)
    found = importlib.import_module("model_of_test").Model
    assert name_of(found, "study") == "model_of_test.py:Model"
    assert load_class("model_of_test.py:Model").__name__ == "Model"


def test_a_class_of_a_package_is_named_by_its_module(here):
    (here / "package_of_test").mkdir()
    (here / "package_of_test/__init__.py").touch()
    (here / "package_of_test/model.py").write_text(CODE)
    found = importlib.import_module("package_of_test.model").Model
    assert name_of(found, "study") == "package_of_test.model:Model"
    assert load_class("package_of_test.model:Model") is found
    assert name_of(CurveTable, "study") == "swift_hyperband.targets.recorded:CurveTable"


def test_what_no_other_process_can_import_is_told_in_a_line(here, monkeypatch):
    (here / "model_of_test.py").write_text(CODE)
    found = importlib.import_module("model_of_test").Model
    with pytest.raises(
        KeysError, match=r"found Model\.Inner of another class or a function; put it into a file beside"
    ):
        name_of(found.Inner, "study")
    monkeypatch.setattr(found, "__module__", "__main__")
    with pytest.raises(KeysError, match=r"^study: target\.name must be .* found Model of a notebook or a script"):
        name_of(found, "study")


def test_what_cannot_resume_is_told_in_a_line():
    def train(configuration):
        return 0.0

    with pytest.raises(KeysError, match=r"must be a class with setup, train_epoch, validate, .* use ask and tell"):
        name_of(train, "study")

    class Half:
        def setup(self, configuration, context): ...

    with pytest.raises(KeysError, match="has no train_epoch"):
        name_of(Half, "study")

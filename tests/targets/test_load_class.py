from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.targets import load_class

GOOD = """
class Mine:
    def setup(self, configuration, context): ...
    def train_epoch(self, epoch): ...
    def validate(self): ...
"""


def test_a_built_in_target_is_found_by_its_name() -> None:
    assert load_class("curve-table").__name__ == "CurveTable"


def test_a_class_in_a_file_may_import_what_lies_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "beside_mine.py").write_text("")
    (tmp_path / "code" / "mine.py").write_text("import beside_mine\n" + GOOD)
    assert load_class("code/mine.py:Mine").__name__ == "Mine"


def test_a_class_in_a_package_of_the_working_directory_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "package_of_mine").mkdir()
    (tmp_path / "package_of_mine" / "module.py").write_text(GOOD)
    assert load_class("package_of_mine.module:Mine").__name__ == "Mine"


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("digits", None, "target.name must be digits-cnn, cifar10-cnn6, "),
        ("digits", None, ", curve-table, 'path/file.py:Class' or 'package.module:Class', found 'digits'"),
        ("gone.py:Mine", None, "'gone.py:Mine' must name a file, found none at {folder}/gone.py"),
        ("no_such_package:Mine", None, "found ModuleNotFoundError: No module named 'no_such_package'"),
        ("a.py:Mine", "x = 1\nx +\n", "found SyntaxError: invalid syntax ({folder}/a.py:2)"),
        ("b.py:Mine", "x = 1\n\n1 / 0\n", "found ZeroDivisionError: division by zero ({folder}/b.py:3)"),
        ("g.py:Mine", "import no_such\n", "No module named 'no_such' ({folder}/g.py:1); it must be installed beside "),
        ("e.py:Mine", "import sys\nsys.exit(3)\n", "found SystemExit: 3 ({folder}/e.py:2)"),
        ("c.py:Your", GOOD, "must name a class of c.py, found Mine there"),
        ("d.py:Mine", GOOD.replace("validate", "test"), "class Mine of d.py must have the method validate, has none"),
    ],
)
def test_a_target_that_cannot_be_had_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: str | None, message: str
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    if code is not None:
        (tmp_path / name.partition(":")[0]).write_text(code)
    with pytest.raises(UserError) as error:
        load_class(name)
    assert message.format(folder=tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


def test_neither_targets_nor_training_import_anything_heavy() -> None:
    code = """
import sys
import swift_hyperband.training.batch, swift_hyperband.targets.recorded
heavy = {"torch", "numpy", "sklearn", "pydantic", "rich", "matplotlib", "pyarrow", "snakemake"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})

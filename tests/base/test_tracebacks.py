"""A crash is told in one line, with the place in the user's own code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from swift_hyperband.base import tracebacks


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type:
    """Return a class of a user's file with functions that fail in many ways."""
    monkeypatch.chdir(tmp_path)
    text = """\
import json, functools

class Model:
    def fails(self, how):
        raise how

    def in_a_library(self):
        json.loads("{")

    def chained(self):
        try:
            self.fails(ValueError("first"))
        except ValueError as error:
            raise RuntimeError("second") from error

    def noted(self):
        error = ValueError("told")
        error.add_note("a note")
        raise error

    def compiled(self):
        compile("def x(:", "generated.py", "exec")

class MuteError(Exception):
    def __str__(self):
        raise TypeError("no text")
"""
    Path("model.py").write_text(text)
    module = ModuleType("target_model")
    module.__file__ = str(tmp_path / "model.py")
    monkeypatch.setitem(sys.modules, "target_model", module)
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    found: type = module.Model
    return found


def told(target: type, method: str, *arguments: object) -> str:
    try:
        getattr(target(), method)(*arguments)
    except Exception as error:
        line = tracebacks.in_one_line(error, target)
        assert len(line.splitlines()) == 1
        return line
    raise AssertionError("nothing was raised")


def test_the_innermost_place_in_the_users_own_code_is_told(target: type) -> None:
    assert told(target, "fails", ValueError("no luck")) == "model.py:5 in fails: ValueError: no luck"
    assert told(target, "fails", KeyError("lr")) == "model.py:5 in fails: KeyError: 'lr'"
    assert told(target, "fails", AssertionError()) == "model.py:5 in fails: AssertionError"
    assert told(target, "in_a_library").startswith("model.py:8 in in_a_library: JSONDecodeError: Expecting property")
    assert told(target, "chained") == "model.py:14 in chained: RuntimeError: second"
    assert told(target, "noted") == "model.py:19 in noted: ValueError: told"
    assert told(target, "compiled") == "generated.py:1: SyntaxError: invalid syntax (generated.py, line 1)"


def test_whatever_the_text_is_it_is_one_line_that_a_terminal_can_show(target: type) -> None:
    assert told(target, "fails", ValueError("two\nlines \x1b[31mred")) == (
        "model.py:5 in fails: ValueError: two lines \N{REPLACEMENT CHARACTER}[31mred"
    )
    assert len(told(target, "fails", ValueError("x" * 100_000))) < 600
    mute = sys.modules["target_model"].MuteError
    assert told(target, "fails", mute()) == "model.py:5 in fails: MuteError"


def test_an_error_of_a_worker_of_a_data_loader_is_told_with_its_own_place(target: type, tmp_path: Path) -> None:
    text = (
        "Caught IndexError in DataLoader worker process 1.\nOriginal Traceback (most recent call last):\n"
        '  File "/env/lib/python3.11/site-packages/torch/utils/data/_utils/worker.py", line 349, in _worker_loop\n'
        "    data = fetcher.fetch(index)\n"
        f'  File "{tmp_path}/model.py", line 7, in __getitem__\n'
        "    return self.rows[index]\n"
        "IndexError: list index out of range\n"
    )
    assert told(target, "fails", IndexError(text)) == "model.py:7 in __getitem__: IndexError: list index out of range"


def test_what_is_installed_is_not_the_users_own_but_the_target_itself(tmp_path: Path) -> None:
    assert tracebacks.is_own(str(tmp_path / "model.py"), None)
    assert not tracebacks.is_own(json.__file__, None)
    assert not tracebacks.is_own(pytest.__file__, None)
    assert not tracebacks.is_own(tracebacks.__file__, None)
    assert not tracebacks.is_own("<string>", None)
    installed = tmp_path / "site-packages/mine"
    assert not tracebacks.is_own(str(installed / "model.py"), None)
    assert tracebacks.is_own(str(installed / "model.py"), installed)
    # an environment within the project is none of the project's code
    assert not tracebacks.is_own(str(tmp_path / ".venv/lib/python3.11/site-packages/torch/nn.py"), tmp_path)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("exit code 3: lr 0.1 is no good", "exit code 3: lr 2e-05 is no good"),
        ("cannot read /tmp/ab12/x.pt", "cannot read /tmp/cd34/y.pt"),
        ("<Model object at 0x7f01>", "<Model object at 0x7fff>"),
    ],
)
def test_numbers_and_paths_do_not_tell_causes_apart(one: str, other: str) -> None:
    assert tracebacks.kind_of(one) == tracebacks.kind_of(other)
    assert tracebacks.kind_of(one) != tracebacks.kind_of("out of memory")

"""The name of a target that is given as a class: other processes import it by that."""

from __future__ import annotations

import sys
from pathlib import Path

from swift_hyperband.base.errors import KeysError
from swift_hyperband.targets import METHODS


def name_of(target: object, where: str) -> str:
    """Return the name of a class as the study file has it: "my_model.py:MyModel" or "package.module:Class".

    Parameters
    ----------
    target : object
        A class that can be imported.
    where : str
        What is named in errors in the place of a study file.

    Raises
    ------
    KeysError
        If it is no class, lacks a method, or no other process can import it.
    """

    def wrong(needed: str) -> KeysError:
        return KeysError(where, [("target.name", needed)])

    name = getattr(target, "__qualname__", type(target).__qualname__)
    if not isinstance(target, type):
        advice = "for a training in one function use ask and tell"
        raise wrong(f"must be a class with {', '.join(METHODS)}, which can resume, found {name}; {advice}")
    if missing := [method for method in METHODS if not callable(getattr(target, method, None))]:
        raise wrong(f"must be a class with {', '.join(METHODS)}, found that {name} has no {missing[0]}")
    module = sys.modules.get(target.__module__)
    if target.__module__ == "__main__" or module is None or "." in name:
        kind = "a notebook or a script" if target.__module__ == "__main__" else "another class or a function"
        advice = "put it into a file beside, such as my_model.py, and import it from there"
        raise wrong(f"must be a class that other processes can import, found {name} of {kind}; {advice}")
    file = Path(getattr(module, "__file__", None) or "").resolve()
    if "." not in target.__module__ and file.suffix == ".py" and file.is_relative_to(Path.cwd()):
        return f"{file.relative_to(Path.cwd())}:{name}"
    return f"{target.__module__}:{name}"

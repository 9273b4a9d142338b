"""Classes named "package.module:Class" or "path/file.py:Class": parsing such a name, and importing the module."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple


class ClassName(NamedTuple):
    """The name of a class.

    Attributes
    ----------
    module : str
        The module's dotted name, or the path of its file, which ends with .py.
    name : str
        The name of the class in the module.
    """

    module: str
    name: str

    @property
    def is_file(self) -> bool:
        """Whether the module is named by the path of its file."""
        return self.module.endswith(".py")


def parsed(text: str) -> ClassName | None:
    """Return a class's name in its two parts; None if the text has another form."""
    module, _, name = text.rpartition(":")
    return ClassName(module, name) if module and name else None


def import_named(module: str) -> ModuleType:
    """Import a module by its dotted name; it may lie in the working directory. Its own errors come through."""
    _search_in(Path.cwd())
    return importlib.import_module(module)


def import_file(path: Path) -> ModuleType:
    """Import a module by its file; it may import what lies beside the file. Its own errors come through."""
    path = path.resolve()
    _search_in(path.parent)
    alias = f"target_{path.stem}"
    known = sys.modules.get(alias)
    if known is not None and known.__file__ == str(path):
        return known
    spec = importlib.util.spec_from_file_location(alias, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[alias] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[alias]
        raise
    return module


def _search_in(folder: Path) -> None:
    # at the end: a file of the user's never hides an installed module
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

"""The files of a study's model, and their digests: the target's own file and the files that it imports from beside it.

Nothing is imported or run: imports are read in the files' text. What is installed counts with its version alone.
"""

from __future__ import annotations

import ast
import importlib.machinery
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from swift_hyperband.base.classes import parsed
from swift_hyperband.base.files import digest
from swift_hyperband.targets import BUILT_IN

MOST_FILES = 1000
"""Of a package; more are not looked at."""
LARGEST = 64_000_000
"""Bytes of a file; larger ones are data, and their size stands for them."""


def digests(target: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests of the files of a target, by path; relative ones lie in the working directory.

    Parameters
    ----------
    target : mapping
        The section `target` of a study's definition.
    """
    found = sorted(set(files(target)))[:MOST_FILES]
    return {_shown(path): _digest(path) for path in found}


def files(target: Mapping[str, Any]) -> Iterator[Path]:
    """Return the files of a target; none of a built-in one."""
    name = target["name"]
    if name is None:
        for key in ("command", "first_command"):
            if target.get(key) is not None:
                yield from _of_command(target[key])
    elif name not in BUILT_IN and (found := parsed(name)) is not None:
        if found.is_file:
            path = Path(found.module).resolve()
            yield from _imported(path, [path.parent])
        else:
            yield from _of_module(found.module, sys.path)


def _of_module(module: str, searched: Sequence[str]) -> Iterator[Path]:
    """Return the files of a module, with all of the package that it is in, and what they import beside it."""
    first, *rest = module.split(".")
    spec = importlib.machinery.PathFinder.find_spec(first, [str(Path.cwd()), *searched])
    if spec is None:
        return
    for place in map(Path, spec.submodule_search_locations or ()):
        # a package may find its parts by name, which no import tells
        for path in sorted(place.rglob("*.py"))[:MOST_FILES]:
            yield path.resolve()
        start = place.joinpath(*rest)
        for path in (start.with_name(f"{start.name}.py"), start / "__init__.py"):
            if path.is_file() and not _installed(path):
                yield from _imported(path.resolve(), [place.parent.resolve()])
    if not spec.submodule_search_locations and spec.origin is not None:
        path = Path(spec.origin).resolve()
        yield from _imported(path, [path.parent])


def _of_command(command: str | Sequence[Any]) -> Iterator[Path]:
    """Return the files among the words of a command: the script that it starts, and what else it is given."""
    words = shlex.split(command) if isinstance(command, str) else [str(word) for word in command]
    for before, word in zip(["", *words], words, strict=False):
        if before == "-m" and not (Path(word).exists() or "/" in word):
            # not what is installed, which another Python may be
            yield from _of_module(word, os.environ.get("PYTHONPATH", "").split(os.pathsep))
            continue
        # a program without a folder is the system's
        for text in () if not before and "/" not in word else (word, word.partition("=")[2]):
            path = Path(text)
            if text and _is_file(path) and not _is_interpreter(path):
                path = path.resolve()
                yield from _imported(path, [path.parent]) if path.suffix == ".py" else (path,)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        # a word that is too long for a path, or has a null byte in it
        return False


def _is_interpreter(path: Path) -> bool:
    """Whether a program belongs to the system or an environment, and not to the user: these change by themselves."""
    return path.parent.name in ("bin", "sbin") or path.resolve().parent.name in ("bin", "sbin") or _installed(path)


def _installed(path: Path) -> bool:
    return bool({"site-packages", "dist-packages"} & set(path.parts))


def _imported(start: Path, roots: Sequence[Path]) -> Iterator[Path]:
    """Return a file and all files below some folders that it imports, or that these do."""
    waiting, seen = [start], {start}
    while waiting and len(seen) <= MOST_FILES:
        path = waiting.pop()
        yield path
        for module in _names(path, roots):
            for found in _locate(module, roots):
                if found not in seen:
                    seen.add(found)
                    waiting.append(found)


def _names(path: Path, roots: Sequence[Path]) -> Iterator[str]:
    """Return the dotted names of what a file imports; none of a file that is no Python."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    root = next((root for root in roots if path.is_relative_to(root)), path.parent)
    package = path.parent.relative_to(root).parts if path.is_relative_to(root) else ()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}".strip(".") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.args[0].value


def _locate(module: str, roots: Sequence[Path]) -> Iterator[Path]:
    """Return the files of a dotted name, of the packages around it first; the last part may be no module."""
    parts = [part for part in module.split(".") if part]
    for root in roots:
        for count in range(1, len(parts) + 1):
            place = root.joinpath(*parts[:count])
            for path in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
                if path.is_file():
                    yield path.resolve()


def _digest(path: Path) -> str:
    try:
        size = path.stat().st_size
        return digest(path) if size <= LARGEST else f"{size} bytes"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)

"""Writing files whole, so that readers never see half of one, and reading JSON of a given shape."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from swift_hyperband.base.errors import UserError

Shape = Any
"""What JSON must hold: a type (float takes whole numbers, too; None is null), one of several in a tuple, `[shape]` a
list of such, `{str: shape}` an object of such, `{"key": shape}` an object that has these keys and perhaps others;
one that ends with ? may be left out."""

AGAIN = "delete the file and start the search again, nothing trained is lost"
MISSING = "start the search again"
AWAY = "move it away and start the search again"

STALE_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before a file is read again that was replaced while it was read."""

Read = TypeVar("Read")


def read_again(read: Callable[[], Read]) -> Read:
    """Return what is read of a file by its path, and read again where another host replaced it meanwhile.

    NFS then says that the file is stale, which means neither that there is none nor that the disk fails.
    """
    for pause in STALE_PAUSES:
        try:
            return read()
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
        time.sleep(pause)
    return read()


def read_text(path: Path) -> str:
    """Return the text of a file that others may replace meanwhile."""
    return read_again(lambda: path.read_text(encoding="utf-8"))


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Write a file whole: yield a temporary path beside it, then fsync what was written there and rename it.

    The folder is made if need be. If the body fails, the temporary file is removed and the old file stays. Host and
    process id in its name keep two writers of one file apart, also on a shared file system.

    Raises
    ------
    UserError
        If a folder lies in the file's place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        try:
            temporary.replace(path)
        except IsADirectoryError:
            raise UserError(f"{path}: must be a file, found a folder; {AWAY}") from None
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole, in UTF-8."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def append_all(descriptor: int, content: bytes) -> None:
    """Write at the end of a file that only this process writes: all in one write, or nothing where the disk is full.

    Raises
    ------
    OSError
        If the disk is full or fails.
    """
    end, left = os.fstat(descriptor).st_size, content
    try:
        # a disk that is nearly full takes a part
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, end)
        raise


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole. Numbers must be finite: callers write null for others."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_json(path: Path, shape: Shape = object, advice: str = AGAIN) -> Any:
    """Read a JSON file that holds what it must.

    Parameters
    ----------
    path : Path
    shape : Shape
        What it must hold.
    advice : str
        What to do where it does not.

    Raises
    ------
    UserError
        If the file is not there, is a folder, is not JSON or holds something else.
    """
    try:
        content = json.loads(read_text(path), parse_constant=_refuse)
    except FileNotFoundError:
        raise UserError(f"{path}: this file is missing; {MISSING}") from None
    except IsADirectoryError:
        raise UserError(f"{path}: must be a file, found a folder; {AWAY}") from None
    except (ValueError, RecursionError) as error:
        found = "an empty file" if not path.stat().st_size else _line(error)
        raise UserError(f"{path}: must be JSON, found {found}; {advice}") from None
    if (wrong := mismatch(content, shape)) is not None:
        raise UserError(f"{path}: {wrong}; {advice}")
    return content


def mismatch(content: Any, shape: Shape, key: str = "") -> str | None:
    """Return what must hold and was found where content from JSON has another shape; None where it has that one."""
    if isinstance(shape, tuple):
        # one after the other: telling what does not fit costs more than what does
        first = mismatch(content, shape[0], key)
        return None if first is None or any(mismatch(content, one, key) is None for one in shape[1:]) else first
    kind = type(shape) if isinstance(shape, list | dict) else shape
    if not _is(content, kind):
        return f"{key or 'it'} must be {_NAMES[kind]}, found {_shown(content)}"
    inner: list[tuple[str, Any, Shape]] = []
    if isinstance(shape, list) or (isinstance(shape, dict) and str in shape):
        # most files are mostly numbers
        parts, one = (content, shape[0]) if isinstance(shape, list) else (content.values(), shape[str])
        if _all_fit(parts, one):
            return None
    if isinstance(shape, list):
        inner = [(f"{key}[{at}]", value, shape[0]) for at, value in enumerate(content)]
    elif isinstance(shape, dict) and str in shape:
        inner = [(f"{key}.{name}".lstrip("."), value, shape[str]) for name, value in content.items()]
    elif isinstance(shape, dict):
        for named, one in shape.items():
            name = named.removesuffix("?")
            if name == named or name in content:
                inner.append((f"{key}.{name}".lstrip("."), content.get(name, _ABSENT), one))
    return next((wrong for at, value, one in inner if (wrong := mismatch(value, one, at)) is not None), None)


_TYPES: Mapping[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (int, float),
    bool: (bool,),
    None: (type(None),),
    dict: (dict,),
    list: (list,),
}
"""The types of what is of a kind, as JSON is read."""
_END_OF_PNG = b"IEND\xaeB`\x82"
_ABSENT = object()
_NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    None: "null",
    dict: "an object",
    list: "a list",
    object: "there",
}


def _is(content: Any, kind: Any) -> bool:
    if content is _ABSENT or kind is object:
        return content is not _ABSENT
    if kind is float:
        return type(content) in (int, float) and math.isfinite(content)
    # true is no whole number
    return content is None if kind is None else type(content) is kind


def _all_fit(parts: Collection[Any], shape: Shape) -> bool:
    """Whether all parts have a shape: `mismatch` in a tenth of the time. False also where that is not known."""
    types = {*map(type, parts)}
    if isinstance(shape, list):
        return types <= {list} and all(_all_fit(part, shape[0]) for part in parts)
    if isinstance(shape, dict):
        if not types <= {dict}:
            return False
        if str in shape:
            return all(_all_fit(part.values(), shape[str]) for part in parts)
        return all(_all_fit([part.get(name, _ABSENT) for part in parts], one) for name, one in shape.items())
    kinds = shape if isinstance(shape, tuple) else (shape,)
    if any(isinstance(kind, list | dict) or kind not in _TYPES for kind in kinds):
        return False
    if not types <= {one for kind in kinds for one in _TYPES[kind]}:
        return False
    # by far the most are numbers alone
    numbers = parts if types <= {float} else [part for part in parts if type(part) is float]
    return all(map(math.isfinite, numbers))


def _shown(content: Any) -> str:
    # what is no JSON comes from a YAML file
    found = "nothing" if content is _ABSENT else json.dumps(content, default=str)
    return found if len(found) <= 40 else f"{found[:40]} ..."


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant}, which JSON does not have")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def disk_time(folder: Path) -> float:
    """Return the time by the clock of the disk that a folder lies on, in seconds since 1970.

    A file server has a clock of its own, by which it dates files. Only that clock tells how old they are.

    Raises
    ------
    OSError
        If no file can be written in the folder.
    """
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".now.") as file:
        return os.fstat(file.fileno()).st_mtime


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(read_again(path.read_bytes)).hexdigest()


def is_whole_png(path: Path) -> bool:
    """Whether a picture ends as PNG files do."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(_END_OF_PNG)))
        return file.read() == _END_OF_PNG

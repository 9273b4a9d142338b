"""Errors and tracebacks as one line, with the place in the user's own files."""

from __future__ import annotations

import re
import sys
import sysconfig
import traceback
from itertools import dropwhile
from pathlib import Path

from swift_hyperband.base.delimited import printable

LONGEST = 500
"""Characters of an error's text in its line; the log has the whole text."""

TRACEBACK = "Traceback (most recent call last):"
"""First line of a traceback of Python's."""

_FRAME = re.compile(r'File "(.+?)", line (\d+),? in (\S+)')
_LIBRARIES = tuple(
    {str(Path(path).resolve()) for name, path in sysconfig.get_paths().items() if name in ("stdlib", "platstdlib")}
)
_PRODUCT = str(Path(__file__).resolve().parents[1])


def in_one_line(error: BaseException, owner: type) -> str:
    """Return an error as "model.py:17 in train_epoch: ValueError: no luck", in one line.

    Parameters
    ----------
    error : BaseException
    owner : type
        The class that raised it. Files in the folder of its module count as the user's own, even if installed.
    """
    name, message = type(error).__qualname__, _message(error)
    place = _place(error, _home(owner))
    if inner := _from_another_process(error):
        # a worker of a data loader: the text of this error contains the traceback of the worker's
        return of_traceback(inner, _home(owner), place)
    return _line(place, name, message)


def in_full(error: BaseException, caller: Path) -> str:
    """Return an error with its traceback, without the outermost frames in the folder `caller`."""
    found = traceback.TracebackException.from_exception(error)
    frames = list(dropwhile(lambda frame: Path(frame.filename).parent == caller, found.stack))
    if not frames:
        return f"{_line('', type(error).__qualname__, _message(error))}\n"
    found.stack = traceback.StackSummary.from_list(frames)
    return "".join(found.format())


def of_traceback(text: str, home: Path | None = None, place: str = "") -> str:
    """Return the error of a text that ends with a traceback, in one line.

    Parameters
    ----------
    text : str
    home : Path, optional
        A folder whose files count as the user's own, even if installed.
    place : str
        The place to name if no frame is in the user's own files.
    """
    last = text.rpartition(TRACEBACK)[2]
    found = [frame for frame in _FRAME.findall(last) if is_own(frame[0], home)]
    # the error stands after the last frame, and may have several lines
    lines = [line for line in last.rstrip().splitlines() if line and not line[0].isspace()]
    name, _, message = (lines or [""])[0].partition(": ")
    return _line(_shown(*found[-1]) if found else place, name, message)


def _line(place: str, name: str, message: str) -> str:
    text = printable(message)
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
    return f"{place}{name}: {text}" if text else f"{place}{name}"


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        # the user's own error class, whose __str__ fails
        return ""


def place_of_death(log: str, owner: type | None) -> str:
    """Return "model.py:17 in train_epoch: " from faulthandler's stack in a log; "" if there is none."""
    stack = log.rpartition("(most recent call first):")[2]
    found = [frame for frame in _FRAME.findall(stack) if is_own(frame[0], _home(owner))]
    return _shown(*found[0]) if found else ""


def is_own(file: str, home: Path | None) -> bool:
    """Whether a file is the user's own: in the folder `home`, or neither Python's, an installed package's nor ours."""
    if file.startswith("<"):
        return False
    path = Path(file).resolve()
    if home is not None and path.is_relative_to(home) and not _installed(path.relative_to(home)):
        return True
    if str(path).startswith(_PRODUCT) or _installed(path):
        return False
    return not any(path.is_relative_to(library) for library in _LIBRARIES)


def _installed(path: Path) -> bool:
    return bool({"site-packages", "dist-packages"} & set(path.parts))


def _home(owner: type | None) -> Path | None:
    """Return the folder of a class's module."""
    if owner is None:
        return None
    file = getattr(sys.modules.get(owner.__module__), "__file__", None)
    return None if file is None else Path(file).resolve().parent


def _place(error: BaseException, home: Path | None) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_relative(error.filename)}:{error.lineno}: "
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_own(frame.filename, home)]
    return _shown(own[-1].filename, own[-1].lineno, own[-1].name) if own else ""


def _shown(file: str, line: object, function: str) -> str:
    return f"{_relative(file)}:{line} in {function}: "


def _relative(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def _from_another_process(error: BaseException) -> str | None:
    """Return the traceback of another process that an error contains as text."""
    for text in (_message(error), _message(error.__cause__) if error.__cause__ is not None else ""):
        if TRACEBACK in text:
            # multiprocessing quotes it
            return text.strip().strip('"')
    return None


def kind_of(text: str) -> str:
    """Return an error's text without what differs between starts: numbers, addresses, paths."""
    text = re.sub(r"\S*/\S*", "/", text)
    return re.sub(r"\b0x[0-9a-f]+\b|\d+(\.\d+)?([eE][-+]?\d+)?", "#", text)

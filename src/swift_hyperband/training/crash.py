"""What a crash is told as: in one line, with the place in the user's own files."""

from __future__ import annotations

import re
import sys
import sysconfig
import traceback
from itertools import dropwhile
from pathlib import Path

from swift_hyperband.base.delimited import printable

LONGEST = 500
"""Characters of an error's text that are told; the log has all."""

TRACEBACK = "Traceback (most recent call last):"

_FRAME = re.compile(r'File "(.+?)", line (\d+),? in (\S+)')
_LIBRARIES = tuple(
    {str(Path(path).resolve()) for name, path in sysconfig.get_paths().items() if name in ("stdlib", "platstdlib")}
)
_TRAINING = Path(__file__).parent
_PRODUCT = str(Path(__file__).resolve().parents[1])


def told(error: BaseException, target: type) -> str:
    """Return an error as "model.py:17 in train_epoch: ValueError: no luck", in one line.

    Parameters
    ----------
    error : BaseException
    target : type
        The class that raised it: what lies beside it is the user's own, wherever it is installed.
    """
    name, message = type(error).__qualname__, _message(error)
    place = _place(error, _home(target))
    if inner := _from_another_process(error):
        # a worker of a data loader: the error that it met is in the text of this one
        return of_traceback(inner, _home(target), place)
    return _line(place, name, message)


def in_full(error: BaseException) -> str:
    """Return an error with its traceback, without the frames of the training loop, which called the target."""
    found = traceback.TracebackException.from_exception(error)
    frames = list(dropwhile(lambda frame: Path(frame.filename).parent == _TRAINING, found.stack))
    if not frames:
        return f"{_line('', type(error).__qualname__, _message(error))}\n"
    found.stack = traceback.StackSummary.from_list(frames)
    return "".join(found.format())


def of_traceback(text: str, home: Path | None = None, place: str = "") -> str:
    """Return in a line what a text that ends with a traceback tells.

    Parameters
    ----------
    text : str
    home : Path, optional
        A folder whose files are the user's own, wherever they are.
    place : str
        What to tell where no frame is in the user's own files.
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
        # one of the user's own, whose text fails itself
        return ""


def place_of_death(log: str, target: type | None) -> str:
    """Return "model.py:17 in train_epoch: ", from what faulthandler left in a log; "" where it left nothing."""
    stack = log.rpartition("(most recent call first):")[2]
    found = [frame for frame in _FRAME.findall(stack) if is_own(frame[0], _home(target))]
    return _shown(*found[0]) if found else ""


def is_own(file: str, home: Path | None) -> bool:
    """Whether a file is the user's own: beside the target, or no part of Python, its packages and this one."""
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


def _home(target: type | None) -> Path | None:
    """Return the folder of a target's module."""
    if target is None:
        return None
    file = getattr(sys.modules.get(target.__module__), "__file__", None)
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
    """Return the traceback of another process that an error carries as text."""
    for text in (_message(error), _message(error.__cause__) if error.__cause__ is not None else ""):
        if TRACEBACK in text:
            # multiprocessing puts it into quotes
            return text.strip().strip('"')
    return None

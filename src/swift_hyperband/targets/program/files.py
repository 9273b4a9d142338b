"""The files, and their lines, that a start of a program wrote: metrics of earlier starts must not count again."""

from __future__ import annotations

import glob
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from swift_hyperband.base.delimited import printable
from swift_hyperband.targets import TargetError


class ProgramError(TargetError):
    """The program failed, or did not write what it must; the message is one line."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


class NothingMeasuredError(ProgramError):
    """The program wrote no metrics in their place; its output may say why."""


@dataclass(frozen=True)
class Before:
    """A file before a start: its stamp, its size in bytes and the digest of its content.

    Without a stamp, the file lay in the same place of the state from which the start resumes.
    """

    stamp: tuple[int, int, int] | None
    size: int
    digest: str


@dataclass(frozen=True)
class Written:
    """A file that a start wrote.

    Attributes
    ----------
    path : Path
    old : int
        How many bytes at its beginning were there before: a log that is appended to.
    appended : bool
        Whether it is such a log, so that what follows is certainly of this start.
    same : bool
        Whether it holds just what it held before, or what the state held that the start went on from.
    """

    path: Path
    old: int = 0
    appended: bool = False
    same: bool = False

    def text(self, strict: bool = True) -> str:
        """Return the whole file as text.

        Parameters
        ----------
        strict : bool
            Whether bytes that are no text are refused; else they are replaced.

        Raises
        ------
        ProgramError
            If they are, or the file cannot be read.
        """
        try:
            return decoded(read(self.path), strict)
        except UnicodeError:
            raise ProgramError(f"{self.path}: must be text in UTF-8, found other bytes; name the right file") from None

    def old_text(self) -> str:
        """Return the part of the file that was there before the start."""
        return decoded(read(self.path)[: self.old], strict=False) if self.old else ""


def files_at(place: str) -> list[Path]:
    """Return the files at a place: one, with `*` or `**` in it all that fit, of a folder with event files all of these.

    Whatever is there now; a place may name what is not there yet.
    """
    # Path.glob would make a pattern of the folder, too
    paths = [Path(unescaped(place))]
    if "*" in place:
        paths = sorted(map(Path, glob.glob(place, recursive=True)))  # noqa: PTH207
    found: list[Path] = []
    for path in paths:
        events = sorted(path.rglob("*tfevents*")) if path.is_dir() else []
        found += [event for event in events if event.is_file()] or [path]
    return found


def unescaped(place: str) -> str:
    """Return a place without `*` as the path that it stands for."""
    return re.sub(r"\[([*?[])\]", r"\1", place)


def before_start(place: str, state_in: Path | None = None, state_out: Path | None = None) -> dict[Path, Before]:
    """Note the files at a place before a start, and those in the state from which it resumes, which it may copy."""
    found = {path: _seen(path, _stamp(path)) for path in files_at(place) if path.is_file()}
    if state_in is not None and state_out is not None and place.startswith(out := glob.escape(str(state_out))):
        copies = files_at(glob.escape(str(state_in)) + place.removeprefix(out))
        found |= {state_out / path.relative_to(state_in): _seen(path, None) for path in copies if path.is_file()}
    return found


def _seen(path: Path, stamp: tuple[int, int, int] | None) -> Before:
    content = read(path)
    return Before(stamp, len(content), _digest(content))


def written(place: str, before: dict[Path, Before]) -> list[Written]:
    """Return the files at a place that a start wrote, or wrote to, in the order in which it did.

    Raises
    ------
    ProgramError
        If there are none.
    """
    found = files_at(place)
    shown = unescaped(place)
    if not any(path.exists() for path in found):
        raise NothingMeasuredError(f"{shown} must hold the program's metrics, found no such file")
    files = [path for path in found if path.is_file()]
    if not files:
        raise ProgramError(f"{shown} must be a file with the program's metrics, found a folder; name the file in it")
    new = sorted((path for path in files if not _untouched(path, before)), key=lambda path: path.stat().st_mtime_ns)
    if not new:
        raise NothingMeasuredError(
            f"{shown} must be written by each start of the program, found that this one left the file as it was; "
            "its values are of an earlier start"
        )
    return [_compared(path, before.get(path)) for path in new]


def _untouched(path: Path, before: dict[Path, Before]) -> bool:
    known = before.get(path)
    # a coarse clock may give a rewritten file its old stamp
    return known is not None and known.stamp == _stamp(path) and known.digest == _digest(read(path))


def _compared(path: Path, known: Before | None) -> Written:
    if known is None or known.size == 0:
        return Written(path)
    content = read(path)
    if len(content) == known.size and _digest(content) == known.digest:
        # copied with the state, or written anew as it was, as where a start is tried again
        return Written(path, same=True)
    if known.stamp is None or len(content) <= known.size or _digest(content[: known.size]) != known.digest:
        return Written(path)
    if content[known.size - 1 : known.size] not in _ENDS and content[known.size : known.size + 1] not in _ENDS:
        raise ProgramError(
            f"{path}: must end with a whole line where the program goes on to write, found that line "
            f"{count_lines(content[: known.size].decode('utf-8', 'replace')) + 1} was left half written by an earlier "
            "start; let the program write whole lines, or a file of its own in {state_out}"
        )
    return Written(path, known.size, appended=True)


_ENDS = (b"\n", b"\r")


def count_lines(text: str) -> int:
    """Return how many line ends there are, whatever their kind."""
    return len(re.findall(r"\r\n?|\n", text))


def read(path: Path) -> bytes:
    """Return the content of a file.

    Raises
    ------
    ProgramError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProgramError(f"{path} must be a file that can be read, found {error.strerror}") from None


def decoded(content: bytes, strict: bool) -> str:
    """Return bytes as text, without a byte-order mark; in UTF-16 where the mark says so, as Windows writes."""
    marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return content.decode("utf-16" if marked else "utf-8-sig", "strict" if strict else "replace")


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content).hexdigest()


def paths_of(files: Sequence[Written]) -> str:
    """Return the files as a message names them."""
    return ", ".join(str(file.path) for file in files[:3]) + (" ..." if len(files) > 3 else "")

"""Logs of a trial: the output of each start, in trials/<trial>/logs/start-<n>.txt.

The output of Python, of C libraries and of programs goes into a pipe, and a separate process writes it to the log. So
a flood of output is bounded while it is written, a killed process leaves what it printed before, and a log can be
followed with `tail -f`. A log that grows too long keeps its beginning and its end. The last starts keep their logs.
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from swift_hyperband.base import console

FOLDER = "logs"
KEPT = 8
"""How many logs a trial keeps: those of its last starts."""
LIMIT = 512_000
"""Bytes of a log; a longer one is shortened to its first and last `PART` bytes."""
PART = 128_000
COPIED = 256_000_000
"""Bytes of a program's output that are searched for metrics."""
BAR = 10.0
"""Seconds between two logged states of a progress bar."""
CHUNK = 1 << 20
DRAINED = 0.5
"""Seconds to wait for the rest when the process has ended; what it left running may print without end."""


@dataclass(frozen=True)
class Log:
    """The open log of a start.

    Attributes
    ----------
    path : Path
    descriptor : int
        To write to; all of it is logged.
    writer : int
        The process that writes the log.
    """

    path: Path
    descriptor: int
    writer: int

    def write(self, text: str) -> None:
        """Log a text of this process: the target may have closed standard output and error."""
        _flush()
        os.write(self.descriptor, text.encode("utf-8", errors="backslashreplace"))

    def close(self) -> None:
        """Stop logging; return when all output is written."""
        os.close(self.descriptor)
        end = time.monotonic() + DRAINED
        with suppress(ChildProcessError):
            while not os.waitpid(self.writer, os.WNOHANG)[0] and time.monotonic() < end:
                time.sleep(0.001)


def start(folder: Path, what: str, copy: Path | None = None) -> Log:
    """Start the next log of a trial.

    Parameters
    ----------
    folder : Path
        The trial's folder; this process holds its lease.
    what : str
        A description of the start, for the first line.
    copy : Path, optional
        A file for all output as it is, up to `COPIED` bytes.
    """
    numbers = sorted(_numbers(folder))
    for number in numbers[: max(0, len(numbers) - KEPT + 1)]:
        _path(folder, number).unlink(missing_ok=True)
    path = _path(folder, numbers[-1] + 1 if numbers else 1)
    path.parent.mkdir(exist_ok=True)
    when = time.strftime("%Y-%m-%d %H:%M:%S")
    job = f", SLURM job {os.environ['SLURM_JOB_ID']}" if "SLURM_JOB_ID" in os.environ else ""
    first = f"# {when}: {what}; process {os.getpid()} on host {os.uname().nodename}{job}\n"
    path.write_text(first, encoding="utf-8")
    source, descriptor = os.pipe()
    with suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, CHUNK)
    printing = os.getpid()
    writer = os.fork()
    if writer == 0:
        with suppress(BaseException):
            os.close(descriptor)
            _write_down(source, path, copy, printing)
        os._exit(0)
    os.close(source)
    return Log(path, descriptor, writer)


@contextmanager
def captured(folder: Path, what: str) -> Iterator[Log]:
    """Log the output of this process and its children until the end of the context."""
    log = start(folder, what)
    _flush()
    before, streams = (os.dup(1), os.dup(2)), (sys.stdout, sys.stderr)
    for number in (1, 2):
        os.dup2(log.descriptor, number)
    # a stream that the target has replaced stays
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _stream(1)
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _stream(2)
    try:
        with console.user_at(before[1]):
            yield log
    finally:
        _flush()
        sys.stdout, sys.stderr = streams
        _flush()
        for number, descriptor in zip((1, 2), before, strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
        log.close()


def last(folder: Path) -> Path | None:
    """Return the log of a trial's last start; None if there is none."""
    numbers = _numbers(folder)
    return _path(folder, max(numbers)) if numbers else None


def text(path: Path) -> str:
    """Return the logged output, without the log's own first line."""
    return path.read_bytes().decode("utf-8", errors="replace").partition("\n")[2]


def _path(folder: Path, number: int) -> Path:
    return folder / FOLDER / f"start-{number}.txt"


def _numbers(folder: Path) -> list[int]:
    try:
        names = [path.name for path in (folder / FOLDER).iterdir()]
    except FileNotFoundError:
        return []
    return [int(found[1]) for name in names if (found := re.fullmatch(r"start-(\d+)\.txt", name))]


def _stream(descriptor: int) -> io.TextIOWrapper:
    """Return a stream that flushes each line, as on a terminal, so that a log can be followed."""
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()


# --- in the process that writes ----------------------------------------------------------------------------------


def _write_down(source: int, path: Path, copy: Path | None, printing: int) -> None:
    """Write the output to the log until no process is left that could print."""
    # this process ends after those that print: a signal to the whole group must not lose their last output
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    paper = _Paper(os.open(path, os.O_RDWR), path.stat().st_size)
    raw = None if copy is None else os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    left, alone = COPIED, False
    waiting = select.poll()
    waiting.register(source, select.POLLIN)
    while True:
        if not waiting.poll(250):
            if not alone and os.getppid() != printing:
                # processes that the training left running may print without end; nobody must wait for them
                _close_all_but(source, paper.descriptor, *([] if raw is None else [raw]))
                alone = True
            continue
        data = os.read(source, CHUNK)
        if not data:
            break
        if raw is not None and left > 0:
            with suppress(OSError):
                os.write(raw, data[:left])
            left -= len(data)
        # the training itself notices a full disk; its output must not hold it up
        with suppress(OSError):
            paper.add(data)
    with suppress(OSError):
        paper.end()


def _close_all_but(*kept: int) -> None:
    begin = 3
    for descriptor in sorted(kept):
        os.closerange(begin, descriptor)
        begin = descriptor + 1
    os.closerange(begin, 65_536)


class _Paper:
    """A file of bounded size that keeps the first and the last bytes written to it."""

    def __init__(self, descriptor: int, size: int) -> None:
        self.descriptor = descriptor
        self._size = size
        self._left_out = 0
        self._beginning = 0
        """Bytes at the beginning that always stay; 0 before it is shortened for the first time."""
        self._bar = b""
        """The last state of a line that is printed over itself with carriage returns."""
        self._shown = (b"", 0.0)
        os.lseek(descriptor, 0, os.SEEK_END)

    def add(self, data: bytes) -> None:
        """Add output. Of a line printed over itself, such as a progress bar, only a state now and then."""
        data, self._bar = self._bar + data, b""
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        if b"\r" in data:
            whole, newline, rest = data.rpartition(b"\n")
            data = b"\n".join(map(_as_shown, whole.split(b"\n"))) + newline if newline else b""
            if b"\r" in rest:
                state = _as_shown(rest)[-10_000:]
                self._bar = b"\r" + state + (b"\r" if rest.endswith(b"\r") else b"")
                if state != self._shown[0] and time.monotonic() - self._shown[1] > BAR:
                    self._shown = (state, time.monotonic())
                    data += state + b"\n"
            else:
                data += rest
        for begin in range(0, len(data), PART):
            self._write(data[begin : begin + PART])

    def end(self) -> None:
        """Add the last state of a line that was held back."""
        if state := self._bar.strip(b"\r"):
            self._write(state + b"\n")

    def _write(self, data: bytes) -> None:
        if self._size + len(data) > LIMIT:
            self._shorten()
        self._size += os.write(self.descriptor, data)

    def _shorten(self) -> None:
        if not self._beginning:
            self._beginning = 1 + os.pread(self.descriptor, PART, 0).rfind(b"\n") or PART
        tail = os.pread(self.descriptor, PART, self._size - PART)
        tail = tail[1 + tail.find(b"\n") :]
        self._left_out += self._size - self._beginning - len(tail)
        rest = b"\n[... %d bytes are left out here ...]\n" % self._left_out + tail
        os.pwrite(self.descriptor, rest, self._beginning)
        self._size = self._beginning + len(rest)
        os.ftruncate(self.descriptor, self._size)
        os.lseek(self.descriptor, self._size, os.SEEK_SET)


def _as_shown(line: bytes) -> bytes:
    """Return a line as a terminal shows it: the text after its last carriage return."""
    return next((state for state in reversed(line.split(b"\r")) if state), b"")

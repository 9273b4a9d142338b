"""Targets that are programs: the segment command, and the template around an existing program.

One start of a program trains a trial from one epoch to another. The segment command gets its arguments as options and
as environment variables; a template gives them to an existing program, and says where its metrics are. The state is a
folder: each start makes a new one, which is never changed afterwards, so that a kill leaves the one before.
"""

from __future__ import annotations

import errno
import glob
import math
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import write_json
from swift_hyperband.base.metric import RESERVED
from swift_hyperband.base.tracebacks import TRACEBACK, kind_of, of_traceback, place_of_death
from swift_hyperband.processes import log
from swift_hyperband.processes.children import end_program_with_parent
from swift_hyperband.processes.exit_codes import TRY_AGAIN
from swift_hyperband.targets import Context, DamagedStateError, RunsAhead
from swift_hyperband.targets.program import state_folder
from swift_hyperband.targets.program.files import Before, Written, before_start, written
from swift_hyperband.targets.program.metrics import (
    SEGMENT,
    Keys,
    Measured,
    NothingMeasuredError,
    ProgramError,
    Wanted,
    measured,
)
from swift_hyperband.targets.program.state_folder import NO_STATE
from swift_hyperband.targets.program.template import filled, words

PLACEHOLDERS = ("from", "to", "state_in", "state_out", "seed", "threads", "trial", "folder", "metrics", "config")
"""Names in a template beside hyperparameters."""
MAX_EPOCHS = "max_epochs"
"""Another name in a template, unless a hyperparameter has this name."""
COUNTS = ("from", "to", "seed", "threads", MAX_EPOCHS)
"""Placeholders that are whole numbers, for formats in a template ({to:04d})."""
TOLD = 3
"""Last lines of a program's output that an error repeats."""
LONGEST = 300
"""Characters of a command that an error repeats."""


class CommandTarget(RunsAhead):
    """A program as a target; its options are the section `target` of a study that has a command."""

    def setup(self, configuration: dict[str, Any], context: Context) -> None:
        """Take over the configuration and the keys of the command."""
        self._keys = context.options["command"]
        self._metrics = SEGMENT if self._keys["metrics"] is None else Keys.of(self._keys["metrics"])
        self._configuration, self._context = configuration, context
        self._rows: dict[int, dict[str, float]] = {}
        self._epoch = 0
        self._state = NO_STATE
        self._digests: dict[str, str] | None = None
        self._seconds = 0.0

    def train_epoch(self, epoch: int) -> None:
        """Start the program, unless its last start has already trained this epoch."""
        if epoch not in self._rows:
            self._start(epoch - 1, self._last(epoch))
        self._epoch = epoch

    def validate(self) -> dict[str, float]:
        """Return the program's metrics of this epoch."""
        return self._rows[self._epoch]

    def state_dict(self) -> dict[str, Any]:
        """Return the program's state folder, and its metrics of later epochs: it may be ahead."""
        ahead = {
            str(epoch): {name: value if math.isfinite(value) else None for name, value in row.items()}
            for epoch, row in self._rows.items()
            if epoch > self._epoch
        }
        return {"epoch": self._epoch, "state": self._state, "rows": ahead, "digests": self._digests}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a saved state."""
        self._epoch, self._state = state["epoch"], state["state"]
        self._rows = {
            int(epoch): {name: math.nan if value is None else value for name, value in row.items()}
            for epoch, row in state["rows"].items()
        }
        self._digests = state.get("digests")
        if (wrong := state_folder.wrong(self._context.folder, state)) is not None:
            raise DamagedStateError(wrong)

    def seconds_per_epoch(self) -> float:
        """Return the seconds that each epoch of the last start took."""
        return self._seconds

    def after_saving(self) -> None:
        """Remove the folders of earlier states that no saved state needs any more."""
        needed = {self._state, *self._context.kept()}
        for leftover in self._context.folder.glob("state.*"):
            if leftover.is_dir() and leftover.name not in needed:
                shutil.rmtree(leftover)

    def _last(self, epoch: int) -> int:
        """Return the last epoch of a start, by the epoch wanted, the key `piece` and the time left."""
        last = self._context.until
        if self._keys["piece"] is not None:
            last = min(last, epoch - 1 + self._keys["piece"])
        if (fitting := self._context.fits()) is not None:
            last = min(last, epoch - 1 + fitting)
        return max(epoch, last)

    def _start(self, begin: int, end: int) -> None:
        folder = self._context.folder
        resumable = self._keys["resumable"]
        if not resumable:
            begin = 0
        _remove_leftovers(folder)
        # unique names: a program orphaned by a kill may still be writing to the old ones
        token = secrets.token_hex(4)
        out = folder / f"state.{end}"
        temporary = folder / f".state.{end}.{token}.tmp"
        temporary.mkdir()
        told = self._told(begin, end, temporary, f"metrics.start-{token}.jsonl")
        words = self._words(begin, told)
        for epoch in range(begin + 1, end + 1):
            self._context.started(epoch)
        place = self._place(told)
        # the files there now are of earlier starts, whose metrics must not count
        before = {} if place is None else before_start(place, self._state_in(begin), temporary.resolve())
        began = time.perf_counter()
        # if the metrics are in the output, all of it is needed, and a log keeps only the beginning and the end
        prints = folder / f"prints.start-{token}.txt" if place is None else None
        said = self._run(words, told, prints)
        self._seconds = (time.perf_counter() - began) / (end - begin)
        rows = self._measured(begin, end, said, place, before)
        if prints is not None:
            prints.unlink(missing_ok=True)
        shutil.rmtree(out, ignore_errors=True)
        temporary.rename(out)
        self._state = out.name if resumable else NO_STATE
        self._digests = state_folder.digests(out) if resumable else None
        if not resumable:
            shutil.rmtree(out)
        self._rows = {epoch: row for epoch, row in rows.items() if epoch > self._epoch}

    def _told(self, begin: int, end: int, out: Path, metrics: str) -> dict[str, str]:
        """Return the values of the placeholders; paths are absolute."""
        folder, context = self._context.folder.resolve(), self._context
        config = folder / "configuration.json"
        write_json(config, self._configuration)
        return {
            "config": str(config),
            "from": str(begin * self._metrics.every),
            "to": str(end * self._metrics.every),
            "state_in": str(self._state_in(begin) or NO_STATE),
            "state_out": str(out.resolve()),
            "metrics": str(folder / metrics),
            "seed": str(context.seed),
            "threads": str(context.threads),
            "trial": context.trial,
            "folder": str(folder),
            MAX_EPOCHS: str(context.max_epochs * self._metrics.every),
        }

    def _state_in(self, begin: int) -> Path | None:
        """Return the folder of the state to resume from; None if the start begins anew."""
        return self._context.folder.resolve() / self._state if begin and self._state != NO_STATE else None

    def _words(self, begin: int, told: Mapping[str, str]) -> list[str]:
        keys = self._keys
        if keys["metrics"] is None:
            options = ("config", "from", "to", "state_in", "state_out", "metrics", "seed")
            pairs = [(f"--{name.replace('_', '-')}", told[name]) for name in options]
            return [*words(keys["command"]), *(word for pair in pairs for word in pair)]
        template = keys["first_command"] if begin == 0 and keys["first_command"] else keys["command"]
        return [filled(word, self._values(told)) for word in words(template)]

    def _values(self, told: Mapping[str, str]) -> dict[str, Any]:
        """Return the values of names in braces."""
        counts = {name: int(told[name]) for name in COUNTS}
        return {**told, **counts, **self._configuration}

    def _run(self, words: Sequence[str], told: Mapping[str, str], prints: Path | None) -> Path:
        """Run the program; return the file with its output: `prints` with all of it, or its log."""
        name = self._context.trial
        what = f"trial {name}, epochs {int(told['from']) + 1} to {told['to']}, {shlex.join(words)[:LONGEST]}"
        logged = log.start(self._context.folder, what, prints)
        try:
            code = self._exit_code(words, told, logged)
        finally:
            logged.close()
        if code == TRY_AGAIN:
            asked = f"trial {name}: the program asks to be started again (exit code {TRY_AGAIN})"
            raise UserError(f"{asked}; log: {logged.path}")
        if code in (-signal.SIGTERM, -signal.SIGINT):
            raise UserError(f"trial {name}: the program was ended from outside; run again to go on; log: {logged.path}")
        if code:
            raise self._crash(code, logged.path)
        return prints or logged.path

    def _exit_code(self, words: Sequence[str], told: Mapping[str, str], logged: log.Log) -> int:
        # Python then flushes each line, so that the log can be followed, and contains the last lines before a crash
        environment = {"PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"} | os.environ
        environment |= {f"SWIFT_{name.upper()}": value for name, value in told.items()}
        try:
            process = subprocess.Popen(
                words,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=logged.descriptor,
                stderr=subprocess.STDOUT,
                preexec_fn=end_program_with_parent,
            )
        except (OSError, ValueError) as error:
            raise UserError(_cannot_start(words[0], error)) from None
        return process.wait()

    def _crash(self, code: int, path: Path) -> ProgramError:
        """Return the error of a program that crashed."""
        printed = log.text(path)
        ended = f"exit code {code}" if code > 0 else f"ended by {signal.Signals(-code).name}"
        place = place_of_death(printed, None) if code < 0 else ""
        said = of_traceback(printed) if TRACEBACK in printed[-5000:] else last_lines(path)
        error = ProgramError(f"{place}{ended} of {shlex.join(words(self._keys['command']))[:LONGEST]}: {said}")
        # a program that runs out of memory may be killed at each start, and succeed with more memory
        error.alike = None if code == -signal.SIGKILL else f"{place}{ended}: {kind_of(said.rpartition(' / ')[2])}"
        return error

    def _place(self, told: Mapping[str, str]) -> str | None:
        """Return the place of the metrics, as a pattern of files; None for the program's output."""
        if self._keys["metrics"] is None:
            return glob.escape(told["metrics"])
        if self._metrics.path is None:
            return None
        values = self._values(told)
        parts = self._metrics.path.split("/")
        # a * in the study's path stands for any name, a * in a value for itself
        return "/".join(filled(part, values) if "*" in part else glob.escape(filled(part, values)) for part in parts)

    def _measured(self, begin: int, end: int, said: Path, place: str | None, before: dict[Path, Before]) -> Measured:
        """Return the metrics of the trained epochs."""
        last = self._context.curve()[begin - 1] if begin and self._metrics.missing == "last" else {}
        known = {name: value for name, value in last.items() if value is not None and name not in RESERVED}
        try:
            files = [Written(said)] if place is None else written(place, before)
            alone = all(file.path.resolve().is_relative_to(self._context.folder.resolve()) for file in files)
            return measured(files, self._metrics, Wanted(self._keys["metric"], begin, end, known, alone))
        except NothingMeasuredError as error:
            printed = log.last(self._context.folder)
            assert printed is not None
            raise ProgramError(f"{error}; the program said: {last_lines(printed)}") from None


def last_lines(path: Path) -> str:
    """Return the last lines of a program's output, in one line."""
    told = [line.strip() for line in log.text(path)[-2000:].split("\n") if line.strip()][-TOLD:]
    return " / ".join(told)[:300] or "nothing"


def _cannot_start(program: str, error: OSError | ValueError) -> str:
    """Say why a program could not be started."""
    found = getattr(error, "strerror", None) or str(error)
    on_path = shutil.which(program)
    where = Path(on_path or program)
    cure = "it is started without a shell"
    if where.is_dir():
        found, cure = f"that {where} is a folder", "name the program in it"
    elif isinstance(error, PermissionError):
        found, cure = f"no permission to execute {where}", f"'chmod +x {where}' gives it"
    elif isinstance(error, FileNotFoundError) and (on_path or "/" in program) and where.is_file():
        # the script exists, so the interpreter in its first line does not
        first = where.read_bytes()[:200].split(b"\n")[0].decode("utf-8", errors="replace")
        ends = ", whose lines end as on Windows (dos2unix mends it)" if first.endswith("\r") else ""
        found, cure = f"no interpreter {first[2:].strip()!r}", f"correct the first line of {where}{ends}"
    elif isinstance(error, FileNotFoundError):
        here = Path(program).is_file() and "/" not in program
        cure = f"looked for in {Path.cwd()}" if "/" in program else "the search path (PATH) has none"
        cure = f"it lies in the working directory: write ./{program}" if here else cure
    elif getattr(error, "errno", None) == errno.ENOEXEC:
        found, cure = f"that {where} is no program", "a script must begin with a line such as #!/bin/sh"
    return f"target.command: must start, found {found}: {program}; {cure}"


def _remove_leftovers(folder: Path) -> None:
    """Remove unfinished states and metrics of earlier starts; the lease makes this process the only one."""
    for leftover in folder.glob(state_folder.HALF_WRITTEN):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
    for leftover in (*folder.glob("metrics.start-*.jsonl"), *folder.glob("prints.start-*.txt")):
        leftover.unlink(missing_ok=True)

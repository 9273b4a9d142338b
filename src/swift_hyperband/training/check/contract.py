"""Checks that a target keeps its contract, for `swift-hyperband check-target`, before money is spent.

Two epochs are trained in one go and in two, each in a process of its own as a job would be, and must come out alike.
Where they do not, and where they do by luck, every attribute of the trained target is compared with that of one which
was restored from the saved state.
"""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from swift_hyperband.base.files import read_json, write_json
from swift_hyperband.base.metric import RESERVED
from swift_hyperband.base.tracebacks import place_of_death
from swift_hyperband.processes import log
from swift_hyperband.targets import COMMAND
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import Row, read_rows

TRIAL = "check"
EPOCHS = 2
MEANING = "the search runs all the same, but a trial's curve then depends on where its rounds, and kills, cut it"
"""The consequence if a trial trained in pieces differs from one trained in one go."""
PRINTED = 15
"""Last lines of a crashed training's log that are shown."""
LEAST = 0.01
"""Smallest share of an epoch in a program's start: the difference of two starts may be less than chance."""


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes
    ----------
    what : str
        In a word.
    found : str
        In a line; of a failure also what to do.
    ok : bool or None
        None for what is only told.
    """

    what: str
    found: str
    ok: bool | None = True


@dataclass(frozen=True)
class Measured:
    """The measured times, for the price of a study.

    Attributes
    ----------
    start : float
        Seconds that a job takes to start.
    epoch : float
        Seconds that an epoch takes.
    program : float
        Seconds that each start of a program takes beside its epochs; 0 where the target is a class.
    """

    start: float
    epoch: float
    program: float = 0.0


def check(
    settings: TrainingSettings,
    configuration: Mapping[str, Any],
    folder: Path,
    tell: Callable[[Finding], None],
    tolerance: float = 0.0,
) -> Measured | None:
    """Check a target; return its cost, or None if it does not keep its contract.

    Parameters
    ----------
    settings : TrainingSettings
        Of the study; a crash is not forgiven.
    configuration : mapping
        Hyperparameters of the trial that is trained.
    folder : Path
        An empty one for what is trained.
    tell : callable
        Is told each finding as soon as it is there.
    tolerance : float
        By how much metrics may differ, as a share, where a target cannot be exact; 0 for the same bits.
    """
    check_ = _Check(settings, dict(configuration), folder, tell, tolerance)
    return check_.run()


class _Check:
    def __init__(
        self,
        settings: TrainingSettings,
        configuration: dict[str, Any],
        folder: Path,
        tell: Callable[[Finding], None],
        tolerance: float,
    ) -> None:
        self._settings, self._configuration = settings, configuration
        self._folder, self._tell, self._tolerance = folder, tell, tolerance
        self._program = settings.target == COMMAND
        self._failed = False

    def run(self) -> Measured | None:
        began = time.monotonic()
        first = self._train("pieces", 1)
        if first is None:
            return None
        wall = time.monotonic() - began
        start = max(0.0, wall - first["row"]["seconds"])
        until = "it starts the program" if self._program else "its first epoch"
        where = "" if first["device"] is None else f", on {first['device']}"
        self._say("start", f"a job takes {start:.1f} s until {until}{where}", None)
        if not self._metric(first["row"]):
            return None
        whole, pieces = self._train("whole", EPOCHS), self._train("pieces", EPOCHS)
        if whole is None or pieces is None:
            return None
        measured = self._measured(start, *(float(found["row"]["seconds"]) for found in (first, whole, pieces)))
        program = f", and a start of the program {measured.program:.3g} s beside" if measured.program else ""
        self._say("epoch", f"takes {measured.epoch:.3g} s{program}", None)
        self._resumed(pieces["differences"])
        size = sum(path.stat().st_size for path in self._files("whole"))
        self._say("state", f"{size / 1000:,.0f} kB a trial", None)
        return None if self._failed else measured

    def _measured(self, start: float, first: float, whole: float, pieces: float) -> Measured:
        """Return the cost, by the seconds of an epoch in the first training, in one go, and in pieces."""
        keys = self._settings.options["command"] if self._program else {}
        if not self._program or keys["piece"] == 1:
            # a program with one epoch a start pays for the start with each epoch
            return Measured(start, whole)
        two = EPOCHS * whole
        # both starts of the training in pieces had one epoch; the second found its files in memory, as most will
        one = min(first, pieces) if keys["resumable"] else first
        epoch = max(two - one, LEAST * two)
        return Measured(start, epoch, max(0.0, two - EPOCHS * epoch))

    def _say(self, what: str, found: str, ok: bool | None = True) -> None:
        self._failed = self._failed or ok is False
        self._tell(Finding(what, found, ok))

    def _train(self, name: str, epochs: int) -> dict[str, Any] | None:
        """Train in a new process; return its report, or None if it failed."""
        place = self._folder / name / "trials" / TRIAL
        place.mkdir(parents=True, exist_ok=True)
        write_json(place / "config.json", {"configuration": self._configuration})
        given = {"settings": asdict(self._settings), "folder": str(place), "epochs": epochs}
        write_json(self._folder / "given.json", given)
        command = [sys.executable, "-m", "swift_hyperband.training.check.child", str(self._folder / "given.json")]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            error, count = self._error(place, done), "1 epoch" if epochs == 1 else f"{epochs} epochs"
            self._say("training", f"must get through {count}, found: {error}", False)
            written = log.last(place)
            printed = [] if written is None else log.text(written).rstrip().splitlines()
            if printed and printed != [error]:
                self._say("", "\n".join(["the last lines that it printed:", *printed[-PRINTED:]]), None)
            return None
        return dict(read_json(place / "told.json"))

    def _error(self, place: Path, done: subprocess.CompletedProcess[str]) -> str:
        """Return in a line why a training did not come to its end."""
        if done.returncode >= 0:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            return lines[-1].removeprefix("error: ")
        written = log.last(place)
        text = "" if written is None else log.text(written)
        return f"{place_of_death(text, None)}its process was ended by {signal.Signals(-done.returncode).name}"

    def _metric(self, row: Row) -> bool:
        """Report whether the study's metric is a finite number after the first epoch."""
        metric, value = self._settings.metric, row[self._settings.metric]
        others = ", ".join(name for name in row if name not in (*RESERVED, metric)) or "no others"
        if value is None:
            found = (
                f"{metric} must be finite after the first epoch, found that it is not; a trial that begins so is out "
                "of the search: is that so with other configurations (--trial 1), or does the target divide by zero?"
            )
            self._say("metric", found, False)
            return False
        self._say("metric", f"{metric} is {value:.4g} after the first epoch ({others} beside it)")
        return True

    def _resumed(self, differences: Sequence[str]) -> None:
        """Report whether training in pieces gives the same as training in one go."""
        one, other = (read_rows(self._folder / name / "trials" / TRIAL) for name in ("whole", "pieces"))
        different = [name for name in self._compared(one[-1]) if not self._same(one[-1][name], other[-1].get(name))]
        hint = f"; after restoring, {'; '.join(differences[:3])}" if differences else ""
        if different:
            name = different[0]
            values = f"{name} is {one[-1][name]} and {other[-1][name]}"
            if anew := self._began_anew(one, other):
                cure = "the second epoch came out as the first: is the state read again" + (
                    " (--state-in, --from)?" if self._program else "?"
                )
            else:
                cure = self._cure(differences)
            found = f"{EPOCHS} epochs must come out as 1 + 1 in new processes, found that {values}{hint}; {cure}"
            self._say("resume", found, False)
            # a training that begins anew in every round must be mended, however close its metric is
            self._say("", MEANING + ("" if anew else self._tolerated(one[-1], other[-1], different)), None)
            return
        if lost := [text for text in differences if text.startswith("!")]:
            told = "; ".join(text[1:] for text in lost[:3])
            found = (
                f"everything with a state must be restored, found that {told}; {EPOCHS} epochs came out alike by luck: "
                "save it, too"
            )
            self._say("resume", found, False)
            return
        exact = "bit for bit" if not self._tolerance else f"within {self._tolerance:g}"
        self._say("resume", f"{EPOCHS} epochs come out as 1 + 1 in new processes, {exact}")

    def _began_anew(self, one: Sequence[Row], other: Sequence[Row]) -> bool:
        return all(self._same(other[-1][name], one[0][name]) for name in self._compared(one[0]) if name != "epoch")

    def _compared(self, row: Row) -> list[str]:
        """Return the metrics to compare: of a program the study's alone, as its tables may contain times and dates."""
        return [self._settings.metric] if self._program else [name for name in row if name != "seconds"]

    def _cure(self, differences: Sequence[str]) -> str:
        if any("generator" in text for text in differences):
            return (
                "draw from the global generators of random, numpy and torch, which are seeded for each epoch, or seed "
                "your own in train_epoch(epoch)"
            )
        if self._program:
            return (
                "the state must hold all that training goes on from: model, optimiser, scheduler; a program that seeds "
                "itself where it begins must seed each epoch (seed + epoch), and spread schedules over {max_epochs}, "
                "not {to}"
            )
        return (
            "keep model, optimiser and scheduler in attributes of their own, or let state_dict() and load_state_dict() "
            "hold all of them, and spread schedules over context.max_epochs, not context.until"
        )

    def _tolerated(self, one: Row, other: Row, different: Sequence[str]) -> str:
        """Return which tolerance would let these metrics pass; nothing where none would."""
        pairs = [(one[name], other[name]) for name in different]
        if any(a is None or b is None for a, b in pairs):
            return ""
        apart = max(abs(a - b) / max(abs(a), abs(b)) for a, b in pairs if a is not None and b is not None)
        if apart >= 1:
            return ""
        # upwards, to two digits
        digit = 10.0 ** (math.floor(math.log10(apart)) - 1)
        return f"; --tolerance {math.ceil(apart / digit) * digit:.2g} lets it pass, and changes nothing in the search"

    def _same(self, one: float | None, other: float | None) -> bool:
        if one is None or other is None:
            return one is other
        return one == other or math.isclose(one, other, rel_tol=self._tolerance, abs_tol=0.0)

    def _files(self, name: str) -> Iterator[Path]:
        for path in (self._folder / name / "trials" / TRIAL).glob("state.*"):
            yield from (file for file in path.rglob("*") if file.is_file()) if path.is_dir() else (path,)


# --- in the process that trains ----------------------------------------------------------------------------------

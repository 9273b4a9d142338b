"""What is found wrong in a study's folder when its search starts; `repair` looks for it and removes it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.results.ahead import asked
from swift_hyperband.results.contents import Config, Content, Entry
from swift_hyperband.results.decided import Decided, Promotion
from swift_hyperband.results.drawn import DrawnBracket
from swift_hyperband.results.history import RoundHistory
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.taken import Taken
from swift_hyperband.search import Curve
from swift_hyperband.search.rounds import loss_at
from swift_hyperband.search.schedule import Round
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.training import trial

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study


class Findings:
    """What is wrong in a study's folder, and its files as far as they were read.

    Attributes
    ----------
    wrong : dict of Path to str
        Files that are damaged, lost, or do not fit the others, and why.
    rest : set of Path
        Files to be made again as they rest on others that are.
    again : dict of str to str
        Trials that must be trained again, and why.
    missing : set of Path
        Files that were not there when they were looked for. Those that are there by now are sound.
    """

    def __init__(self, folder: StudyFolder, study: Study) -> None:
        self.folder, self.study, self.schedule = folder, study, study.schedule()
        self.drawn = {bracket: study.trials(bracket) for bracket in study.supply().brackets}
        self.wrong: dict[Path, str] = {}
        self.rest: set[Path] = set()
        self.again: dict[str, str] = {}
        self.content: dict[Path, Any] = {}
        self.missing: set[Path] = set() if folder.best.exists() else {folder.best}
        self.taken = Taken.of(folder)
        self._curves: dict[str, list[float | None]] = {}

    def configurations(self, bracket: int) -> Mapping[str, tuple[int, Mapping[str, Scalar] | None]]:
        """Return slot and configuration of a bracket's trials; none where a model is still to draw them."""
        trials = self.drawn[bracket]
        if not self.schedule.drawn_after(bracket):
            return trials
        path = self.folder.draw(self.schedule.brackets[bracket][0])
        if (found := self.read(path, DrawnBracket.read)) is not None:
            self.fits(path, found.trials, trials)
        drawn = {} if found is None or path in self.wrong else found.trials
        return {
            name: (slot, drawn[name].configuration if name in drawn else None) for name, (slot, _) in trials.items()
        }

    def look_at_config(self, path: Path, drawn: Config) -> None:
        """Write a trial's configuration again if it is lost or damaged. Another one is for the user to explain."""
        found = self.read(path, Config.read)
        if found is None:
            # A trial keeps its configuration from the start, so nobody else writes the file again.
            drawn.write(path)
            if self.wrong.pop(path, None) is not None:
                logger.warning(f"{path}: was damaged, and is written again")
        elif found != drawn:
            raise UserError(
                f"{path}: must hold the trial that the study draws, found {found.difference(drawn)}; "
                "delete the file if it was changed by hand, and start the search again"
            )

    def curve(self, name: str) -> list[float | None]:
        """Return a trial's values by epoch, None where not finite; nothing if its curve is damaged or lost."""
        if name not in self._curves:
            place, metric = self.folder.trial(name), self.study.metric
            rows = [] if place / trial.CURVE in self.wrong else trial.read_rows(place)
            self._curves[name] = [row[metric.name] for row in rows]
        return self._curves[name]

    def competitors(self, round_: Round) -> Iterator[str]:
        """Yield the trials of a round, as far as its files are there."""
        for path in (self.folder.entry(round_), self.folder.promotion(round_)):
            content = None if path in self.wrong else self.content.get(path)
            if isinstance(content, Entry):
                yield from content.competitors
            elif isinstance(content, Promotion):
                yield from content.losses

    def asked(self) -> dict[str, int]:
        """Return the epoch to which the search has asked for each trial, as far as the rounds' files are there."""
        found = []
        for round_ in self.schedule.all_rounds:
            entry, decided = (
                self.content.get(path) for path in (self.folder.entry(round_), self.folder.decision(round_))
            )
            if isinstance(entry, Entry):
                history = RoundHistory(round_, tuple(entry.competitors))
                names = decided.decision.verdicts if isinstance(decided, Decided) else {}
                found.append(replace(history, decided=decided) if set(names) == set(history.partial) else history)
        return asked(found)

    def not_ahead(self, bracket: int, drawn: Iterable[str]) -> Iterable[str]:
        """Return the trials of a bracket without those that were trained to the last epoch ahead of the search alone.

        Where nothing is known of the bracket's last round, all of them but those that were taken over at that epoch.
        """
        last, thaw = self.schedule.brackets[bracket][-1], self.schedule.thaw
        known = set(self.competitors(last))
        decided = self.content.get(self.folder.decision(last))
        verdicts = decided.decision.verdicts if isinstance(decided, Decided) else {}
        stopped = {name for name, verdict in verdicts.items() if not verdict.continues}
        thawed = set(self.competitors(thaw)) if thaw is not None else set()
        if not known:
            end = self.study.search.max_epochs
            return [name for name in drawn if self.taken.epochs(name) < end]
        return [name for name in drawn if name in (known - stopped) | thawed]

    def reaches(self, name: str, epochs: int) -> bool:
        """Whether a trial is trained to an epoch, or failed or diverged before it."""
        place = self.folder.trial(name)
        if place / trial.CURVE in self.wrong:
            return False
        failures = place / trial.FAILURES
        failed = failures not in self.wrong and trial.has_failed(place)
        curve = self.curve(name)
        if failed or None in curve or len(curve) >= epochs:
            return True
        # a process that a killed head left behind may have trained on meanwhile
        del self._curves[name]
        return len(self.curve(name)) >= epochs

    def fits(self, path: Path, names: Iterable[str], expected: Iterable[str], every: bool = True) -> None:
        """Note a file that names other trials than it must: `every` one that is expected, or some of them."""
        found, known = set(names), set(expected)
        if different := (found ^ known if every else found - known):
            self.wrong.setdefault(path, f"names {'a' if min(different) in found else 'no'} trial {min(different)}")

    def agrees(self, path: Path, name: str, epoch: int, stored: float | Curve) -> None:
        """Compare what a decision was taken from, a loss at an epoch or a curve up to it, with the trial's curve."""
        if path in self.wrong:
            return
        if not self.reaches(name, epoch):
            self.again.setdefault(name, f"its curve must reach epoch {epoch}, on which {path} rests")
            return
        curve = self.study.metric.losses(self.curve(name)[:epoch])
        if stored != math.inf and stored != (curve if isinstance(stored, list) else loss_at(curve, epoch)):
            self.train_anew(name, f"does not hold what {path} was taken from")

    def train_anew(self, name: str, why: str) -> None:
        """Have a trial trained again from the start: its curve is not what it was."""
        self.again[name] = ""
        self.wrong.setdefault(self.folder.trial(name) / trial.CURVE, why)

    def read(self, path: Path, read: Callable[[Path], Content]) -> Content | None:
        """Return what `read` reads of a file; None if the file is missing, or is wrong, which is noted."""
        found = None
        if not path.exists():
            self.missing.add(path)
        else:
            try:
                found = read(path)
            except UserError as error:
                self.damaged(path, error)
        self.content[path] = found
        return found

    def damaged(self, path: Path, error: UserError) -> None:
        if path.is_dir():
            raise error
        self.wrong.setdefault(path, str(error).removeprefix(f"{path}: ").rpartition("; ")[0])

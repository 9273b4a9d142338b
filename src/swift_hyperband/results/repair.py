"""Checking a study's folder when its search starts: damaged or lost files are made again.

Nothing is computed here. A file that cannot be what was written is removed, with all that was taken from it, and
whoever runs the search makes them again from the trials' curves, as for the first time. A trial whose curve is damaged
or lost, or whose state is and is the result, is trained again, which gives the same bits. What nobody but the user can
put right is told in one line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swift_hyperband.base.console import say
from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import AWAY, Shape, read_json, write_json
from swift_hyperband.base.metric import Metric
from swift_hyperband.results import provenance
from swift_hyperband.results.contents import (
    COMPLETION,
    CONFIG,
    DECISION,
    ENTRY,
    MANIFEST,
    PREDICTOR,
    PROMOTION,
    THRESHOLD,
    best_content,
    config_content,
    read_best,
)
from swift_hyperband.results.digests import changed_input
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.search import decisions
from swift_hyperband.search.schedule import Round
from swift_hyperband.training import state, trial

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study

SHOWN = 5
"""How many damaged files are named; the others are counted."""
END_OF_PNG = b"IEND\xaeB`\x82"


def mend(folder: StudyFolder, study: Study) -> None:
    """Look a study's folder through, and remove what is to be made again. Only the head of the search may.

    Raises
    ------
    UserError
        If something lies there that is not the search's to remove, a trial's configuration is another one, or a trial
        is to be trained again with other code than before.
    """
    mending = _Mending(folder, study)
    mending.look()
    if mending.again:
        # before anything is removed: without that trial there is no result
        why = f"trial {min(mending.again)} must be trained again, as its files are damaged or lost, and "
        provenance.check_before_training(folder, study.definition()["target"], why)
    mending.remove()


class _Mending:
    """What is wrong in a study's folder.

    Attributes
    ----------
    wrong : dict of Path to str
        Files that are damaged, lost, or do not fit the others, and why.
    rest : set of Path
        Files to be made again as they rest on others that are.
    again : dict of str to str
        Trials that must be trained again, and why.
    """

    def __init__(self, folder: StudyFolder, study: Study) -> None:
        self.folder, self.study, self.schedule = folder, study, study.schedule()
        self._drawn = {bracket: study.trials(bracket) for bracket in self.schedule.brackets}
        self.wrong: dict[Path, str] = {}
        self.rest: set[Path] = set()
        self.again: dict[str, str] = {}
        self._content: dict[Path, Any] = {}
        self._curves: dict[str, list[float | None]] = {}

    def look(self) -> None:
        """Find what is wrong."""
        for bracket in self.schedule.brackets:
            self._look_at_trials(bracket)
        for round_ in self.schedule.rounds:
            self._look_at_round(round_)
        self._look_at_table()
        for round_ in self.schedule.rounds:
            for name in self._trained_again_in(round_):
                self._forget(round_, name)
        self._look_at_winner()
        self._look_at_report()

    def remove(self) -> None:
        """Remove what is wrong and what was taken from it, and say so."""
        stale = self._stale()
        for path in [*self.wrong, *stale]:
            path.unlink(missing_ok=True)
        trials = {self.folder.trial(name): why for name, why in self.again.items() if why}
        told = [f"{path}: {why}" for path, why in (*self.wrong.items(), *trials.items())]
        for line in told[:SHOWN]:
            say(line)
        more = f" ({len(told) - SHOWN} more like these)" if len(told) > SHOWN else ""
        trained = f"; trials that are trained again: {', '.join(sorted(self.again))}" if self.again else ""
        if told:
            say(f"{self.folder.path}: what was damaged or lost is made again{more}{trained}")

    # trials

    def _look_at_trials(self, bracket: int) -> None:
        for name, (slot, configuration) in self._drawn[bracket].items():
            place = self.folder.trial(name)
            if not place.exists():
                continue
            self._look_at_config(place / "config.json", config_content(name, bracket, slot, configuration))
            self._read(place / trial.FAILURES, trial.FAILURES_SHAPE)
            try:
                trial.state_of(place, self.study.target.metric)
            except UserError as error:
                self._damaged(place / trial.CURVE, error)
                continue
            if len(self._curve(name)) > self.study.search.max_epochs:
                self._train_anew(name, "holds epochs beyond the last one of the search")
            elif state.belies(place):
                self._train_anew(name, "does not hold the curve that the trial's state was saved with")

    def _look_at_config(self, path: Path, drawn: dict[str, Any]) -> None:
        found, drawn = self._read(path, CONFIG), json.loads(json.dumps(drawn))
        if found is None:
            # not among the files that are made again: a trial keeps it from the start
            write_json(path, drawn)
            if self.wrong.pop(path, None) is not None:
                say(f"{path}: was damaged, and is written again")
        elif {key: found[key] for key in drawn} != drawn:
            raise UserError(
                f"{path}: must hold the trial that the study draws, found {_first_difference(found, drawn)}; "
                "delete the file if it was changed by hand, and start the search again"
            )

    def _curve(self, name: str) -> list[float | None]:
        """Return a trial's metric by epoch, as files hold it; nothing where its curve is damaged or lost."""
        if name not in self._curves:
            place, metric = self.folder.trial(name), self.study.target.metric
            damaged = place / trial.CURVE in self.wrong
            self._curves[name] = [] if damaged else [row[metric] for row in trial.read_rows(place)]
        return self._curves[name]

    def _reaches(self, name: str, epochs: int) -> bool:
        """Whether a trial is trained to an epoch, or failed or diverged before it."""
        place = self.folder.trial(name)
        if place / trial.CURVE in self.wrong:
            return False
        failures = place / trial.FAILURES
        failed = failures not in self.wrong and trial.has_failed(place)
        curve = self._curve(name)
        if failed or None in curve or len(curve) >= epochs:
            return True
        # a process that a killed head left behind may have trained on meanwhile
        del self._curves[name]
        return len(self._curve(name)) >= epochs

    # rounds

    def _look_at_round(self, round_: Round) -> None:
        folder, end = self.folder, round_.end
        entry = self._read(folder.entry(round_), ENTRY) or {}
        completion = self._read(folder.completion(round_), COMPLETION) or {}
        layout = {**entry.get("batches", {}), **completion.get("batches", {})}
        for part in ("full", "partial", "complete"):
            epochs = round_.decision_epoch if part == "partial" else end
            for batch, names in layout.get(part, {}).items():
                self._look_at_batch(folder.manifest(round_, part, batch), names, epochs or end)
        competitors = entry.get("competitors", list(self._drawn[round_.bracket]))
        full, partial = competitors[: round_.full], competitors[round_.full :]
        point = round_.decision_epoch or end
        if (threshold := self._read(folder.threshold(round_), THRESHOLD)) is not None:
            self._fits(folder.threshold(round_), threshold["reference"], competitors[: round_.reference], entry)
            for name, values in threshold["reference"].items():
                self._agrees(folder.threshold(round_), name, end, values)
        if round_.training_rounds:
            self._read(folder.predictor(round_), PREDICTOR)
        if (decision := self._read(folder.decision(round_), DECISION)) is not None:
            self._fits(folder.decision(round_), decision["verdicts"], partial, entry)
            for name, verdict in decision["verdicts"].items():
                self._agrees(folder.decision(round_), name, point, verdict["seen"])
        if (promotion := self._read(folder.promotion(round_), PROMOTION)) is not None:
            verdicts = (decision or {}).get("verdicts", {})
            going = full + [name for name, verdict in verdicts.items() if verdict["continues"]]
            sure = bool(entry) and (decision is not None or round_.decision_epoch is None)
            self._fits(folder.promotion(round_), promotion["values"], going if sure else competitors, sure)
            self._fits(folder.promotion(round_), promotion["promoted"], _promoted(self.study.metric, round_, promotion))
            for name, value in promotion["values"].items():
                self._agrees(folder.promotion(round_), name, end, value)

    def _look_at_batch(self, path: Path, names: list[str], epochs: int) -> None:
        content = self._read(path, MANIFEST)
        if content is None:
            return
        if set(content["trials"]) != set(names) or content["epochs"] != epochs:
            self.wrong.setdefault(path, "does not hold the trials of its batch")
            return
        for name, trained in content["trials"].items():
            self._agrees(path, name, epochs, trained["values"])

    def _fits(self, path: Path, names: Iterable[str], expected: Iterable[str], every: object = True) -> None:
        """Note a file that names other trials than it must: `every` one that is expected, or some of them."""
        found, known = set(names), set(expected)
        if different := (found ^ known if every else found - known):
            self.wrong.setdefault(path, f"names {'a' if min(different) in found else 'no'} trial {min(different)}")

    def _agrees(self, path: Path, name: str, epoch: int, stored: Any) -> None:
        """Compare what a decision was taken from, a value at an epoch or a curve up to it, with the trial's curve."""
        if path in self.wrong:
            return
        if not self._reaches(name, epoch):
            self.again.setdefault(name, f"its curve must reach epoch {epoch}, on which {path} rests")
            return
        curve = self._curve(name)[:epoch]
        value = curve[epoch - 1] if len(curve) == epoch else None
        if stored is not None and stored != (curve if isinstance(stored, list) else value):
            self._train_anew(name, f"does not hold what {path} was taken from")

    def _train_anew(self, name: str, why: str) -> None:
        """Have a trial trained again from the start: its curve is not what it was."""
        self.again[name] = ""
        self.wrong.setdefault(self.folder.trial(name) / trial.CURVE, why)

    def _competitors(self, round_: Round) -> Iterator[str]:
        for path, key in ((self.folder.entry(round_), "competitors"), (self.folder.promotion(round_), "values")):
            if path not in self.wrong:
                yield from (self._content.get(path) or {}).get(key, ())

    def _trained_again_in(self, round_: Round) -> set[str]:
        """Return the trials of a round that are trained again."""
        there = self._competitors(round_) if round_.index > 0 else self._drawn[round_.bracket]
        return self.again.keys() & set(there)

    def _forget(self, round_: Round, name: str) -> None:
        """Have all that a round took from a trial made again."""
        folder = self.folder
        self.rest |= {folder.threshold(round_), folder.decision(round_), folder.promotion(round_)}
        for path in folder.round(round_).glob("*/*.json"):
            if name in (self._content.get(path) or {}).get("trials", ()):
                self.rest.add(path)

    # the result

    def _look_at_winner(self) -> None:
        """See whether the result, as far as there is one, has its state: that of the best is never deleted."""
        metric, last = self.study.metric, self.study.search.max_epochs
        ended = ((bracket, name) for bracket, drawn in self._drawn.items() for name in drawn)
        losses = {key: metric.loss(value) for key in ended if (value := self._value_at_end(*key, last)) is not None}
        if not losses:
            return
        bracket, best = min(losses, key=lambda key: (losses[key], key[1]))
        folder = self.folder.trial(best)
        if best in self.again:
            # its state is made again with its curve
            return
        if (found := state.unsound(folder)) is not None:
            self.again[best] = ""
            self._forget(self.schedule.brackets[bracket][-1], best)
            self.wrong[found[0]] = f"{found[1]}, and it is the result"
            trial.want_state(folder)
        elif self.folder.best.exists():
            value = metric.value(losses[bracket, best])
            self._look_at_best(best_content(self.folder, self.study.frozen(), best, bracket, value))

    def _value_at_end(self, bracket: int, name: str, last: int) -> float | None:
        """Return what a trial reached at the last epoch; of one to be trained again, what its bracket noted."""
        if name not in self.again:
            return next(iter(self._curve(name)[last - 1 : last]), None)
        path = self.folder.promotion(self.schedule.brackets[bracket][-1])
        noted: dict[str, float | None] = (self._content.get(path) or {"values": {}})["values"]
        return None if path in self.wrong else noted.get(name)

    def _look_at_best(self, expected: dict[str, Any]) -> None:
        try:
            found = read_best(self.folder)
        except UserError as error:
            self._damaged(self.folder.best, error)
            return
        # the folder may have another name than when the search ended
        for content in (found, expected):
            content["state"] = Path(str(content.get("state"))).name
        if different := [key for key in expected if found.get(key) != expected[key]]:
            self.wrong.setdefault(self.folder.best, f"does not hold the {different[0]} of the best trial")

    def _look_at_table(self) -> None:
        """Compare the table of all curves, which has checksums, with the curves."""
        path = self.folder.curves
        if path.is_dir():
            raise UserError(f"{path}: must be a file, found a folder; {AWAY}")
        if not path.exists():
            return
        # imports pyarrow
        from swift_hyperband.results.curves import read_values

        try:
            table = read_values(path, self.study.target.metric)
        except UserError as error:
            self._damaged(path, error)
            return
        for name in (name for drawn in self._drawn.values() for name in drawn):
            stored, curve = table.get(name, []), self._curve(name)
            if curve[: len(stored)] != stored:
                self._train_anew(name, f"does not hold what is in {path}")
            elif len(curve) > len(stored) and self.folder.best.exists():
                self.wrong.setdefault(path, f"lacks epochs of trial {name}")

    def _look_at_report(self) -> None:
        for path in self.folder.report.glob("*"):
            if path.is_file() and (not path.stat().st_size or (path.suffix == ".png" and not _is_whole(path))):
                self.wrong.setdefault(path, "is not whole")

    # files

    def _read(self, path: Path, shape: Shape) -> Any:
        """Return what a file holds; None where it is not there, or is wrong, which is noted."""
        found = None
        if path.exists():
            try:
                found = read_json(path, shape)
            except UserError as error:
                self._damaged(path, error)
        self._content[path] = found
        return found

    def _damaged(self, path: Path, error: UserError) -> None:
        if path.is_dir():
            raise error
        self.wrong.setdefault(path, str(error).removeprefix(f"{path}: ").rpartition("; ")[0])

    def _stale(self) -> list[Path]:
        """Return the files that rest on what is wrong, on each other, or on files that are not there any more."""
        folder, stale = self.folder, self.wrong.keys() | self.rest
        sources = {path: sources for round_ in self.schedule.rounds for path, sources in self._sources(round_)}
        for path in sources:
            content = self._content.get(path)
            if content is None:
                stale.add(path)
            elif path not in stale and (name := changed_input(folder, content["inputs"])) is not None:
                self.wrong[path] = f"was taken from another {name} than the one there now"
                # what was decided before, and is another now, is made again, too
                stale |= {path} | ({folder.path / name} & sources.keys())
        grown = True
        while grown:
            new = {path for path, needed in sources.items() if path not in stale and not stale.isdisjoint(needed)}
            grown = bool(new)
            stale |= new
        if not stale.isdisjoint(folder.promotion(rounds[-1]) for rounds in self.schedule.brackets.values()):
            stale.add(folder.best)
        if folder.best in stale and folder.best.exists():
            stale |= {folder.curves, *(path for path in folder.report.glob("*") if path.is_file())}
        return [path for path in stale if path.is_file()]

    def _sources(self, round_: Round) -> Iterator[tuple[Path, list[Path]]]:
        """Yield each file that a round decides, with the decided files and batches that it rests on."""
        folder, by_key = self.folder, self.schedule.by_key
        batches = {part: list(folder.round(round_).glob(f"{part}/*.json")) for part in ("full", "partial", "complete")}
        before = by_key.get((round_.bracket, round_.index - 1))
        promotion = [*batches["full"], *batches["complete"]] + ([folder.promotion(before)] if before else [])
        # a round may teach predictors only
        if round_.decision_epoch is not None or folder.threshold(round_).exists():
            yield folder.threshold(round_), batches["full"]
        if round_.decision_epoch is not None:
            if round_.training_rounds:
                yield folder.predictor(round_), [folder.threshold(by_key[key]) for key in round_.training_rounds]
            assert round_.predictor is not None
            fitted = folder.predictor(by_key[round_.predictor])
            yield folder.decision(round_), [folder.threshold(round_), fitted, *batches["partial"]]
            promotion.append(folder.decision(round_))
        yield folder.promotion(round_), promotion


def _promoted(metric: Metric, round_: Round, promotion: Mapping[str, Any]) -> list[str]:
    """Return whom a round promotes, given the values that its trials reached."""
    losses = {name: math.inf if value is None else metric.loss(value) for name, value in promotion["values"].items()}
    return decisions.promote(losses, round_.promoted)


def _first_difference(found: Mapping[str, Any], drawn: Mapping[str, Any]) -> str:
    inner = "configuration"
    for one, other, place in ((found[inner], drawn[inner], f"{inner}."), (found, drawn, "")):
        for key in [*other, *one]:
            if key != inner and one.get(key) != other.get(key):
                return f"{place}{key} {json.dumps(one.get(key))} in the place of {json.dumps(other.get(key))}"
    return "another order"


def _is_whole(picture: Path) -> bool:
    with picture.open("rb") as file:
        file.seek(max(0, picture.stat().st_size - len(END_OF_PNG)))
        return file.read() == END_OF_PNG

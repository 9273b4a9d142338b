"""Checking a study's folder when its search starts: damaged or lost files are made again.

Nothing is computed here. A file that cannot be what was written is removed, with all that was taken from it, and
whoever runs the search makes them again from the trials' curves, as for the first time. A trial whose curve is damaged
or lost, or whose state is and is the result, is trained again, which gives the same bits. What nobody but the user can
put right is told in one line.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import AWAY, is_whole_png, read_json
from swift_hyperband.results import journal, provenance
from swift_hyperband.results.best import Best
from swift_hyperband.results.contents import Batch, Batches, Completion, Config, Entry, as_loss, as_value
from swift_hyperband.results.decided import Decided, Fit, Promotion, Threshold, changed_input
from swift_hyperband.results.dependencies import sources_of, with_dependents
from swift_hyperband.results.findings import Findings
from swift_hyperband.results.layout import PARTS, Part, StudyFolder
from swift_hyperband.results.thawed import Thawed
from swift_hyperband.search import Curve, decisions
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.rounds import divide, loss_at
from swift_hyperband.search.schedule import Round
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.training import kept_states, state, trial

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study

SHOWN = 5
"""How many damaged files are named; the others are counted."""


def mend(folder: StudyFolder, study: Study) -> None:
    """Look a study's folder through, and remove what is to be made again.

    Only the process that decides may, and the head while no other process decides (`workflow.deciding`).

    Raises
    ------
    UserError
        If something lies there that is not the search's to remove, a trial's configuration is another one, or a trial
        is to be trained again with other code than before.
    """
    has_rounds = ALGORITHMS[study.search.algorithm].synchronous
    mending = _Mending(folder, study) if has_rounds else _MendingByJournal(folder, study)
    mending.look()
    if mending.again:
        # before anything is removed: without that trial there is no result
        why = f"trial {min(mending.again)} must be trained again, as its files are damaged or lost, and "
        provenance.check_before_training(folder, study.definition()["target"], why)
    mending.remove()


class _Mending(Findings):
    """Looks a study's folder through."""

    def look(self) -> None:
        """Find what is wrong."""
        for bracket in self.schedule.brackets:
            self._look_at_trials(bracket)
        for round_ in self.schedule.all_rounds:
            for part in PARTS:
                # also those that a damaged entry does not name
                for path in self.folder.manifests(round_, part):
                    self.read(path, Batch.read)
        for round_ in self.schedule.rounds:
            self._look_at_round(round_)
        if self.schedule.thaw is not None:
            self._look_at_thaw(self.schedule.thaw)
        self._look_at_table()
        for round_ in self.schedule.all_rounds:
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
            logger.warning(line)
        more = f" ({len(told) - SHOWN} more like these)" if len(told) > SHOWN else ""
        trained = f"; trials that are trained again: {', '.join(sorted(self.again))}" if self.again else ""
        if told:
            logger.warning(f"{self.folder.path}: what was damaged or lost is made again{more}{trained}")

    # trials

    def _look_at_trials(self, bracket: int) -> None:
        for name, (slot, configuration) in self.configurations(bracket).items():
            place = self.folder.trial(name)
            if not place.exists():
                continue
            if configuration is not None:
                self.look_at_config(self.folder.config(name), Config(name, bracket, slot, configuration))
            else:
                self.read(self.folder.config(name), Config.read)
            self.read(place / trial.FAILURES, partial(read_json, shape=trial.FAILURES_SHAPE))
            try:
                trial.state_of(place, self.study.target.metric)
            except UserError as error:
                self.damaged(place / trial.CURVE, error)
                continue
            if len(self.curve(name)) > self.study.search.max_epochs:
                self.train_anew(name, "holds epochs beyond the last one of the search")
            elif state.belies(place):
                self.train_anew(name, "does not hold the curve that the trial's state was saved with")

    # rounds

    def _look_at_round(self, round_: Round) -> None:
        folder, metric, end, point = self.folder, self.study.metric, round_.end, round_.decision_epoch or round_.end
        entry = self.read(folder.entry(round_), Entry.read)
        completion = self.read(folder.completion(round_), Completion.read)
        if entry is not None:
            self._look_at_batches(round_, "full", entry.batches["full"], end)
            self._look_at_batches(round_, "partial", entry.batches["partial"], point)
        if completion is not None:
            self._look_at_batches(round_, "complete", completion.batches, end)
        competitors = list(self.drawn[round_.bracket]) if entry is None else entry.competitors
        full, others = divide(round_, competitors)
        path = folder.threshold(round_)
        if (threshold := self.read(path, lambda path: Threshold.read(path, metric))) is not None:
            self.fits(path, threshold.reference, competitors[: round_.reference], entry is not None)
            for name, curve in threshold.reference.items():
                self.agrees(path, name, end, curve)
        if round_.training_rounds:
            self.read(folder.predictor(round_), Fit.read)
        path = folder.decision(round_)
        if (decided := self.read(path, lambda path: Decided.read(path, metric))) is not None:
            self.fits(path, decided.decision.verdicts, others, entry is not None)
            for name, verdict in decided.decision.verdicts.items():
                self.agrees(path, name, point, verdict.seen)
        path = folder.promotion(round_)
        if (promotion := self.read(path, lambda path: Promotion.read(path, metric))) is not None:
            going = full if decided is None else full + decided.continuing
            sure = entry is not None and (decided is not None or round_.decision_epoch is None)
            self._look_at_promotion(round_, promotion, going if sure else competitors, sure)

    def _look_at_promotion(self, round_: Round, promotion: Promotion, going: Iterable[str], sure: bool) -> None:
        """Compare a promotion with the trials that trained to the round's end; those are `sure`, or a few of them."""
        path = self.folder.promotion(round_)
        self.fits(path, promotion.losses, going, sure)
        self.fits(path, promotion.promoted, decisions.promote(promotion.losses, round_.promoted))
        values: dict[str, float | Curve] = {**promotion.losses, **promotion.curves}
        for name, value in values.items():
            self.agrees(path, name, round_.end, value)

    def _look_at_thaw(self, round_: Round) -> None:
        folder, metric = self.folder, self.study.metric
        drawn = [name for of_bracket in self.drawn.values() for name in of_bracket]
        entry = self.read(folder.entry(round_), Entry.read)
        if entry is not None:
            self._look_at_batches(round_, "full", entry.batches["full"], round_.end)
        path = folder.thaw(round_)
        if (thawed := self.read(path, lambda path: Thawed.read(path, metric))) is not None:
            self.fits(path, thawed.left, drawn, every=False)
            self.fits(path, thawed.chosen, thawed.left, every=False)
            if entry is not None:
                self.fits(path, thawed.chosen, entry.competitors)
            for name in thawed.left.keys() & set(drawn):
                self.agrees(path, name, thawed.left[name].epochs, math.inf)
        path = folder.promotion(round_)
        if (promotion := self.read(path, lambda path: Promotion.read(path, metric))) is not None:
            self._look_at_promotion(round_, promotion, drawn if entry is None else entry.competitors, entry is not None)

    def _look_at_batches(self, round_: Round, part: Part, batches: Batches, epochs: int) -> None:
        for batch, names in batches.items():
            path = self.folder.manifest(round_, part, batch)
            if (content := self.read(path, Batch.read)) is None:
                continue
            if set(content.trials) != set(names) or content.epochs != epochs:
                self.wrong.setdefault(path, "does not hold the trials of its batch")
                continue
            for name, curve in content.curves(self.study.metric):
                self.agrees(path, name, epochs, curve)

    def _trained_again_in(self, round_: Round) -> set[str]:
        """Return the trials of a round that are trained again."""
        is_first = round_.index == 0 and not round_.is_thaw
        there = self.drawn[round_.bracket] if is_first else self.competitors(round_)
        return self.again.keys() & set(there)

    def _forget(self, round_: Round, name: str) -> None:
        """Have all that a round took from a trial made again."""
        folder = self.folder
        self.rest |= {folder.threshold(round_), folder.decision(round_), folder.promotion(round_)}
        for path in folder.round(round_).glob("*/*.json"):
            content = self.content.get(path)
            if isinstance(content, Batch) and name in content.trials:
                self.rest.add(path)

    # the result

    def _look_at_winner(self) -> None:
        """See whether the result, as far as there is one, has its state: that of the best is never deleted."""
        ended = ((bracket, name) for bracket, drawn in self.drawn.items() for name in self.not_ahead(bracket, drawn))
        losses = {key: loss for key in ended if math.isfinite(loss := self._loss_at_end(*key))}
        if not losses:
            return
        bracket, best = min(losses, key=lambda key: (losses[key], key[1]))
        folder = self.folder.trial(best)
        if best in self.again:
            # its state is made again with its curve
            return
        if (found := kept_states.unsound(folder, self.study.metric)) is not None:
            self.again[best] = ""
            self._forget(self._last(bracket, best), best)
            self.wrong[found[0]] = f"{found[1]}, and it is the result"
            trial.want_state(folder)
        elif self.folder.best.exists():
            self._look_at_best(Best.of(self.folder, self.study.frozen(), best, bracket, losses[bracket, best]))

    def _last(self, bracket: int, name: str) -> Round:
        """Return the round in which a trial trained to the last epoch, if it did."""
        thaw = self.schedule.thaw
        return thaw if thaw is not None and name in self.competitors(thaw) else self.schedule.brackets[bracket][-1]

    def _loss_at_end(self, bracket: int, name: str) -> float:
        """Return the loss of a trial at the last epoch; of one to be trained again, as its bracket noted it."""
        if name not in self.again:
            return loss_at(self.study.metric.losses(self.curve(name)), self.study.search.max_epochs)
        path = self.folder.promotion(self._last(bracket, name))
        noted = None if path in self.wrong else self.content.get(path)
        return noted.losses.get(name, math.inf) if isinstance(noted, Promotion) else math.inf

    def _look_at_best(self, expected: Best) -> None:
        if (found := self.read(self.folder.best, Best.read)) is None:
            return
        # the folder may have another name than when the search ended
        stored, wanted = ({**vars(best), "state": Path(str(best.state)).name} for best in (found, expected))
        if different := [key for key in wanted if stored[key] != wanted[key]]:
            self.wrong.setdefault(self.folder.best, f"does not hold the {different[0]} of the best trial")

    def _look_at_table(self) -> None:
        """Compare the table of all curves, which has checksums, with the curves."""
        path, metric = self.folder.curves, self.study.metric
        if path.is_dir():
            raise UserError(f"{path}: must be a file, found a folder; {AWAY}")
        if not path.exists():
            return
        # imports pyarrow
        from swift_hyperband.results.curves import read_values

        try:
            table = read_values(path, metric.name)
        except UserError as error:
            self.damaged(path, error)
            return
        asked = self.asked()
        for name in (name for drawn in self.drawn.values() for name in drawn):
            stored, curve = table.get(name, []), self.curve(name)
            if curve[: len(stored)] != stored:
                self.train_anew(name, f"does not hold what is in {path}")
            elif len(curve[: asked.get(name)]) > len(stored) and self.folder.best.exists():
                self.wrong.setdefault(path, f"lacks epochs of trial {name}")

    def _look_at_report(self) -> None:
        for path in self.folder.report.glob("*"):
            if path.is_file() and (not path.stat().st_size or (path.suffix == ".png" and not is_whole_png(path))):
                self.wrong.setdefault(path, "is not whole")

    def _stale(self) -> list[Path]:
        """Return the files that rest on what is wrong, on each other, or on files that are not there any more."""
        folder, stale = self.folder, self.wrong.keys() | self.rest
        sources = sources_of(folder, self.schedule)
        for path in sources:
            content = self.content.get(path)
            if content is None:
                stale.add(path)
            elif path not in stale and (name := changed_input(folder, content.inputs)) is not None:
                self.wrong[path] = f"was taken from another {name} than the one there now"
                # what was decided before, and is another now, is made again, too
                stale |= {path} | ({folder.path / name} & sources.keys())
        stale = with_dependents(stale, sources)
        ends = [round_ for round_ in self.schedule.all_rounds if self.schedule.is_last(round_)]
        if not stale.isdisjoint(map(folder.promotion, ends)):
            stale.add(folder.best)
        if folder.best in stale - self.missing:
            stale |= {folder.curves, *(path for path in folder.report.glob("*") if path.is_file())}
        return [path for path in stale - self.missing if path.is_file()]


class _MendingByJournal(_Mending):
    """Looks the folder of a search without rounds through: trials must have what the journal tells of them."""

    def look(self) -> None:
        for bracket in self.drawn:
            self._look_at_trials(bracket)
        # nobody but the user can put a damaged journal right
        events = journal.read(self.folder.journal)
        self._told = {event.name: event for event in events if event.kind == "tell"}
        for name, told in self._told.items():
            curve = self.study.metric.losses(self.curve(name)[: told.trained])
            if len(curve) < told.trained:
                self.again.setdefault(name, f"its curve must reach epoch {told.trained}, of which the journal tells")
            elif curve and as_value(self.study.metric, curve[-1]) != told.value:
                self.train_anew(name, f"does not hold what {self.folder.journal} tells of epoch {told.trained}")
        self._look_at_table()
        # configurations that a model drew are drawn again only when the search goes on
        if all(self.folder.config(name).exists() for name in self._told):
            self._look_at_winner()
        self._look_at_report()

    def configurations(self, bracket: int) -> Mapping[str, tuple[int, Mapping[str, Scalar] | None]]:
        if self.study.search.sampling == "random":
            return self.drawn[bracket]
        return {name: (slot, None) for name, (slot, _) in self.drawn[bracket].items()}

    def not_ahead(self, _bracket: int, drawn: Iterable[str]) -> Iterable[str]:
        return drawn

    def asked(self) -> dict[str, int]:
        return {event.name: event.epochs for event in journal.read(self.folder.journal) if event.kind == "ask"}

    def _loss_at_end(self, _bracket: int, name: str) -> float:
        told = self._told.get(name)
        ended = told is not None and told.trained == self.study.search.max_epochs
        return as_loss(self.study.metric, told.value) if told is not None and ended else math.inf

    def _last(self, _bracket: int, _name: str) -> Round:
        return self.schedule.rounds[-1]

    def _forget(self, round_: Round, name: str) -> None:
        """Have nothing made again but the result: the journal stays."""

    def _stale(self) -> list[Path]:
        stale = {self.folder.best} if self.again or self.folder.best in self.wrong else set()
        if stale - self.missing:
            stale |= {self.folder.curves, *(path for path in self.folder.report.glob("*") if path.is_file())}
        return [path for path in stale - self.missing if path.is_file()]

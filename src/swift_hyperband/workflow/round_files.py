"""The files of the rounds of a search whose decisions are taken in one process.

They are those that the jobs of the workflow write, so status, report and the workflow read them. A decision that is
there and was taken from the same curves holds, as trainings followed from it: another kind of processor, or another
version of a library, predicts a little differently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from swift_hyperband.base.errors import UserError
from swift_hyperband.predictors import Predictor
from swift_hyperband.results.contents import known
from swift_hyperband.results.decided import Decided, Fit, Promotion, Threshold, teaching_curves, teaching_files
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.thawed import Thawed
from swift_hyperband.results.trials import delete_states
from swift_hyperband.search import Curve, rounds
from swift_hyperband.search.decisions import Decision
from swift_hyperband.search.schedule import Round, RoundKey
from swift_hyperband.search.scheduled import RoundRecord, ScheduledSearch
from swift_hyperband.study.model import Study
from swift_hyperband.workflow import drawing, fitting
from swift_hyperband.workflow.dag import enter

if TYPE_CHECKING:
    from swift_hyperband.search.thaw import Thawing

OnRound = Callable[[RoundRecord], None]
"""Called with each round that is over."""


@dataclass
class RoundFiles:
    """The files of the rounds of a search; each is written once.

    Parameters
    ----------
    folder : StudyFolder
    study : Study
    on_round : callable, optional
    """

    folder: StudyFolder
    study: Study
    on_round: OnRound | None = None
    fits: dict[RoundKey, Fit] = field(default_factory=dict)
    entered: set[RoundKey] = field(default_factory=set)
    decided: set[RoundKey] = field(default_factory=set)
    over: set[RoundKey] = field(default_factory=set)
    thawed: bool = False
    learned: set[RoundKey] = field(default_factory=set)
    """The rounds whose predictor was there."""

    def fit(self, round_: Round, references: Sequence[Mapping[str, Curve]]) -> Predictor | None:
        """Fit the predictor of a round, or read it."""
        path, schedule = self.folder.predictor(round_), self.study.schedule()
        sources = zip(round_.training_rounds, teaching_files(self.folder, schedule, round_), references, strict=True)
        if all(self._taught(schedule.by_key[key], source, curves) for key, source, curves in sources):
            stored = known(path, Fit.read)
            with suppress(UserError):
                if stored is not None:
                    predictor = stored.load(path)
                    self.fits[round_.key] = stored
                    self.learned.add(round_.key)
                    return predictor
        fitted = fitting.fit(self.folder, self.study.frozen(), round_, references)
        self.fits[round_.key] = Fit.of(fitted)
        self.fits[round_.key].write(path)
        return fitted.predictor

    def _taught(self, round_: Round, source: Path, curves: Mapping[str, Curve]) -> bool:
        """Whether these are the curves that a round had for predictors, as its files say."""
        metric = self.study.metric
        if round_.decision_epoch is None and not source.exists():
            # it has no threshold
            promotion = known(self.folder.promotion(round_), lambda path: Promotion.read(path, metric))
            reached = {trial: rounds.loss_at(curve, round_.end) for trial, curve in curves.items()}
            return promotion is not None and reached.items() <= promotion.losses.items()
        return known(source, lambda path: teaching_curves(path, metric)) == curves

    def decide(
        self,
        round_: Round,
        reference: Mapping[str, Curve],
        partial: Mapping[str, Curve],
        predictor: Predictor | None,
    ) -> Decision:
        """Take the decision of a round, or read it."""
        metric = self.study.metric
        threshold = known(self.folder.threshold(round_), lambda path: Threshold.read(path, metric))
        stored = known(self.folder.decision(round_), lambda path: Decided.read(path, metric))
        if round_.predictor in self.learned and threshold is not None and stored is not None:
            assert round_.decision_epoch is not None
            seen = {trial: rounds.loss_at(curve, round_.decision_epoch) for trial, curve in partial.items()}
            if threshold.reference == reference and stored.seen == seen:
                self.decided.add(round_.key)
                return stored.decision
        return rounds.decide(round_, reference, partial, predictor, self.study.rules())

    def hold(self, thawing: Thawing) -> Thawing:
        """Return the choice after all brackets that is there, if it was taken from the same trials."""
        round_, metric, found = self.study.schedule().thaw, self.study.metric, Thawed.of(thawing)
        assert round_ is not None
        stored = known(self.folder.thaw(round_), lambda path: Thawed.read(path, metric))
        if stored is None or not stored.is_of_trials_of(found):
            return thawing
        self.thawed = True
        return replace(thawing, chosen=list(stored.chosen))

    def search(self) -> ScheduledSearch:
        """Return the search at its begin; its predictors are fitted and its configurations drawn here."""
        schedule = self.study.schedule()
        trials = {bracket: list(self.study.slots(bracket)) for bracket in schedule.brackets}
        found: ScheduledSearch

        def draw(drawn: Sequence[str]) -> None:
            bracket = next(bracket for bracket, ids in trials.items() if drawn[0] in ids)
            # what was drawn before a kill stays
            if schedule.drawn_after(bracket) and not self.folder.draw(schedule.brackets[bracket][0]).exists():
                drawing.draw(self.folder, self.study.frozen(), bracket, found.curves)

        found = ScheduledSearch(schedule, trials, self.study.rules(), self.fit, self.decide, self.hold, draw)
        return found

    def write(self, search: ScheduledSearch) -> None:
        """Write the rounds that were entered, decided or ended since the last time."""
        self._thaw(search)
        for key, record in search.records.items():
            if key in self.over:
                continue
            if key not in self.entered:
                self.entered.add(key)
                enter(self.folder, self.study, record.schedule, record.competitors)
            if record.decision is not None and key not in self.decided:
                self.decided.add(key)
                self._decide(search, record, record.decision)
            if record.promoted is None:
                continue
            self.over.add(key)
            self._end(search, record, record.promoted)
            if self.on_round is not None:
                self.on_round(record)

    def _thaw(self, search: ScheduledSearch) -> None:
        """Write the choice after all brackets, once; before any of the chosen trials trains on."""
        round_ = search.schedule.thaw
        if round_ is not None and search.thawing is not None and not self.thawed:
            self.thawed = True
            Thawed.of(search.thawing).write(self.folder.thaw(round_), self.study.metric)

    def _decide(self, search: ScheduledSearch, record: RoundRecord, decision: Decision) -> None:
        folder, metric, round_ = self.folder, self.study.metric, record.schedule
        reference = rounds.reference_curves(round_, record.competitors, search.curves)
        threshold = rounds.quantile_threshold(round_, reference, search.rules)
        Threshold(threshold, reference).write(folder.threshold(round_), metric)
        assert round_.predictor is not None
        fit = self.fits[round_.predictor]
        Decided(decision, fit.fallback, fit.left_out).write(folder.decision(round_), metric)

    def _end(self, search: ScheduledSearch, record: RoundRecord, promoted: Sequence[str]) -> None:
        folder, metric, round_ = self.folder, self.study.metric, record.schedule
        curves = {trial: search.curves[trial] for trial in record.finishers}
        found = Promotion.of(round_, curves, promoted, teaches=round_.key in search.schedule.taught)
        stored = known(folder.promotion(round_), lambda path: Promotion.read(path, metric))
        # decisions may have been taken from the file, and have noted its digest
        if stored is None or replace(stored, inputs={}) != found:
            found.write(folder.promotion(round_), metric)
        # trials that are left behind may go on after all brackets
        if not self.study.keep_states and search.schedule.thaw is None:
            delete_states(folder, set(record.competitors) - set(promoted))

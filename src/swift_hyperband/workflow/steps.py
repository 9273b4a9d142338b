"""The jobs of a search between its trainings: each reads the files of a study, decides, and writes one file.

The decisions are those of `search.rounds`; only reading and writing is done here. Decisions are taken on losses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from swift_hyperband.base.errors import UserError
from swift_hyperband.results import journal
from swift_hyperband.results.contents import Batch, Completion, Config, Entry
from swift_hyperband.results.decided import (
    Decided,
    Fit,
    Promotion,
    Threshold,
    teaching_curves,
    teaching_files,
    verify_inputs,
)
from swift_hyperband.results.freeze import load_frozen
from swift_hyperband.results.history import History
from swift_hyperband.results.layout import Part, StudyFolder
from swift_hyperband.results.rungs import Rungs
from swift_hyperband.results.thawed import Thawed
from swift_hyperband.results.trials import delete_states, nothing_left
from swift_hyperband.search import rounds
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.search.decisions import rank
from swift_hyperband.search.schedule import Round, Schedule
from swift_hyperband.study.frozen import FrozenStudy
from swift_hyperband.training import kept_states
from swift_hyperband.workflow import drawing, fitting

if TYPE_CHECKING:
    from swift_hyperband.search import Curve


@dataclass(frozen=True)
class Steps:
    """The steps of one study's search.

    Parameters
    ----------
    folder : StudyFolder
        Of a frozen study.
    """

    folder: StudyFolder

    @cached_property
    def study(self) -> FrozenStudy:
        return load_frozen(self.folder)

    @cached_property
    def schedule(self) -> Schedule:
        return self.study.schedule()

    def round(self, bracket: int, index: int) -> Round:
        """Return a round of the schedule.

        Raises
        ------
        UserError
            If the study has no such round.
        """
        found = self.schedule.by_key.get((bracket, index))
        if found is None:
            raise UserError(f"{self.folder.study}: has no round {index} in bracket {bracket}")
        return found

    def draw(self, round_: Round) -> None:
        """Write draw.json: the configurations of a bracket's trials, given by its first round; and their own files."""
        brackets = self.schedule.drawn_after(round_.bracket)
        if round_.index != 0 or not brackets:
            raise UserError(f"{self.folder.draw(round_)}: must be of the first round of a bracket that a model draws")
        batches, curves, _ = self._so_far(brackets)
        drawing.draw(self.folder, self.study, round_.bracket, curves, [*batches, *self._last_promotions(brackets)])

    def threshold(self, round_: Round) -> None:
        """Write threshold.json: the reference trials' curves, and the threshold if they alone set it."""
        full = self._full(round_)
        reference = rounds.reference_curves(round_, self._entry(round_).competitors, self._curves(full))
        threshold = rounds.quantile_threshold(round_, reference, self.study.rules())
        Threshold(threshold, reference).write(self.folder.threshold(round_), self.study.metric, full)

    def fit(self, round_: Round) -> None:
        """Write predictor.json: the predictor fitted to the curves of the round's training rounds."""
        sources = teaching_files(self.folder, self.schedule, round_)
        references = [teaching_curves(path, self.study.metric) for path in sources]
        fitted = fitting.fit(self.folder, self.study, round_, references)
        Fit.of(fitted).write(self.folder.predictor(round_), sources)

    def decide(self, round_: Round) -> None:
        """Write decision.json: the partial trials that go on. Delete the states of the others."""
        assert round_.predictor is not None
        partial = self._batches(round_, self._entry(round_).batches["partial"], "partial")
        threshold = self.folder.threshold(round_)
        fitted = self.folder.predictor(self.schedule.by_key[round_.predictor])
        fit = Fit.read(fitted)
        predictor = fit.load(fitted)
        reference = Threshold.read(threshold, self.study.metric).reference
        found = rounds.decide(round_, reference, self._by_rank(round_, partial), predictor, self.study.rules())
        decided = Decided(found, fit.fallback, fit.left_out)
        decided.write(self.folder.decision(round_), self.study.metric, [threshold, fitted, *partial])
        self._delete_states(found.verdicts.keys() - set(decided.continuing))

    def promote(self, round_: Round) -> None:
        """Write promotion.json: the trials that go on to the next round. Delete the states of the others."""
        sources = self._full(round_)
        if round_.decision_epoch is not None:
            completion = Completion.read(self.folder.completion(round_))
            sources += self._batches(round_, completion.batches, "complete")
        curves = self._by_rank(round_, sources)
        promoted = rounds.promote(round_, curves)
        if round_.decision_epoch is not None:
            sources.append(self.folder.decision(round_))
        if round_.is_thaw:
            sources.append(self.folder.thaw(round_))
        found = Promotion.of(round_, curves, promoted, teaches=round_.key in self.schedule.taught)
        found.write(self.folder.promotion(round_), self.study.metric, sources)
        self._delete_states(set(self._entry(round_).competitors) - set(promoted))

    def thaw(self, round_: Round) -> None:
        """Write thaw.json: the trials left behind by all brackets that go on to the last epoch."""
        batches, curves, goals = self._so_far(self.schedule.brackets)
        found = rounds.thaw(self.schedule, curves, goals, self.study.rules())
        sources = [*batches, *self._last_promotions(self.schedule.brackets)]
        Thawed.of(found).write(self.folder.thaw(round_), self.study.metric, sources)

    def best(self) -> None:
        """Write best.yaml: the winner over all brackets. Check first that every decision fits its inputs.

        Raises
        ------
        UserError
            If no trial reached the last epoch, or a file changed after a decision was taken from it.
        """
        if not ALGORITHMS[self.study.algorithm].synchronous:
            self._best_by_journal()
            return
        verify_inputs(self.folder, self._decision_files())
        winners: dict[str, float] = {}
        for path in self._last_promotions(self.schedule.brackets, thaw=True):
            last = Promotion.read(path, self.study.metric)
            winners |= {trial: last.losses[trial] for trial in last.promoted}
        if not winners:
            raise UserError(nothing_left(self.folder, self.study.metric.name))
        self._write_best(winners)

    def _best_by_journal(self) -> None:
        events = journal.read(self.folder.journal)
        rungs = Rungs.of(events, (round_.end for round_ in self.schedule.rounds))
        if not rungs.over:
            raise UserError(f"{self.folder.journal}: must tell that the search is over; start the search again")
        if not (ended := rungs.ended(self.study.metric)):
            raise UserError(nothing_left(self.folder, self.study.metric.name))
        self._write_best(ended)

    def _write_best(self, losses: Mapping[str, float]) -> None:
        """Write the best of trials with their losses at the last epoch."""
        best = rank(losses)[0]
        # a trial that went on after all brackets is still one of its own
        bracket = Config.read(self.folder.config(best)).bracket
        write_best(self.folder, self.study, best, bracket, losses[best])
        # Delete every other state: a kill may have prevented earlier deletions.
        if not self.study.keep_states:
            delete_states(self.folder, {path.name for path in self.folder.trials()} - {best})

    def _decision_files(self) -> list[Path]:
        files: list[Path] = []
        for round_ in self.schedule.rounds:
            if round_.index == 0 and self.schedule.drawn_after(round_.bracket):
                files.append(self.folder.draw(round_))
            if round_.decision_epoch is not None:
                files += [self.folder.threshold(round_), self.folder.decision(round_)]
            if round_.training_rounds:
                files.append(self.folder.predictor(round_))
            files.append(self.folder.promotion(round_))
        if self.schedule.thaw is not None:
            files += [self.folder.thaw(self.schedule.thaw), self.folder.promotion(self.schedule.thaw)]
        return files

    def _so_far(self, brackets: Iterable[int]) -> tuple[list[Path], dict[str, Curve], dict[str, int]]:
        """Return all batches that brackets trained, the losses in them by trial, and how far each was to train."""
        batches = self._trained(brackets)
        curves: dict[str, Curve] = {}
        goals: dict[str, int] = {}
        for path in batches:
            batch = Batch.read(path)
            for trial, curve in batch.curves(self.study.metric):
                # later rounds, and completions after partial trainings, hold more of a trial's curve
                curves[trial], goals[trial] = curve, batch.epochs
        return batches, curves, goals

    def _last_promotions(self, brackets: Iterable[int], thaw: bool = False) -> list[Path]:
        """Return the promotions that end brackets, and perhaps that of the round after all."""
        ends = [self.schedule.brackets[bracket][-1] for bracket in brackets]
        if thaw and self.schedule.thaw is not None:
            ends.append(self.schedule.thaw)
        return [self.folder.promotion(round_) for round_ in ends]

    def _entry(self, round_: Round) -> Entry:
        return Entry.read(self.folder.entry(round_))

    def _full(self, round_: Round) -> list[Path]:
        return self._batches(round_, self._entry(round_).batches["full"], "full")

    def _trained(self, brackets: Iterable[int]) -> list[Path]:
        """Return the files of all batches that brackets trained, in the order of their rounds."""
        found: list[Path] = []
        for round_ in chain.from_iterable(self.schedule.brackets[bracket] for bracket in brackets):
            found += self._full(round_)
            if round_.decision_epoch is not None:
                found += self._batches(round_, self._entry(round_).batches["partial"], "partial")
                completion = Completion.read(self.folder.completion(round_))
                found += self._batches(round_, completion.batches, "complete")
        return found

    def _batches(self, round_: Round, batches: Iterable[str], part: Part) -> list[Path]:
        """Return the files of trained batches."""
        return [self.folder.manifest(round_, part, batch) for batch in batches]

    def _curves(self, batches: Iterable[Path]) -> dict[str, Curve]:
        """Return the losses of the trials of batches."""
        return dict(chain.from_iterable(Batch.read(path).curves(self.study.metric) for path in batches))

    def _by_rank(self, round_: Round, batches: Iterable[Path]) -> dict[str, Curve]:
        """Return the losses of the competitors in batches, in an order that does not depend on how they were packed.

        The last bits of what is fitted to them do.
        """
        curves = self._curves(batches)
        return {trial: curves[trial] for trial in self._entry(round_).competitors if trial in curves}

    def _delete_states(self, trials: Iterable[str]) -> None:
        """Delete the states of trials that are out, unless they may go on after all brackets."""
        if not self.study.keep_states and self.schedule.thaw is None:
            delete_states(self.folder, trials)


def write_best(folder: StudyFolder, study: FrozenStudy, trial: str, bracket: int, loss: float) -> None:
    """Write best.yaml.

    Raises
    ------
    UserError
        If a state of the winner is not what was saved.
    """
    if (found := kept_states.unsound(folder.trial(trial), study.metric)) is not None:
        raise UserError(f"{found[0]}: must be the state of the best trial, found: {found[1]}; start the search again")
    # PyYAML, which the other steps do without
    from swift_hyperband.results.best import Best

    Best.of(folder, study, trial, bracket, loss).write(folder.best)


def write_report(folder: StudyFolder) -> History:
    """Write the pictures, the page and the table of curves of a search; return the history that they show."""
    # matplotlib: no other job needs it, and trainings are forked from a process without it
    from swift_hyperband.report.search.report import write_report as write

    history = History(folder)
    write(history, folder)
    return history

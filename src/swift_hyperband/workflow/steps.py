"""The jobs of a search between its trainings: each reads the files of a study, decides, and writes one file.

The decisions are those of `search.rounds`; only reading and writing is done here. Decisions are taken on losses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from swift_hyperband.base.errors import UserError
from swift_hyperband.results.contents import Batch, Completion, Entry
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
from swift_hyperband.results.trials import delete_states, nothing_left
from swift_hyperband.search import rounds
from swift_hyperband.search.decisions import rank
from swift_hyperband.search.schedule import Round, Schedule
from swift_hyperband.study.frozen import FrozenStudy
from swift_hyperband.training import kept_states

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

    def threshold(self, round_: Round) -> None:
        """Write threshold.json: the reference trials' curves, and the threshold if they alone set it."""
        full = self._full(round_)
        reference = rounds.reference_curves(round_, self._entry(round_).competitors, self._curves(full))
        threshold = rounds.quantile_threshold(round_, reference, self.study.rules())
        Threshold(threshold, reference).write(self.folder.threshold(round_), self.study.metric, full)

    def fit(self, round_: Round) -> None:
        """Write predictor.json: the predictor fitted to the curves of the round's training rounds."""
        from swift_hyperband.workflow import fitting  # imports the samplers' checks

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
        found = rounds.decide(round_, reference, self._curves(partial), predictor, self.study.rules())
        decided = Decided(found, fit.fallback, fit.left_out)
        decided.write(self.folder.decision(round_), self.study.metric, [threshold, fitted, *partial])
        self._delete_states(found.verdicts.keys() - set(decided.continuing))

    def promote(self, round_: Round) -> None:
        """Write promotion.json: the trials that go on to the next round. Delete the states of the others."""
        sources = self._full(round_)
        if round_.decision_epoch is not None:
            completion = Completion.read(self.folder.completion(round_))
            sources += self._batches(round_, completion.batches, "complete")
        curves = self._curves(sources)
        promoted = rounds.promote(round_, curves)
        if round_.decision_epoch is not None:
            sources.append(self.folder.decision(round_))
        found = Promotion.of(round_, curves, promoted, teaches=round_.key in self.schedule.taught)
        found.write(self.folder.promotion(round_), self.study.metric, sources)
        self._delete_states(set(self._entry(round_).competitors) - set(promoted))

    def best(self) -> None:
        """Write best.yaml: the winner over all brackets. Check first that every decision fits its inputs.

        Raises
        ------
        UserError
            If no trial reached the last epoch, or a file changed after a decision was taken from it.
        """
        verify_inputs(self.folder, self._decision_files())
        winners: dict[str, tuple[float, int]] = {}
        for bracket, rounds_ in self.schedule.brackets.items():
            last = Promotion.read(self.folder.promotion(rounds_[-1]), self.study.metric)
            winners |= {trial: (last.losses[trial], bracket) for trial in last.promoted}
        if not winners:
            raise UserError(nothing_left(self.folder, self.study.metric.name))
        best = rank({trial: loss for trial, (loss, _) in winners.items()})[0]
        loss, bracket = winners[best]
        write_best(self.folder, self.study, best, bracket, loss)
        # Delete every other state: a kill may have prevented earlier deletions.
        self._delete_states({path.name for path in self.folder.trials()} - {best})

    def _decision_files(self) -> list[Path]:
        files: list[Path] = []
        for round_ in self.schedule.rounds:
            if round_.decision_epoch is not None:
                files += [self.folder.threshold(round_), self.folder.decision(round_)]
            if round_.training_rounds:
                files.append(self.folder.predictor(round_))
            files.append(self.folder.promotion(round_))
        return files

    def _entry(self, round_: Round) -> Entry:
        return Entry.read(self.folder.entry(round_))

    def _full(self, round_: Round) -> list[Path]:
        return self._batches(round_, self._entry(round_).batches["full"], "full")

    def _batches(self, round_: Round, batches: Iterable[str], part: Part) -> list[Path]:
        """Return the files of trained batches."""
        return [self.folder.manifest(round_, part, batch) for batch in batches]

    def _curves(self, batches: Iterable[Path]) -> dict[str, Curve]:
        """Return the losses of the trials of batches."""
        return dict(chain.from_iterable(Batch.read(path).curves(self.study.metric) for path in batches))

    def _delete_states(self, trials: Iterable[str]) -> None:
        if not self.study.keep_states:
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


def write_report(folder: StudyFolder) -> None:
    """Write the pictures, the page and the table of curves of a search."""
    # matplotlib: no other job needs it, and trainings are forked from a process without it
    from swift_hyperband.report.search.report import write_report as write

    write(History(folder), folder)

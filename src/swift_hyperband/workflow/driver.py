"""The plain driver: a whole search in one process, without Snakemake.

It trains as the workflow's jobs do and writes the same files, so status and report read both. Killed and started
again, it asks for the same trainings in the same order and finds those already done in the trials' folders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.predictors import Predictor
from swift_hyperband.processes.head import become_head
from swift_hyperband.results import provenance
from swift_hyperband.results.begin import begin
from swift_hyperband.results.decided import Decided, Fit, Promotion, Threshold
from swift_hyperband.results.freeze import check_frozen, freeze
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.repair import mend
from swift_hyperband.results.thawed import Thawed
from swift_hyperband.results.trials import delete_states, nothing_left
from swift_hyperband.search import Curve, rounds
from swift_hyperband.search.schedule import Round, RoundKey
from swift_hyperband.search.scheduled import RoundRecord, ScheduledSearch
from swift_hyperband.study.model import Study, check_data
from swift_hyperband.training import kept_states
from swift_hyperband.training.batch import train_batch
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import want_state
from swift_hyperband.workflow import fitting
from swift_hyperband.workflow.dag import enter
from swift_hyperband.workflow.steps import write_best


def run_search(
    study: Study, folder: StudyFolder, workers: int, on_round: Callable[[RoundRecord], None] | None = None
) -> ScheduledSearch:
    """Run a search to its end.

    Parameters
    ----------
    study : Study
    folder : StudyFolder
        Where the search lies, or will lie.
    workers : int
        How many trials train side by side.
    on_round : callable, optional
        Called with each round that is over.

    Raises
    ------
    UserError
        If the folder holds a search with another definition, or no trial reached the last epoch.
    """
    check_data(study, study.name)
    become_head(folder.path)
    study = check_frozen(folder, study)
    begin(folder, study.definition()["target"])
    fitting.check(folder, study.frozen())
    study = freeze(folder, study)
    mend(folder, study)
    definition = study.definition()
    settings = TrainingSettings.from_study_json(definition, study.retries, study.save_every, study.give_up_after)
    trials = {bracket: list(study.trials(bracket)) for bracket in study.schedule().brackets}
    files = _Rounds(folder, study)
    search = ScheduledSearch(study.schedule(), trials, study.rules(), fit=files.fit)
    code = _Code(folder, definition["target"])
    while not search.finished:
        asked = sorted(search.ask(), key=lambda training: training.epochs)
        files.write(search, on_round)
        for epochs, group in groupby(asked, key=lambda training: training.epochs):
            names = [training.trial for training in group]
            batch = train_batch(
                folder.path, settings, names, epochs, workers, before=code.check, needs_gpu=study.frozen().needs_gpu
            )
            for trial, trained in batch.items():
                search.tell(trial, study.metric.losses(trained.values[:epochs]))
    files.write(search, on_round)
    if search.best is None:
        raise UserError(nothing_left(folder, study.target.metric))
    trial, loss = search.best
    if not study.keep_states:
        delete_states(folder, set(search.curves) - {trial})
    if kept_states.unsound(folder.trial(trial), study.metric) is not None:
        want_state(folder.trial(trial))
        train_batch(folder.path, settings, [trial], study.search.max_epochs, workers)
    bracket = next(bracket for bracket, ids in trials.items() if trial in ids)
    write_best(folder, study.frozen(), trial, bracket, loss)
    return search


class _Code:
    """The model's code, which must not change while the search runs: a class is read once, a program at each start."""

    def __init__(self, folder: StudyFolder, target: Mapping[str, Any]) -> None:
        self._folder, self._target = folder, target
        self._is_read = False

    def check(self) -> None:
        """Refuse to train with other code than before."""
        if not self._is_read:
            provenance.check_job(self._folder, self._target)
        self._is_read = self._target["name"] is not None


@dataclass
class _Rounds:
    """The files of the rounds of a search in one process; each is written once."""

    folder: StudyFolder
    study: Study
    fits: dict[RoundKey, Fit] = field(default_factory=dict)
    over: set[RoundKey] = field(default_factory=set)
    thawed: bool = False

    def fit(self, round_: Round, references: Sequence[Mapping[str, Curve]]) -> Predictor | None:
        """Fit the predictor of a round."""
        fitted = fitting.fit(self.folder, self.study.frozen(), round_, references)
        self.fits[round_.key] = Fit.of(fitted)
        self.fits[round_.key].write(self.folder.predictor(round_))
        return fitted.predictor

    def write(self, search: ScheduledSearch, on_round: Callable[[RoundRecord], None] | None) -> None:
        """Write the rounds that were entered or ended since the last time."""
        self._thaw(search)
        for key, record in search.records.items():
            if key in self.over:
                continue
            enter(self.folder, self.study, record.schedule, record.competitors)
            if record.promoted is None:
                continue
            self.over.add(key)
            self._end(search, record, record.promoted)
            if on_round is not None:
                on_round(record)

    def _thaw(self, search: ScheduledSearch) -> None:
        """Write the choice after all brackets, once; before any of the chosen trials trains on."""
        round_ = self.study.schedule().thaw
        if round_ is not None and search.thawing is not None and not self.thawed:
            self.thawed = True
            Thawed.of(search.thawing).write(self.folder.thaw(round_), self.study.metric)

    def _end(self, search: ScheduledSearch, record: RoundRecord, promoted: Sequence[str]) -> None:
        folder, metric, round_ = self.folder, self.study.metric, record.schedule
        if record.decision is not None:
            reference = rounds.reference_curves(round_, record.competitors, search.curves)
            threshold = rounds.quantile_threshold(round_, reference, search.rules)
            Threshold(threshold, reference).write(folder.threshold(round_), metric)
            assert round_.predictor is not None
            fit = self.fits[round_.predictor]
            Decided(record.decision, fit.fallback, fit.left_out).write(folder.decision(round_), metric)
        curves = {trial: search.curves[trial] for trial in record.finishers}
        teaches = round_.key in search.schedule.taught
        Promotion.of(round_, curves, promoted, teaches).write(folder.promotion(round_), metric)
        # trials that are left behind may go on after all brackets
        if not self.study.keep_states and search.schedule.thaw is None:
            delete_states(folder, set(record.competitors) - set(promoted))

"""The plain driver: a whole search in one process, without Snakemake.

It trains as the workflow's jobs do and writes the same files, so status and report read both. Killed and started
again, it asks for the same trainings in the same order and finds those already done in the trials' folders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json, write_json
from swift_hyperband.predictors import Predictor
from swift_hyperband.processes.head import become_head
from swift_hyperband.results import provenance
from swift_hyperband.results.begin import begin
from swift_hyperband.results.contents import (
    PREDICTOR,
    decision_content,
    predictor_content,
    promotion_content,
    threshold_content,
    write_best,
)
from swift_hyperband.results.freeze import check_frozen, freeze
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.repair import mend
from swift_hyperband.results.trials import delete_states, nothing_left
from swift_hyperband.search import Curve, rounds
from swift_hyperband.search.schedule import Round
from swift_hyperband.search.scheduled import RoundRecord, ScheduledSearch
from swift_hyperband.study.model import Study, check_data
from swift_hyperband.training import state
from swift_hyperband.training.batch import train_batch
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import want_state
from swift_hyperband.workflow import fitting
from swift_hyperband.workflow.dag import enter


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
    search = ScheduledSearch(study.schedule(), trials, study.rules(), fit=partial(_fit, study, folder))
    written: set[tuple[int, int]] = set()
    code = _Code(folder, definition["target"])
    while not search.finished:
        asked = sorted(search.ask(), key=lambda training: training.epochs)
        _write(study, folder, search, written, on_round)
        for epochs, group in groupby(asked, key=lambda training: training.epochs):
            names = [training.trial for training in group]
            batch = train_batch(
                folder.path, settings, names, epochs, workers, before=code.check, needs_gpu=study.frozen().needs_gpu
            )
            for trial, trained in batch.items():
                search.tell(trial, [study.metric.loss(value) for value in trained.values[:epochs]])
    _write(study, folder, search, written, on_round)
    if search.best is None:
        raise UserError(nothing_left(folder, study.target.metric))
    trial, loss = search.best
    if not study.keep_states:
        delete_states(folder, set(search.curves) - {trial})
    if state.unsound(folder.trial(trial)) is not None:
        want_state(folder.trial(trial))
        train_batch(folder.path, settings, [trial], study.search.max_epochs, workers)
    bracket = next(bracket for bracket, ids in trials.items() if trial in ids)
    write_best(folder, study.frozen(), trial, bracket, study.metric.value(loss))
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


def _fit(
    study: Study, folder: StudyFolder, round_: Round, references: Sequence[Mapping[str, Curve]]
) -> Predictor | None:
    fitted = fitting.fit(folder, study.frozen(), round_, references)
    write_json(folder.predictor(round_), predictor_content(fitted) | {"inputs": {}})
    return fitted.predictor


def _write(
    study: Study,
    folder: StudyFolder,
    search: ScheduledSearch,
    written: set[tuple[int, int]],
    on_round: Callable[[RoundRecord], None] | None,
) -> None:
    """Write the rounds that were entered or ended since the last time."""
    for key, record in search.records.items():
        if key in written:
            continue
        round_ = record.schedule
        enter(folder, study, round_, record.competitors)
        if record.promoted is None:
            continue
        written.add(key)
        if record.decision is not None:
            reference = rounds.reference_curves(round_, record.competitors, search.curves)
            threshold = rounds.quantile_threshold(round_, reference, search.rules)
            content = threshold_content(study.metric, threshold, reference)
            write_json(folder.threshold(round_), content | {"inputs": {}})
            assert round_.predictor is not None
            fitted = read_json(folder.predictor(search.schedule.by_key[round_.predictor]), PREDICTOR)
            content = decision_content(study.metric, record.decision, fitted)
            write_json(folder.decision(round_), content | {"inputs": {}})
        curves = {trial: search.curves[trial][: round_.end] for trial in record.finishers}
        content = promotion_content(study.metric, round_, curves, record.promoted)
        write_json(folder.promotion(round_), content | {"inputs": {}})
        if not study.keep_states:
            delete_states(folder, set(record.competitors) - set(record.promoted))
        if on_round is not None:
            on_round(record)

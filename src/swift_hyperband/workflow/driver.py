"""The plain driver: a whole search in one process, without Snakemake.

It trains as the workflow's jobs do and writes the same files, so status and report read both. Killed and started
again, it asks for the same trainings in the same order and finds those already done in the trials' folders.
"""

from __future__ import annotations

from itertools import groupby

from swift_hyperband.base.errors import UserError
from swift_hyperband.processes.head import become_head
from swift_hyperband.results import provenance
from swift_hyperband.results.begin import begin
from swift_hyperband.results.contents import Config
from swift_hyperband.results.freeze import check_frozen, freeze
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.repair import mend
from swift_hyperband.results.trials import delete_states, nothing_left
from swift_hyperband.search import Search
from swift_hyperband.search.scheduled import ScheduledSearch
from swift_hyperband.study.model import Study, check_data
from swift_hyperband.training import kept_states
from swift_hyperband.training.batch import train_batch
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import want_state
from swift_hyperband.workflow import fitting
from swift_hyperband.workflow.round_files import OnRound, RoundFiles
from swift_hyperband.workflow.steps import write_best


def run_search(study: Study, folder: StudyFolder, workers: int, on_round: OnRound | None = None) -> ScheduledSearch:
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
    study = prepare(study, folder)
    definition = study.definition()
    settings = TrainingSettings.from_study_json(definition, study.retries, study.save_every, study.give_up_after)
    files = RoundFiles(folder, study, on_round)
    search = files.search()
    code = provenance.TrainedCode(folder, definition["target"])
    while not search.finished:
        asked = sorted(search.ask(), key=lambda training: training.epochs)
        files.write(search)
        for epochs, group in groupby(asked, key=lambda training: training.epochs):
            names = [training.trial for training in group]
            batch = train_batch(
                folder.path, settings, names, epochs, workers, before=code.check, needs_gpu=study.frozen().needs_gpu
            )
            for trial, trained in batch.items():
                search.tell(trial, study.metric.losses(trained.values[:epochs]))
    files.write(search)
    trial, loss = winner(search, folder, study)
    if state_is_lost(folder, study, trial):
        train_batch(folder.path, settings, [trial], study.search.max_epochs, workers)
    conclude(folder, study, trial, loss)
    return search


def prepare(study: Study, folder: StudyFolder) -> Study:
    """Become the head of a search, and begin it or go on with it; return the study as the search has it.

    Raises
    ------
    UserError
        If the folder holds a search with another definition, another process is the head, or the code changed.
    """
    check_data(study, study.name)
    become_head(folder.path)
    return begin_search(study, folder)


def begin_search(study: Study, folder: StudyFolder) -> Study:
    """Begin a search, or go on with it, in the process that alone may: freeze the study, and mend what is damaged."""
    study = check_frozen(folder, study)
    begin(folder, study.definition()["target"])
    fitting.check(folder, study.frozen())
    study = freeze(folder, study)
    mend(folder, study)
    return study


def winner(search: Search, folder: StudyFolder, study: Study) -> tuple[str, float]:
    """Return the best trial of a search that is over, with its loss.

    Raises
    ------
    UserError
        If no trial reached the last epoch.
    """
    if search.best is None:
        raise UserError(nothing_left(folder, study.target.metric))
    return search.best


def state_is_lost(folder: StudyFolder, study: Study, trial: str) -> bool:
    """Whether the state of the best trial must be made again; then training it to the last epoch does."""
    if kept_states.unsound(folder.trial(trial), study.metric) is None:
        return False
    want_state(folder.trial(trial))
    return True


def conclude(folder: StudyFolder, study: Study, trial: str, loss: float) -> None:
    """Write best.yaml, and delete the states of all other trials."""
    if not study.keep_states:
        delete_states(folder, {path.name for path in folder.trials()} - {trial})
    write_best(folder, study.frozen(), trial, Config.read(folder.config(trial)).bracket, loss)

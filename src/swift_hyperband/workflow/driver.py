"""The plain driver: a whole search in one process, without Snakemake.

It trains as the workflow's jobs do and writes the same files, so status and report read both. Killed and started
again, it asks for the same trainings in the same order and finds those already done in the trials' folders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby

from swift_hyperband.base.errors import UserError
from swift_hyperband.earlier.taking import found_for, take_over
from swift_hyperband.processes.head import become_head
from swift_hyperband.processes.lease import Lease
from swift_hyperband.results import provenance
from swift_hyperband.results.begin import begin
from swift_hyperband.results.contents import Config
from swift_hyperband.results.freeze import check_frozen, freeze
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.results.repair import mend
from swift_hyperband.results.trials import delete_states, nothing_left
from swift_hyperband.search import Search
from swift_hyperband.search.algorithms import ALGORITHMS
from swift_hyperband.study.files import check_data
from swift_hyperband.study.model import Study
from swift_hyperband.training import kept_states
from swift_hyperband.training.batch import train_batch
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import Trained, want_state
from swift_hyperband.workflow import fitting, journaled
from swift_hyperband.workflow.deciding import deciding
from swift_hyperband.workflow.journaled import JournaledSearch
from swift_hyperband.workflow.round_files import OnRound, RoundFiles
from swift_hyperband.workflow.steps import write_best

Train = Callable[[Sequence[str], int], Mapping[str, Trained]]
"""Trains trials to an epoch."""


def run_search(study: Study, folder: StudyFolder, workers: int, on_round: OnRound | None = None) -> Search:
    """Run a search to its end.

    Parameters
    ----------
    study : Study
    folder : StudyFolder
        Where the search lies, or will lie.
    workers : int
        How many trials of a round train side by side; a search without rounds trains one after another.
    on_round : callable, optional
        Called with each round that is over.

    Raises
    ------
    UserError
        If the folder holds a search with another definition, or no trial reached the last epoch.
    """
    with leading(study, folder) as (study, held):
        train = _training(study, folder, workers)
        if ALGORITHMS[study.search.algorithm].synchronous:
            search = _in_rounds(study, RoundFiles(folder, study, on_round), train)
        else:
            search = _one_by_one(study, JournaledSearch(folder, study, workers=1), train, held)
        trial, loss = winner(search, folder, study)
        if state_is_lost(folder, study, trial):
            train([trial], study.search.max_epochs)
        conclude(folder, study, trial, loss)
    return search


def _training(study: Study, folder: StudyFolder, workers: int) -> Train:
    definition, needs_gpu = study.definition(), study.frozen().needs_gpu
    settings = TrainingSettings.from_study_json(
        definition, study.retries, study.save_every, study.give_up_after, study.live
    )
    check = provenance.TrainedCode(folder, definition["target"]).check

    def train(trials: Sequence[str], epochs: int) -> Mapping[str, Trained]:
        return train_batch(folder.path, settings, trials, epochs, workers, before=check, needs_gpu=needs_gpu)

    return train


def _in_rounds(study: Study, files: RoundFiles, train: Train) -> Search:
    search = files.search()
    while not search.finished:
        asked = sorted(search.ask(), key=lambda training: training.epochs)
        files.write(search)
        for epochs, group in groupby(asked, key=lambda training: training.epochs):
            for trial, trained in train([training.trial for training in group], epochs).items():
                search.tell(trial, study.metric.losses(trained.values[:epochs]))
    files.write(search)
    return search


def _one_by_one(study: Study, search: Search, train: Train, held: Lease) -> Search:
    while asked := search.ask(1):
        for trial, epochs in asked:
            trained = train([trial], epochs)[trial]
            # before the journal is written
            held.check()
            search.tell(trial, study.metric.losses(trained.values[:epochs]))
    return search


@contextmanager
def leading(study: Study, folder: StudyFolder, by_user: bool = False) -> Iterator[tuple[Study, Lease]]:
    """Be the head of a search and the one process that decides, and begin it or go on with it.

    `by_user` says whether code of the user's own trains.

    Yields
    ------
    Study
        As the search has it.
    Lease
        On deciding.

    Raises
    ------
    UserError
        If the folder holds a search with another definition, another process is the head or decides, or the code
        changed.
    """
    check_data(study, study.name)
    become_head(folder.path)
    study = begin_search(study, folder, by_user)
    with deciding(folder, ends=study.execution == "rounds") as held:
        mend(folder, study)
        yield study, held


def begin_search(study: Study, folder: StudyFolder, by_user: bool = False) -> Study:
    """Begin a search, or go on with it, in the process that alone may: freeze the study."""
    study = check_frozen(folder, study)
    journaled.check(study, study.name)
    earlier = found_for(folder, study)
    begin(folder, study.definition()["target"], by_user)
    fitting.check(folder, study.frozen())
    study = freeze(folder, study)
    take_over(folder, study, earlier)
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

"""The training of a batch of trials in a job of the workflow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from swift_hyperband.results import provenance
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.frozen import FrozenStudy
from swift_hyperband.training.batch import train_batch
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import Trained


def train(
    folder: StudyFolder, study: FrozenStudy, trials: Sequence[str], epochs: int, minutes: float | None
) -> dict[str, Trained]:
    """Train trials to an epoch.

    Parameters
    ----------
    folder : StudyFolder
    study : FrozenStudy
    trials : sequence of str
    epochs : int
        The epoch to which each of them trains.
    minutes : float or None
        The time limit of the job; None if it has none.

    Raises
    ------
    OutOfTimeError
        If the time limit is too near for another epoch.
    NoGpuError
        If the study needs a GPU and the job sees none.
    UserError
        If the model's code changed since the search was started.
    """
    settings = TrainingSettings.from_study_json(
        study.definition, study.retries, study.save_every, study.give_up_after, study.live
    )
    return train_batch(
        folder.path,
        settings,
        trials,
        epochs,
        study.side_by_side,
        time_limit=None if minutes is None else 60 * minutes,
        before=partial(provenance.check_job, folder, study.definition["target"]),
        needs_gpu=study.needs_gpu,
    )

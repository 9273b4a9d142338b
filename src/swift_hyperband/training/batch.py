"""A batch: several trials trained by one job, which pays for importing the target and torch once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from swift_hyperband.targets import COMMAND
from swift_hyperband.training import alike, child, gpus, trial
from swift_hyperband.training.clock import Clock, OutOfTimeError
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import Trained


def train_batch(
    study_folder: Path,
    settings: TrainingSettings,
    trials: Sequence[str],
    epochs: int,
    workers: int = 1,
    time_limit: float | None = None,
    before: Callable[[], None] | None = None,
    needs_gpu: bool = False,
) -> dict[str, Trained]:
    """Train trials to an epoch; epochs that are on disk are not trained again.

    Call it in the main thread. It sets the numbers of threads in the environment, since it imports the target.

    Parameters
    ----------
    study_folder : Path
        The study's folder; trials lie in trials/<trial>/ with their config.json.
    settings : TrainingSettings
    trials : sequence of str
        Trial ids, trained in this order.
    epochs : int
        The last epoch, counted from each trial's first.
    workers : int
        How many trials train at a time.
    time_limit : float, optional
        Seconds that this job may run: an epoch starts only if it will probably end within them.
    before : callable, optional
        Called once before the first training, if there is any.
    needs_gpu : bool
        Whether to train only if a GPU is visible.

    Returns
    -------
    dict
        Results by trial, in the order of `trials`.

    Raises
    ------
    OutOfTimeError
        If the time limit or SIGUSR1 comes before all trials are done. At least one epoch is trained.
    NoGpuError
        If a GPU is needed and there is none.
    UserError
        If the target cannot be imported, the disk is full or a process was ended from outside: nothing is counted
        against a trial, what is trained stays, and calling again goes on.
    """
    clock = Clock.of(time_limit)
    folders = {name: study_folder / "trials" / name for name in trials}
    results: dict[str, Trained] = {}

    def settle(name: str) -> bool:
        found = trial.state_of(folders[name], settings.metric)
        clock.longest = max(clock.longest, found.seconds)
        if found.settled(epochs) and not trial.state_is_wanted(folders[name]):
            results[name] = found
        return name in results

    waiting = deque(name for name in folders if not settle(name))
    if waiting:
        if before is not None:
            before()
        alike.stop_if_hopeless(study_folder, settings.give_up_after)
        work = child.Work(settings, child.import_target(settings), clock)
        if needs_gpu:
            gpus.check(command=settings.target == COMMAND)
    running: list[child.Child] = []
    at_least, doubtful = 1, False
    with child.signals(clock, running):
        try:
            while waiting or running:
                while waiting and len(running) < workers and not (running and doubtful):
                    name = waiting.popleft()
                    child.start(running, folders[name], epochs, work, at_least=at_least)
                    at_least = 0
                for ended in child.wait(running):
                    running.remove(ended)
                    if child.judge(ended, work, submitted_again=time_limit is not None) == "out of time":
                        clock.hurry = True
                    crashed = trial.failures(ended.folder) is not None
                    if crashed:
                        alike.stop_if_hopeless(study_folder, settings.give_up_after)
                        doubtful = alike.doubtful(study_folder, settings.give_up_after)
                    if not settle(ended.trial):
                        # the others first: where all crash alike, this one need not try again
                        (waiting.append if crashed else waiting.appendleft)(ended.trial)
                if clock.hurry and not running and waiting:
                    raise OutOfTimeError(f"the job's time is over with {len(results)} of {len(folders)} trials through")
                if clock.hurry:
                    workers = len(running)
        finally:
            child.end(running)
    return {name: results[name] for name in folders}

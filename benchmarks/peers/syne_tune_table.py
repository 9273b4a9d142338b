"""The table and the run of Syne Tune's simulator, for both of its drivers."""

from __future__ import annotations

import logging

import numpy as np
from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
from syne_tune.blackbox_repository import UserBlackboxBackend
from syne_tune.blackbox_repository.blackbox import Blackbox
from syne_tune.config_space import randint
from syne_tune.optimizer.scheduler import TrialScheduler
from syne_tune.tuner_callback import TunerCallback

logging.disable(logging.WARNING)


class Rows(Blackbox):
    """The table; Syne Tune's own class needs more than one hyperparameter."""

    def __init__(self, losses: np.ndarray) -> None:
        rows, self.epochs = losses.shape
        super().__init__({"row": randint(0, rows - 1)}, {"epoch": randint(1, self.epochs)}, ["loss", "seconds"])
        seconds = np.broadcast_to(np.arange(1.0, self.epochs + 1), losses.shape)
        self.values = np.stack([losses, seconds], axis=-1)

    @property
    def fidelity_values(self) -> np.ndarray:
        return np.arange(1, self.epochs + 1)

    def _objective_function(self, configuration, fidelity=None, seed=None) -> np.ndarray:
        return self.values[configuration["row"]]


class Count(TunerCallback):
    """Counts epochs and remembers the best last loss."""

    def __init__(self, last_epoch: int) -> None:
        self.last_epoch, self.epochs, self.best = last_epoch, 0, np.inf

    def on_trial_result(self, trial, status, result, decision) -> None:
        self.epochs += 1
        if result["epoch"] == self.last_epoch:
            self.best = min(self.best, result["loss"])


def simulate(table: Rows, scheduler: TrialScheduler) -> tuple[int, int, float]:
    """Run 143 trials one after another; return their number, their epochs and the best last loss."""
    count = Count(table.epochs)
    tuner = Tuner(
        trial_backend=UserBlackboxBackend(table, elapsed_time_attr="seconds", max_resource_attr="epochs"),
        scheduler=scheduler,
        stop_criterion=StoppingCriterion(max_num_trials_started=142),  # the 143rd exceeds it
        n_workers=1,
        sleep_time=0,
        callbacks=[SimulatorCallback(), count],
        wait_trial_completion_when_stopping=True,
        save_tuner=False,
    )
    tuner.run()
    return tuner.tuning_status.num_trials_started, count.epochs, count.best

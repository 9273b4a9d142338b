"""Optuna: its HyperbandPruner over random rows, in memory.

It stops trials and never resumes them, and draws the bracket of each, so its epochs vary.
"""

# /// script
# dependencies = [
#   "optuna==5.0.0", "alembic==1.20.1", "colorlog==6.12.0", "Mako==1.4.3", "MarkupSafe==3.0.4", "numpy==2.4.6",
#   "packaging==26.4", "PyYAML==6.0.4", "SQLAlchemy==2.1.9", "tqdm==4.70.1", "typing_extensions==4.16.0"
# ]
# ///

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import optuna

PACKAGE = "optuna"
SEARCHES = {"Hyperband pruner, random": "stops"}

optuna.logging.set_verbosity(optuna.logging.WARNING)


def replay(losses: list[list[float]], seed: int) -> tuple[int, int, float]:
    epochs = 0

    def train(trial: optuna.Trial) -> float:
        nonlocal epochs
        curve = losses[trial.suggest_int("row", 0, len(losses) - 1)]
        for epoch, loss in enumerate(curve, start=1):
            epochs += 1
            trial.report(loss, epoch)
            if epoch < len(curve) and trial.should_prune():
                raise optuna.TrialPruned
        return curve[-1]

    study = optuna.create_study(
        study_name=f"seed {seed}",  # brackets are drawn from it
        sampler=optuna.samplers.RandomSampler(seed=seed),
        pruner=optuna.pruners.HyperbandPruner(min_resource=1, max_resource=len(losses[0]), reduction_factor=3),
    )
    study.optimize(train, n_trials=143)
    return len(study.trials), epochs, study.best_value


def replays(losses: np.ndarray, seeds: Iterable[int], search: str) -> list[tuple[int, int, float]]:
    rows = losses.tolist()
    return [replay(rows, seed) for seed in seeds]

from __future__ import annotations

import random

import numpy as np
import torch

from swift_hyperband.training.reproducible import seed_epoch


def draws(seed: int, trial: str, epoch: int) -> tuple[float, float, float]:
    seed_epoch(seed, trial, epoch)
    return random.random(), float(np.random.random()), torch.rand(1, dtype=torch.float64).item()


def test_all_generators_repeat_their_draws_for_the_same_seed_trial_and_epoch() -> None:
    assert draws(1, "a", 3) == draws(1, "a", 3)


def test_all_generators_draw_anew_for_another_seed_trial_or_epoch() -> None:
    found = [draws(1, "a", 3), draws(2, "a", 3), draws(1, "b", 3), draws(1, "a", 4)]
    for generator in zip(*found, strict=True):
        assert len(set(generator)) == 4

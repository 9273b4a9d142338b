"""Curves that are made from a trial's id, and what drives a search over them."""

import random
from types import SimpleNamespace

import numpy as np
import pytest


def curve(trial, epochs):
    """Return a power-law curve of losses; the trial's id is hexadecimal."""
    rng = np.random.default_rng(int(trial, 16))
    end, start, speed = rng.uniform(0.1, 0.6), rng.uniform(0.5, 2.0), rng.uniform(0.5, 1.5)
    return (end + start * np.arange(1, epochs + 1) ** -speed).tolist()


def trials(schedule, seed=0):
    """Return trial ids by bracket."""
    return {
        bracket: sorted(
            f"{random.Random(f'{seed}/{bracket}/{slot}').getrandbits(48):012x}" for slot in range(rounds[0].trials)
        )
        for bracket, rounds in schedule.brackets.items()
    }


def drive(search, train=curve, workers=None, order=None):
    """Drive a search to its end on so many workers (None: any), trainings ending in turn or in random order."""
    running = []
    while True:
        running += search.ask(None if workers is None else workers - len(running))
        assert workers is None or len(running) <= workers
        if not running:
            assert search.finished, "an unfinished search always has something to train"
            return search
        training = running.pop(order.randrange(len(running)) if order else 0)
        search.tell(training.trial, train(training.trial, training.epochs))


@pytest.fixture
def synthetic():
    return SimpleNamespace(curve=curve, trials=trials, drive=drive)

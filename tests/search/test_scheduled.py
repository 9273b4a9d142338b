"""The ask/tell search: what holds of a whole Hyperband or Swift-Hyperband run on synthetic curves."""

import math
import random

import numpy as np
import pytest

from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.schedule import SwiftSettings, hyperband, swift_hyperband
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.scheduled import ScheduledSearch

RULES = Rules("promotion", 0.25, 0.5, PredictorSettings("svr", "change", "differences", "robust", C=1.0, nu=0.5))
SWIFT = SwiftSettings(d=6, k=0.5, decision_fraction=0.25, share_curves=True)


def curve(trial, epochs):
    rng = np.random.default_rng(int(trial, 16))
    end, start, speed = rng.uniform(0.1, 0.6), rng.uniform(0.5, 2.0), rng.uniform(0.5, 1.5)
    return (end + start * np.arange(1, epochs + 1) ** -speed).tolist()


def trials(schedule, seed=0):
    return {
        bracket: sorted(
            f"{random.Random(f'{seed}/{bracket}/{slot}').getrandbits(48):012x}" for slot in range(rounds[0].trials)
        )
        for bracket, rounds in schedule.brackets.items()
    }


def run(schedule, order=None, train=curve, rules=RULES):
    search = ScheduledSearch(schedule, trials(schedule), rules)
    waiting = []
    while True:
        waiting += search.ask()
        if search.finished:
            assert not waiting
            return search
        assert waiting, "an unfinished search always has something to train"
        if order is not None:
            order.shuffle(waiting)
        training = waiting.pop(0)
        search.tell(training.trial, train(training.trial, training.epochs))


def outcome(search):
    return {key: (r.competitors, r.decision, r.promoted) for key, r in search.records.items()}, search.best


def test_hyperband_trains_exactly_the_scheduled_epochs():
    schedule = hyperband(27, 3)
    assert run(schedule).epochs == 357


def test_swift_hyperband_trains_fewer_epochs_and_finds_as_good_a_trial():
    plain, swift = run(hyperband(81, 3)), run(swift_hyperband(81, 3, SWIFT))
    schedule = swift.schedule
    assert schedule.epochs_best <= swift.epochs < plain.epochs == 1581
    assert swift.best[1] <= plain.best[1] * 1.1


@pytest.mark.parametrize("share", [True, False])
def test_the_result_does_not_depend_on_the_order_in_which_trainings_end(share):
    schedule = swift_hyperband(27, 3, SwiftSettings(6, 0.5, 0.25, share))
    expected = outcome(run(schedule))
    for seed in range(5):
        assert outcome(run(schedule, order=random.Random(seed))) == expected


def test_a_trial_is_never_asked_for_epochs_it_has_behind_it():
    schedule = swift_hyperband(81, 3, SWIFT)
    behind = {}

    def train(trial, epochs):
        assert epochs > behind.get(trial, 0)
        behind[trial] = epochs
        return curve(trial, epochs)

    run(schedule, train=train)


def test_diverged_and_failed_trials_are_never_promoted_and_do_not_stop_the_search():
    def train(trial, epochs):
        full = curve(trial, epochs)
        if int(trial, 16) % 3 == 0:
            return [*full[: epochs // 2], math.nan]
        return [] if int(trial, 16) % 7 == 0 else full

    search = run(swift_hyperband(27, 3, SWIFT), train=train)
    assert math.isfinite(search.best[1])
    for record in search.records.values():
        assert all(int(trial, 16) % 3 and int(trial, 16) % 7 for trial in record.promoted)


def test_a_search_in_which_everything_fails_ends_without_a_winner():
    search = run(swift_hyperband(27, 3, SWIFT), train=lambda trial, epochs: [])
    assert search.best is None
    assert search.epochs == 0


def test_trials_compete_by_their_rank_in_the_previous_round():
    search = run(swift_hyperband(27, 3, SWIFT))
    for (bracket, index), record in search.records.items():
        if index:
            start = record.schedule.start
            losses = [search.curves[trial][start - 1] for trial in record.competitors]
            assert losses == sorted(losses), f"round {index} of bracket {bracket}"

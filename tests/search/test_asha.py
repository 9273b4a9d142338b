"""ASHA and Swift-ASHA: promotions without barriers, and a decision point between rungs."""

import math
import random

import pytest

from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.search.asha import AshaSearch
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.schedule import hyperband
from swift_hyperband.search.settings import SwiftSettings

SWIFT = Rules(SwiftSettings(d=6, decision_fraction=0.25, margin=0.5), PredictorSettings())
SCHEDULE = hyperband(81, 3)


@pytest.fixture
def start(synthetic):
    return lambda swift=None, schedule=SCHEDULE: AshaSearch(schedule, synthetic.trials(schedule), swift)


def test_a_free_worker_promotes_before_it_starts_a_new_trial(start, synthetic):
    search = start(schedule=hyperband(9, 3, [2]))
    for _ in range(3):
        (training,) = search.ask(1)
        assert training.epochs == 1
        search.tell(training.trial, synthetic.curve(training.trial, 1))
    (promoted,) = search.ask(1)
    assert promoted.epochs == 3, "one of three is promoted at once"
    assert promoted.trial == min(search.curves, key=lambda trial: search.curves[trial][0])


def test_whoever_comes_into_the_top_of_a_rung_is_promoted_though_others_were_before(start):
    search = start(schedule=hyperband(4, 2, [2]))
    losses, promoted = iter([5.0, 6.0, 1.0, 2.0]), []
    known = {}
    while asked := search.ask(1):
        ((trial, epochs),) = asked
        known.setdefault(trial, known.get(trial) or next(losses))
        if epochs == 2:
            promoted.append(known[trial])
        search.tell(trial, [known[trial]] * epochs)
    # 5 is the best of two; 1 and 2, which come later, are better, and 5 does not stand in their way
    assert promoted == [5.0, 1.0, 2.0]


@pytest.mark.parametrize("workers", [1, 4, 200])
@pytest.mark.parametrize("swift", [None, SWIFT], ids=["asha", "swift-asha"])
def test_it_ends_with_a_winner_at_the_last_epoch_of_every_bracket(start, synthetic, workers, swift):
    search = synthetic.drive(start(swift), workers=workers, order=random.Random(workers))
    trial, loss = search.best
    assert search.curves[trial][80] == loss
    assert loss == min(curve[80] for curve in search.curves.values() if len(curve) == 81)
    assert len(search.curves) == SCHEDULE.configurations, "every trial starts"


def test_rungs_are_those_of_hyperband(start, synthetic):
    search = synthetic.drive(start(), workers=4)
    ends = {round_.end for round_ in SCHEDULE.rounds}
    assert {len(curve) for curve in search.curves.values()} <= ends
    assert search.fits == 0


def test_with_one_worker_a_finished_bracket_promoted_as_many_as_hyperband(start, synthetic):
    schedule = hyperband(27, 3, [3])
    search = synthetic.drive(start(schedule=schedule), workers=1)
    for round_ in schedule.rounds:
        assert sum(len(curve) >= round_.end for curve in search.curves.values()) >= round_.trials


def test_swift_asha_trains_fewer_epochs_and_finds_as_good_a_trial(start, synthetic):
    plain = synthetic.drive(start(), workers=4)
    swift = synthetic.drive(start(SWIFT), workers=4)
    assert swift.epochs < 0.9 * plain.epochs
    assert swift.best[1] <= 1.1 * plain.best[1]
    assert swift.fits > 0


def test_no_worker_idles_while_a_trial_waits_for_a_decision(start, synthetic):
    search = start(SWIFT)
    asked = search.ask(1000)
    assert len(asked) == SCHEDULE.configurations
    # everybody at a decision point comes back before any curve is there to decide by
    partial = [training for training in asked if training.epochs not in {round_.end for round_ in SCHEDULE.rounds}]
    assert partial
    for training in partial:
        search.tell(training.trial, synthetic.curve(training.trial, training.epochs))
    assert {training.trial for training in search.ask(1000)} == {training.trial for training in partial}


def test_a_trial_that_waits_is_decided_when_the_curves_are_there(start, synthetic):
    schedule = hyperband(27, 3, [0, 1, 2, 3])
    search = start(SWIFT, schedule)
    stopped = synthetic.drive(search, workers=1)
    points = {2, 5, 7, 14}  # a quarter of the way between rungs, where that is none itself
    assert any(len(curve) in points for curve in stopped.curves.values()), "somebody was stopped between rungs"


def test_failing_trials_are_never_promoted_and_do_not_stop_it(start, synthetic):
    def train(trial, epochs):
        full = synthetic.curve(trial, epochs)
        return [*full[: epochs // 2], math.nan] if int(trial, 16) % 3 == 0 else full

    for swift in (None, SWIFT):
        search = synthetic.drive(start(swift), train, workers=4)
        assert int(search.best[0], 16) % 3
        nothing = synthetic.drive(start(swift), lambda trial, epochs: [], workers=4)
        assert nothing.best is None
        assert nothing.epochs == 0


def test_equal_orders_give_equal_searches(start, synthetic):
    runs = [synthetic.drive(start(SWIFT), workers=8, order=random.Random(5)) for _ in range(2)]
    assert runs[0].curves == runs[1].curves

"""Adaptive Hyperband: its budget, its brackets, its decisions and its workers."""

import math
import random

import pytest

from swift_hyperband.search.adaptive import AdaptiveSearch
from swift_hyperband.search.adaptive_settings import AdaptiveSettings
from swift_hyperband.search.schedule import hyperband, supply

ONCE = hyperband(81, 3)


@pytest.fixture
def start(synthetic):
    def start(workers=1, once=ONCE, **settings):
        chosen = AdaptiveSettings(**settings)
        pool = supply(once, int(chosen.budget * once.epochs_hyperband))
        return AdaptiveSearch(once, synthetic.trials(pool), chosen, workers)

    return start


def crossing(trial, epochs):
    """Return a curve of which only the last epoch tells how good the trial is."""
    return [random.Random(f"{trial}/{epoch // 9}").uniform(1, 2) for epoch in range(epochs)]


@pytest.mark.parametrize(
    ("choice", "workers", "budget"),
    [("correlation", 1, 1), ("correlation", 4, 2.5), ("correlation", 30, 1), ("hyper-tune", 1, 2.5)],
)
def test_it_never_trains_more_than_its_budget_and_leaves_less_than_a_bracket(start, synthetic, choice, workers, budget):
    search = synthetic.drive(start(workers, choice=choice, budget=budget), workers=workers)
    allowed = budget * ONCE.epochs_hyperband
    cheapest = min(sum(round_.epochs_hyperband for round_ in rounds) for rounds in ONCE.brackets.values())
    assert allowed - cheapest < search.epochs <= allowed
    trial, loss = search.best
    assert search.curves[trial][80] == loss == min(curve[80] for curve in search.curves.values() if len(curve) == 81)


@pytest.mark.parametrize(("choice", "workers"), [("correlation", 4), ("hyper-tune", 1)])
def test_the_same_curves_and_workers_give_the_same_search(start, synthetic, choice, workers):
    first, second = (
        synthetic.drive(start(workers, choice=choice), workers=workers, order=random.Random(1)) for _ in range(2)
    )
    assert (first.opened, first.curves, first.best, first.stopped) == (
        second.opened,
        second.curves,
        second.best,
        second.stopped,
    )


def test_it_starts_with_brackets_of_middle_length_and_then_takes_those_that_promise_most(start, synthetic):
    search = start(budget=9)
    while len(search.opened) < 30:
        for training in search.ask(1):
            # the first epoch tells the end
            search.tell(training.trial, [1 + int(training.trial, 16) / 2**48] * training.epochs)
    assert search.opened[:2] == [3, 2]
    assert set(search.opened[20:]) == {4}, "as many trials as possible"


def test_where_only_the_end_tells_it_stays_with_long_rounds(start, synthetic):
    search = synthetic.drive(start(), train=crossing)
    assert search.opened[:2] == [3, 2]
    assert max(search.opened[2:]) <= 1


def test_brackets_take_turns_until_as_many_trials_ended_as_a_user_wants(start):
    search = start(fewest_ended=5)
    asked = search.ask()
    assert search.opened[:4] == [3, 2, 4, 1]
    assert len(asked) == len({training.trial for training in asked})


def test_beyond_the_most_workers_all_brackets_run_in_the_order_of_hyperband(start, synthetic):
    assert synthetic.drive(start(5), workers=5).opened[:5] == [4, 3, 2, 1, 0]
    assert synthetic.drive(start(5, most_workers=8), workers=5).opened[:2] == [3, 2]


@pytest.mark.parametrize(("workers", "budget"), [(1, 1.5), (4, 2), (8, 3)])
def test_no_worker_idles_while_the_budget_pays_for_a_bracket(start, synthetic, workers, budget):
    search, order, running = start(workers, budget=budget), random.Random(0), []
    dearest = max(sum(round_.epochs_hyperband for round_ in rounds) for rounds in ONCE.brackets.values())
    while True:
        running += search.ask(workers - len(running))
        if not running:
            break
        # what open brackets may still train is not free
        if search.epochs < budget * ONCE.epochs_hyperband - (workers + 1) * dearest:
            assert len(running) == workers
        training = running.pop(order.randrange(len(running)))
        search.tell(training.trial, synthetic.curve(training.trial, training.epochs))
    assert search.finished


def test_a_round_of_a_bracket_ends_before_its_next_one_begins_though_other_brackets_run(start, synthetic):
    search = start(4)
    first = search.ask(9)
    assert search.opened == [3]
    held = first[0]
    for training in first[1:]:
        search.tell(training.trial, synthetic.curve(training.trial, training.epochs))
    later = search.ask(60)
    assert len(search.opened) > 1
    mates = {training.trial for training in first} - {held.trial}
    assert not mates & {training.trial for training in later if training.epochs > 3}


def test_the_first_trials_to_an_epoch_teach_and_the_others_have_a_decision_point(start):
    search = start()
    asked = search.ask(ONCE.brackets[3][0].trials)
    # bracket 3 trains to epoch 3 first: its decision point is ceil(.15 * 3) = 1
    assert [training.epochs for training in asked] == [3] * 4 + [1] * (len(asked) - 4)


def test_trials_without_a_chance_stop_and_cost_little(start, synthetic):
    plain = synthetic.drive(start(round_chance=0, final_chance=0))
    search = synthetic.drive(start())
    assert not plain.stopped
    assert search.stopped
    assert len(search.opened) > len(plain.opened), "the epochs saved pay for more brackets"
    ended = [curve for curve in search.curves.values() if len(curve) == 81]
    assert search.best[1] == min(curve[-1] for curve in ended)
    assert all(len(search.curves[trial]) < 81 for trial in search.stopped)


@pytest.mark.parametrize("workers", [1, 3])
def test_diverged_trials_are_never_promoted_and_teach_nothing(start, synthetic, workers):
    def train(trial, epochs):
        curve = synthetic.curve(trial, epochs)
        kind = int(trial, 16) % 4
        return curve[:2] if kind == 0 else [*curve[:-1], math.nan] if kind == 1 else curve

    search = synthetic.drive(start(workers), train=train, workers=workers)
    assert math.isfinite(search.best[1])
    assert int(search.best[0], 16) % 4 > 1
    assert all(len(curve) <= 27 for trial, curve in search.curves.items() if int(trial, 16) % 4 == 1)


def test_it_ends_though_every_trial_diverges(start, synthetic):
    search = synthetic.drive(start(2), train=lambda trial, epochs: [], workers=2)
    assert search.best is None
    assert search.finished
    assert search.epochs == 0


def test_it_runs_only_brackets_that_are_given(start, synthetic):
    assert set(synthetic.drive(start(once=hyperband(81, 3, [1, 0]))).opened) <= {0, 1}

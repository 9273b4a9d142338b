"""After all brackets: which of the trials left behind train to the end, and a search that does so."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.search.plan import Plan, epochs, makespan
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.scheduled import ScheduledSearch
from swift_hyperband.search.settings import SwiftSettings
from swift_hyperband.search.swift_hyperband import swift_hyperband
from swift_hyperband.search.thaw import likely, thaw

RUNGS = [1, 3, 9]
OLD = SwiftSettings(
    teachers="reference", reference=0, decision_fraction=0.15, places=1.0, margin=0.75, margin_later=2.0, extra=0.5
)
SWIFT = replace(OLD, thaw=0.15, thaw_chance=0.02)
PREDICTOR = PredictorSettings("svr", "change", "differences", "robust", values="loss", errors="common", fewest_curves=3)
RULES = Rules(SWIFT, PREDICTOR)


def curves(ended=8, waiting=6, seed=0):
    """Return curves of trials at the end, and of others at epoch 3 that are promising in the order of their ids."""
    rng = np.random.default_rng(seed)
    found = {}
    for number in range(ended + waiting):
        start = rng.uniform(0.8, 1.2) if number < ended else 0.6 + 0.05 * (number - ended)
        whole = start * np.arange(1, 10) ** -0.5 * np.exp(rng.normal(0, 0.02, 9))
        name = f"end{number}" if number < ended else f"wait{number - ended}"
        found[name] = whole[: 9 if number < ended else 3].tolist()
    return found


def test_the_most_promising_go_on_as_far_as_the_budget_goes():
    found = curves()
    everyone = thaw(found, RUNGS, 1000, 0.1, 4)
    assert everyone.best == min(curve[8] for name, curve in found.items() if name.startswith("end"))
    assert everyone.chosen[:3] == ["wait0", "wait1", "wait2"]
    assert everyone.forecasts.keys() == {f"wait{number}" for number in range(6)}
    assert set(everyone.epochs.values()) == {3}
    assert thaw(found, RUNGS, 17, 0.1, 4).chosen == ["wait0", "wait1"], "each lacks six epochs"
    assert thaw(found, RUNGS, 5, 0.1, 4).chosen == []


def test_who_is_likely_to_go_on_is_chosen_as_by_the_thaw_once_enough_curves_reached_the_end():
    found = curves()
    left = {trial: 3 for trial in found if trial.startswith("wait")}
    for budget in (5, 17, 1000):
        assert likely(found, left, RUNGS, budget, 0.1, 4) == thaw(found, RUNGS, budget, 0.1, 4).chosen
    only = {"wait1": 3}
    assert likely(found, only, RUNGS, 1000, 0.1, 4) == ["wait1"], "the others are still in the search"


def test_before_that_trials_are_likely_to_go_on_by_the_farthest_rung_that_enough_curves_reached():
    early = {trial: curve[:3] for trial, curve in curves().items()}
    left = {trial: 1 for trial in early if trial.startswith("wait")} | {"end0": 3}
    found = likely(early, left, RUNGS, 1000, 0.1, 4)
    assert found[0] == "wait0"
    assert likely({trial: curve[:1] for trial, curve in early.items()}, left, RUNGS[:1], 1000, 0.1, 40) == []
    # epochs ahead of those asked for serve the other trials alone
    assert likely({**early, "wait0": curves()["wait0"][:2]}, left, RUNGS, 1000, 0.1, 4)[0] == "wait0"


def test_one_that_the_budget_does_not_pay_for_is_passed_over():
    found = curves()
    # half as promising per epoch, and it lacks one epoch only
    found["near"] = [*found["wait3"], *(found["wait3"][2] * np.arange(4, 9) ** -0.5 * 3**0.5)]
    chosen = thaw(found, RUNGS, 7, 0.0, 4).chosen
    assert sum(9 - len(found[trial]) for trial in chosen) <= 7
    assert "near" in chosen


def test_nobody_goes_on_below_the_least_chance():
    found = curves()
    for chance in (0.0, 0.1, 0.5, 0.9):
        thawing = thaw(found, RUNGS, 1000, chance, 4)
        likely = {trial for trial, forecast in thawing.forecasts.items() if forecast.chance(thawing.best) >= chance}
        assert set(thawing.chosen) == likely
    assert thaw(found, RUNGS, 1000, 1.0, 4).chosen == []


def test_ties_go_by_trial_id_whatever_the_order_of_the_curves():
    found = curves()
    found |= {"b": found["wait0"], "a": found["wait0"]}
    chosen = thaw(found, RUNGS, 1000, 0.1, 4).chosen
    assert chosen[:3] == ["a", "b", "wait0"]
    for seed in range(3):
        shuffled = random.Random(seed).sample(sorted(found), len(found))
        assert thaw({trial: found[trial] for trial in shuffled}, RUNGS, 1000, 0.1, 4) == thaw(
            found, RUNGS, 1000, 0.1, 4
        )


def test_trials_that_diverged_or_exploded_never_go_on_and_teach_nothing():
    found = curves()
    expected = thaw(found, RUNGS, 1000, 0.1, 4)
    worse = found | {
        "nan": [*found["wait0"][:2], math.nan],
        "inf": [*found["end0"][:8], math.inf],
        "none": [],
        "far": [1e300] * 9,
        "farther": [0.1, 1e200, 0.1],
    }
    assert thaw(worse, RUNGS, 1000, 0.1, 4, far=1e6) == expected


def test_without_a_trial_at_the_end_nobody_goes_on():
    thawing = thaw({name: curve[:3] for name, curve in curves().items()}, RUNGS, 1000, 0.1, 4)
    assert (thawing.best, thawing.chosen, thawing.forecasts) == (None, [], {})
    assert thaw({}, RUNGS, 1000, 0.1, 4).chosen == []


def test_the_schedule_has_a_round_above_all_brackets_for_as_many_as_the_budget_pays_for():
    plain, schedule = swift_hyperband(27, 3, OLD), swift_hyperband(27, 3, SWIFT)
    round_ = schedule.thaw
    assert (round_.key, round_.start, round_.end, round_.promoted) == ((4, 0), 0, 27, 1)
    assert round_.budget == int(0.15 * 357)
    latest = max(r.decision_epoch or 0 for r in schedule.rounds)
    assert round_.trials == round_.budget // (27 - latest)
    assert replace(schedule, thaw=None) == plain
    for name in ("brackets", "configurations", "epochs_hyperband", "epochs_best"):
        assert getattr(schedule, name) == getattr(plain, name)
    assert schedule.by_key[4, 0] is round_
    assert swift_hyperband(27, 3, replace(SWIFT, thaw=0.001)).thaw is None, "no trial can be paid for"
    assert swift_hyperband(27, 3, SWIFT, [0, 1]).thaw.key == (4, 0), "no bracket of Hyperband has this number"


def test_the_plan_counts_the_budget_at_most_and_nothing_at_least():
    plain, schedule = swift_hyperband(27, 3, OLD), swift_hyperband(27, 3, SWIFT)
    budget, trials = schedule.thaw.budget, schedule.thaw.trials
    assert epochs(schedule, "worst") == epochs(plain, "worst") + budget
    assert epochs(schedule, "best") == epochs(plain, "best")
    one, before = Plan(schedule, 1, 2), Plan(plain, 1, 2)
    assert one.to_json()["thaw"] == {"trials": trials, "epochs": budget}
    assert "thaw" not in before.to_json()
    assert one.jobs("worst") == before.jobs("worst") + trials + 2
    assert one.jobs("best") == before.jobs("best") + 2
    assert one.trainings("worst")[1] == before.trainings("worst")[1] + trials
    for workers in (1, 4, None):
        longer = makespan(schedule, "worst", 1, workers) - makespan(plain, "worst", 1, workers)
        # the first job trains what does not divide
        assert longer == -(-trials // (workers or trials)) * (budget // trials) + budget % trials
        assert makespan(schedule, "best", 1, workers) == makespan(plain, "best", 1, workers)


@pytest.fixture
def run(synthetic):
    def run(settings=SWIFT, **how):
        schedule = swift_hyperband(27, 3, settings)
        return synthetic.drive(ScheduledSearch(schedule, synthetic.trials(schedule), Rules(settings, PREDICTOR)), **how)

    return run


def test_a_search_thaws_when_all_brackets_are_over(run):
    plain, search = run(OLD), run()
    chosen, budget = search.thawing.chosen, search.schedule.thaw.budget
    assert chosen
    assert search.records[4, 0].competitors == chosen
    assert 0 < search.epochs - plain.epochs <= budget
    assert all(len(search.curves[trial]) == 27 > len(plain.curves[trial]) for trial in chosen)
    assert search.best[1] == min([plain.best[1], *(search.curves[trial][26] for trial in chosen)])
    assert search.thawing.best == plain.best[1]
    assert search.stopped == plain.stopped - set(chosen)
    assert {key: record.promoted for key, record in search.records.items() if key != (4, 0)} == {
        key: record.promoted for key, record in plain.records.items()
    }


@pytest.mark.parametrize("workers", [1, 3, None])
def test_who_thaws_depends_neither_on_the_order_of_curves_nor_on_the_number_of_workers(run, workers):
    expected = run()
    for seed in range(3):
        search = run(workers=workers, order=random.Random(seed))
        assert (search.thawing, search.best) == (expected.thawing, expected.best)


def test_a_trial_that_failed_does_not_thaw(run, synthetic):
    victims = set(run().thawing.chosen)

    def train(trial, epochs):
        whole = synthetic.curve(trial, epochs)
        return whole[:-1] if trial in victims else whole

    search = run(train=train)
    assert not victims & set(search.thawing.chosen)
    assert not victims & search.thawing.forecasts.keys()
    assert search.finished


def test_one_that_fails_while_it_thaws_wins_nothing(run, synthetic):
    search = run(train=lambda trial, epochs: synthetic.curve(trial, epochs))
    chosen, before = search.thawing.chosen, search.thawing.epochs
    again = run(train=lambda trial, n: synthetic.curve(trial, min(n, before[trial]) if trial in chosen else n))
    assert again.thawing == search.thawing
    assert again.best[1] == search.thawing.best
    assert again.records[4, 0].promoted == []


def test_a_search_in_which_everything_fails_ends_without_a_thaw(run):
    search = run(train=lambda trial, epochs: [])
    assert (search.best, search.thawing.chosen, search.records[4, 0].promoted) == (None, [], [])


def test_a_search_without_a_chance_ends_at_once(run):
    search = run(replace(SWIFT, thaw_chance=1.0))
    assert search.thawing.chosen == []
    assert search.best == run(OLD).best

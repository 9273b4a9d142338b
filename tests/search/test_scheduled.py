"""The ask/tell search: what holds of a whole Hyperband or Swift-Hyperband run on synthetic curves."""

import math
import random
from dataclasses import replace

import pytest

from swift_hyperband.base import keys
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.search import rounds
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.schedule import (
    Round,
    hyperband,
    one_epoch_search,
    predicted_random_search,
    predicted_random_trials,
    random_search,
    random_trials,
)
from swift_hyperband.search.scheduled import ScheduledSearch
from swift_hyperband.search.settings import SwiftSettings
from swift_hyperband.search.swift_hyperband import divide, swift_hyperband
from swift_hyperband.study.presets import PRESETS

DEFAULT = Rules(SwiftSettings(), PredictorSettings())
BOLD = Rules(
    keys.build(SwiftSettings, PRESETS["bold"]["swift"]), keys.build(PredictorSettings, PRESETS["bold"]["predictor"])
)


@pytest.fixture(params=[DEFAULT, BOLD], ids=["default", "bold"])
def rules(request):
    return request.param


def changed(rules, **swift):
    """Return rules with other settings of Swift-Hyperband."""
    return replace(rules, swift=replace(rules.swift, **swift))


@pytest.fixture
def run(synthetic):
    def run(schedule, rules=DEFAULT, **how):
        return synthetic.drive(ScheduledSearch(schedule, synthetic.trials(schedule), rules), **how)

    return run


def outcome(search):
    return {key: (r.competitors, r.decision, r.promoted) for key, r in search.records.items()}, search.best


def test_hyperband_trains_exactly_the_scheduled_epochs(run):
    schedule = hyperband(27, 3)
    assert run(schedule).epochs == 357


def test_swift_hyperband_trains_fewer_epochs_and_finds_as_good_a_trial(run, rules):
    plain, swift = run(hyperband(81, 3)), run(swift_hyperband(81, 3, rules.swift), rules)
    schedule = swift.schedule
    assert schedule.epochs_best <= swift.epochs < plain.epochs == 1581
    assert swift.best[1] <= plain.best[1] * 1.1


@pytest.mark.parametrize("share", [True, False])
def test_the_result_does_not_depend_on_the_order_in_which_trainings_end(run, rules, share):
    rules = changed(rules, share_curves=share, reference=1 if share else 5)
    schedule = swift_hyperband(27, 3, rules.swift)
    expected = run(schedule, rules)
    assert expected.stopped, "the order could matter"
    for seed in range(5):
        assert outcome(run(schedule, rules, order=random.Random(seed))) == outcome(expected)


@pytest.mark.parametrize("seed", range(5))
def test_nor_where_trials_diverge_and_explode(run, synthetic, rules, seed):
    def train(trial, epochs):
        losses, own = synthetic.curve(trial, epochs), random.Random(f"{seed}/{trial}")
        end, loss = own.randrange(40), own.choice([math.nan, 1e30, -1e30, 0.0])
        if end < epochs:
            losses[end] = loss
        return losses if math.isfinite(loss) else losses[: end + 1]

    schedule = swift_hyperband(27, 3, rules.swift)
    expected = outcome(run(schedule, rules, train=train))
    for workers in (None, 2):
        assert outcome(run(schedule, rules, train=train, workers=workers, order=random.Random(seed))) == expected


def test_a_trial_is_never_asked_for_epochs_it_has_behind_it(run, synthetic, rules):
    schedule = swift_hyperband(81, 3, rules.swift)
    behind = {}

    def train(trial, epochs):
        assert epochs > behind.get(trial, 0)
        behind[trial] = epochs
        return synthetic.curve(trial, epochs)

    run(schedule, rules, train=train)


def test_diverged_and_failed_trials_are_never_promoted_and_do_not_stop_the_search(run, synthetic, rules):
    def train(trial, epochs):
        full = synthetic.curve(trial, epochs)
        if int(trial, 16) % 3 == 0:
            return [*full[: epochs // 2], math.nan]
        return [] if int(trial, 16) % 7 == 0 else full

    search = run(swift_hyperband(27, 3, rules.swift), rules, train=train)
    assert math.isfinite(search.best[1])
    for record in search.records.values():
        assert all(int(trial, 16) % 3 and int(trial, 16) % 7 for trial in record.promoted)


def test_a_search_in_which_everything_fails_ends_without_a_winner(run, rules):
    search = run(swift_hyperband(27, 3, rules.swift), rules, train=lambda trial, epochs: [])
    assert search.best is None
    assert search.epochs == 0


def test_trials_compete_by_their_rank_in_the_previous_round(run, rules):
    search = run(swift_hyperband(27, 3, rules.swift), rules)
    for (bracket, index), record in search.records.items():
        if index:
            start = record.schedule.start
            losses = [search.curves[trial][start - 1] for trial in record.competitors]
            assert losses == sorted(losses), f"round {index} of bracket {bracket}"


@pytest.mark.parametrize("workers", [1, 3, 50])
def test_nor_on_the_number_of_workers(run, workers, rules):
    schedule = swift_hyperband(27, 3, rules.swift)
    assert outcome(run(schedule, rules, workers=workers)) == outcome(run(schedule, rules))


def test_with_one_worker_brackets_follow_each_other(run, synthetic):
    schedule = hyperband(27, 3)
    bracket_of = {trial: bracket for bracket, ids in synthetic.trials(schedule).items() for trial in ids}
    seen = []

    def train(trial, epochs):
        seen.append(bracket_of[trial])
        return synthetic.curve(trial, epochs)

    run(schedule, train=train, workers=1)
    assert seen == sorted(seen, reverse=True)


def test_brackets_that_run_again_keep_curves_and_predictors(run):
    plain = hyperband(27, 3)
    rounds = [replace(round_, bracket=round_.bracket + 4 * again) for again in (2, 1, 0) for round_ in plain.rounds]
    once, thrice = divide(plain, BOLD.swift), divide(replace(plain, rounds=tuple(rounds)), BOLD.swift)
    assert thrice.configurations == 3 * once.configurations
    assert [round_.trials for round_ in thrice.rounds[: len(once.rounds)]] == [round_.trials for round_ in once.rounds]
    assert run(thrice, BOLD).fits <= run(once, BOLD).fits + 1, "predictors are fitted once"
    assert run(thrice, BOLD).epochs < 3 * run(once, BOLD).epochs, (
        "fewer trials train fully where curves are known already"
    )


def test_a_random_search_trains_everybody_to_the_end(run):
    search = run(random_search(27, 3, trials=10))
    assert search.epochs == 270
    assert search.best == min(((trial, curve[26]) for trial, curve in search.curves.items()), key=lambda item: item[1])


def test_a_random_search_with_a_predictor_trains_m_fully_and_stops_others(run, rules):
    schedule = predicted_random_search(27, 3, trials=40, full=8, decision_fraction=0.25)
    search = run(schedule, rules)
    lengths = sorted(len(curve) for curve in search.curves.values())
    assert set(lengths) == {7, 27}
    assert lengths.count(27) >= 8
    assert search.epochs < 40 * 27
    assert search.fits == 1


def test_after_one_epoch_for_all_the_best_train_to_the_end(run):
    search = run(one_epoch_search(27, 3, trials=40, full=4))
    first = sorted(search.curves, key=lambda trial: search.curves[trial][0])
    assert {trial: len(curve) for trial, curve in search.curves.items()} == {
        trial: 27 if trial in first[:4] else 1 for trial in first
    }
    assert search.best[1] == min(search.curves[trial][26] for trial in first[:4])
    assert search.fits == 0


def test_the_default_random_searches_cost_about_what_hyperband_does():
    assert random_trials(81, 3) == 1581 // 81
    full, partial = 6, predicted_random_trials(81, 3, 6, SwiftSettings(decision_fraction=0.25)) - 6
    assert partial > full
    assert 6 * 81 + partial * (21 + 60 / 4) <= 1581
    all_go_on = SwiftSettings(decision_fraction=0.25, expected_share=1.0)
    assert predicted_random_trials(81, 3, 6, all_go_on) == 1581 // 81


def test_the_margin_counts_twice_after_the_first_round(synthetic):
    known = {trial: synthetic.curve(trial, 9) for trial in "abcdef"}
    curves = {trial: synthetic.curve(trial, 9)[:4] for trial in "0123456789"}

    def going(index, margin, **settings):
        round_ = Round(2, index, 10, 3, 9, 3, reference=0, decision_epoch=4, predictor=(2, index))
        rules = changed(BOLD, margin=margin, **settings)
        verdicts = rounds.decide(round_, {}, curves, rounds.fit(round_, [known], rules), rules).verdicts
        return {trial for trial, verdict in verdicts.items() if verdict.continues}

    first, later = going(0, 0.75), going(1, 0.75)
    assert first < later == going(0, 1.5)
    assert going(0, 0) == going(1, 0)
    assert going(1, 0.75, margin_later=1.0) == first


def test_extra_trials_cost_no_more_than_the_way_to_their_decision_points(run, synthetic):
    schedule = swift_hyperband(27, 3, replace(BOLD.swift, pay_extra=False))
    limit = schedule.epochs_hyperband + sum(r.extra * (r.decision_epoch or 0) for r in schedule.rounds)
    # with a margin that nothing falls short of, and where nothing can be predicted
    assert run(schedule, changed(BOLD, margin=1e9)).epochs == limit
    few = replace(BOLD.swift, d=3, pay_extra=False)
    schedule = swift_hyperband(27, 3, few)
    taught = {trial for key in schedule.teaching for trial in synthetic.trials(schedule)[key[0]][:3]}
    search = run(schedule, BOLD, train=lambda trial, n: [math.nan] if trial in taught else synthetic.curve(trial, n))
    assert search.epochs <= schedule.epochs_hyperband + sum(r.extra * (r.decision_epoch or 0) for r in schedule.rounds)


@pytest.mark.parametrize("size", [(9, 2), (9, 3), (20, 3), (27, 3)])
def test_a_small_search_never_trains_more_than_hyperband_whatever_is_predicted(run, size, synthetic):
    schedule = swift_hyperband(*size, BOLD.swift)
    assert any(round_.paying for round_ in schedule.rounds)
    # with a margin that nothing falls short of, with none, and where nothing can be predicted
    for margin in (1e9, 0):
        assert run(schedule, changed(BOLD, margin=margin)).epochs <= schedule.epochs_hyperband
    taught = {trial for key in schedule.teaching for trial in synthetic.trials(schedule)[key[0]][:5]}
    search = run(schedule, BOLD, train=lambda trial, n: [math.nan] if trial in taught else synthetic.curve(trial, n))
    assert search.epochs <= schedule.epochs_hyperband


def test_all_trials_that_trained_to_the_end_of_earlier_brackets_teach(synthetic):
    schedule, taught = swift_hyperband(81, 3, DEFAULT.swift), {}

    def fit(round_, references):
        taught[round_.key] = [dict(curves) for curves in references]
        return rounds.fit(round_, references, DEFAULT)

    search = synthetic.drive(ScheduledSearch(schedule, synthetic.trials(schedule), DEFAULT, fit))
    assert taught.keys() == {r.key for r in schedule.rounds if r.decision_epoch is not None}
    assert search.stopped
    for round_ in map(schedule.by_key.__getitem__, taught):
        *earlier, own = taught[round_.key]
        assert list(own) == search.records[round_.key].competitors[:1], "its reference trial"
        expected = []
        for key in round_.training_rounds[:-1]:
            record = search.records[key]
            on = record.competitors
            if record.decision is not None:
                on = [trial for trial in on if record.decision.verdicts.get(trial) is None]
                on += [trial for trial, verdict in record.decision.verdicts.items() if verdict.continues]
            expected.append(on)
        assert [list(curves) for curves in earlier] == expected
        for curves in (own, *earlier):
            assert curves == {trial: synthetic.curve(trial, round_.end) for trial in curves}, "up to the round's end"


def test_a_trial_teaches_its_own_bracket_by_what_it_reached_alone(run):
    search = run(swift_hyperband(27, 3, DEFAULT.swift))
    bracket = {trial: key[0] for key, record in search.records.items() for trial in record.competitors}
    assert len(bracket) == search.schedule.configurations
    for round_ in search.schedule.rounds:
        assert all(key[0] > round_.bracket or key == round_.key for key in round_.training_rounds)


def test_with_too_few_curves_nobody_is_stopped(run, synthetic):
    schedule, plain = swift_hyperband(27, 3, DEFAULT.swift), run(hyperband(27, 3))
    careful = replace(DEFAULT, predictor=replace(DEFAULT.predictor, fewest_curves=1000))
    search = run(schedule, careful)
    assert (search.stopped, search.fits, search.epochs) == (set(), 0, plain.epochs)
    assert (search.best, search.curves) == (plain.best, plain.curves)
    # the same where the curves that could teach are not finite
    first = {trial for bracket in (3, 2) for trial in synthetic.trials(schedule)[bracket]}
    search = run(schedule, train=lambda trial, n: [math.nan] if trial in first else synthetic.curve(trial, n))
    assert search.fits == 0
    assert not search.stopped - first


def test_a_round_waits_for_the_trials_that_teach_it(synthetic):
    schedule = swift_hyperband(27, 3, DEFAULT.swift)
    search = ScheduledSearch(schedule, synthetic.trials(schedule), DEFAULT)
    teachers, held = set(synthetic.trials(schedule)[3]), []
    running = search.ask()
    while running:
        training = running.pop(0)
        if training.trial in teachers:
            held.append(training)
        else:
            search.tell(training.trial, synthetic.curve(training.trial, training.epochs))
            running += search.ask()
    # nothing of brackets 2 to 0 is decided before bracket 3 has taught
    assert held
    assert all(record.decision is None for record in search.records.values())
    while held:
        training = held.pop(0)
        search.tell(training.trial, synthetic.curve(training.trial, training.epochs))
        held += search.ask()
    assert search.finished
    assert outcome(search) == outcome(
        synthetic.drive(ScheduledSearch(schedule, synthetic.trials(schedule), DEFAULT), workers=1)
    )


def test_a_search_by_the_default_rule_never_trains_more_than_hyperband_whatever_is_predicted(run):
    schedule = swift_hyperband(81, 3, DEFAULT.swift)
    most, some, few = (run(schedule, changed(DEFAULT, margin=margin)).epochs for margin in (1e6, 1.5, 0.0))
    assert schedule.epochs_best <= few < some < most == schedule.epochs_hyperband

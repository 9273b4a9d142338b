"""Trainings that a search may ask for later: which they are, and that those called certain are asked for."""

import math
import random

import pytest

from swift_hyperband.base import keys
from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.search.hopes import Kind, within
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.schedule import hyperband
from swift_hyperband.search.scheduled import ScheduledSearch
from swift_hyperband.search.settings import SwiftSettings
from swift_hyperband.search.swift_hyperband import swift_hyperband
from swift_hyperband.study.presets import PRESETS


def rules(preset):
    sections = PRESETS.get(preset, {"swift": {}, "predictor": {}})
    return Rules(keys.build(SwiftSettings, sections["swift"]), keys.build(PredictorSettings, sections["predictor"]))


def begun(synthetic, preset="default", plain=False):
    chosen = rules(preset)
    schedule = hyperband(27, 3) if plain else swift_hyperband(27, 3, chosen.swift)
    return ScheduledSearch(schedule, synthetic.trials(schedule), chosen)


@pytest.mark.parametrize("preset", ["default", "published", "bold"])
@pytest.mark.parametrize("seed", range(4))
def test_certain_hopes_are_asked_for_and_no_hope_was_asked_for_before(synthetic, preset, seed):
    search, order = begun(synthetic, preset), random.Random(seed)
    running, asked, certain = [], {}, {}
    while not search.finished:
        for training in search.ask():
            running.append(training)
            asked[training.trial] = training.epochs
        for hope in search.hopes({}):
            assert hope.epochs > asked[hope.trial]
            assert hope.trial not in [training.trial for training in running]
            if hope.kind is Kind.CERTAIN:
                certain[hope.trial] = max(hope.epochs, certain.get(hope.trial, 0))
        training = running.pop(order.randrange(len(running)))
        search.tell(training.trial, synthetic.curve(*training))
    assert certain, "some are certain early"
    for trial, epochs in certain.items():
        assert asked[trial] >= epochs


def test_nothing_is_hoped_for_before_a_trial_has_trained(synthetic):
    search = begun(synthetic)
    search.ask()
    assert search.hopes({}) == []


def test_trials_at_a_decision_point_may_train_to_the_end_of_the_round_the_best_first(synthetic):
    search = begun(synthetic, "bold")
    asked = search.ask()
    first = next(r for r in search.schedule.rounds if r.index == 0 and r.decision_epoch is not None)
    partial = search.records[first.key].competitors[first.full :]
    waiting = [training for training in asked if training.trial in partial]
    for training in waiting[:-1]:
        search.tell(training.trial, synthetic.curve(*training))
    hopes = [hope for hope in search.hopes({}) if hope.kind is Kind.PAST_DECISION]
    seen = [search.curves[hope.trial][-1] for hope in hopes]
    assert seen == sorted(seen)
    assert {hope.epochs for hope in hopes} == {first.end}
    assert len(hopes) == min(len(waiting) - 1, first.most_completed)


def test_the_best_at_the_end_of_a_round_may_train_on_before_the_round_is_over_also_by_curves_trained_ahead(synthetic):
    search = begun(synthetic, plain=True)
    first, second = search.schedule.rounds[:2]
    asked = [training for training in search.ask() if training.trial in search.records[first.key].competitors]
    told, last = asked[: first.promoted], asked[-1]
    for training in told:
        search.tell(training.trial, synthetic.curve(*training))
    assert {hope.trial: hope.epochs for hope in search.hopes({})} == {training.trial: second.end for training in told}
    for training in asked[first.promoted : -1]:
        search.tell(training.trial, synthetic.curve(*training))
    best = sorted((search.curves[training.trial][-1], training.trial) for training in asked[:-1])[: first.promoted]
    hopes = search.hopes({})
    assert [hope.trial for hope in hopes] == [trial for _, trial in best]
    # one trial is outstanding and can take the last place alone
    assert [hope.kind for hope in hopes] == [Kind.CERTAIN] * (first.promoted - 1) + [Kind.PAST_END]
    ahead = {hopes[0].trial: synthetic.curve(hopes[0].trial, second.end)}
    assert hopes[0].trial not in [hope.trial for hope in search.hopes(ahead)]
    search.tell(last.trial, [float("nan")])
    assert {training.trial for training in search.ask()} == {trial for _, trial in best}


def test_a_bound_on_the_epochs_ahead_leaves_the_best_hopes_and_shortens_the_last(synthetic):
    search = begun(synthetic, plain=True)
    for training in search.ask()[:30]:
        search.tell(training.trial, synthetic.curve(*training))
    every = search.hopes({})
    told = sum(len(curve) for curve in search.curves.values())
    for most in (0, 0.1, 0.5, math.inf):
        found = within(search, {}, most)
        assert [training.trial for training in found] == [hope.trial for hope in every[: len(found)]]
        beyond = sum(training.epochs - len(search.curves[training.trial]) for training in found)
        assert beyond <= most * told if most else not found
    assert len(found) == len(every)
    # what was trained ahead counts, also in vain
    loser = max(search.curves, key=lambda trial: search.curves[trial][-1])
    assert within(search, {loser: synthetic.curve(loser, 27)}, 0.1) == []


def test_a_trial_that_failed_is_no_hope(synthetic):
    search = begun(synthetic, plain=True)
    first = search.schedule.rounds[0]
    asked = [training for training in search.ask() if training.trial in search.records[first.key].competitors]
    search.tell(asked[0].trial, [])
    search.tell(asked[1].trial, [float("nan")])
    assert search.hopes({}) == []

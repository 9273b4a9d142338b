"""The arithmetic of epochs spent, saved and to come, on brackets whose numbers are computed by hand."""

import math

from swift_hyperband.results.bracket_progress import of_bracket, of_thaw
from swift_hyperband.results.decided import Decided
from swift_hyperband.results.history import RoundHistory
from swift_hyperband.search.decisions import Decision, Verdict
from swift_hyperband.search.schedule import Round, hyperband
from swift_hyperband.training.glance import Glance

# 9 trials to epoch 1, 3 to epoch 3, 1 to epoch 9
FIRST, SECOND, THIRD = hyperband(9, 3).brackets[2]
NINE = tuple("abcdefghi")
# one trial sets the threshold, three are decided about at epoch 3, and two at most go on
DECIDING = Round(0, 0, trials=4, start=0, end=9, promoted=1, reference=1, decision_epoch=3, predictor=(0, 0), paying=1)


def trained(**epochs):
    return {trial: Glance("ok", count, count, 0.5) for trial, count in epochs.items()}


def numbers(rounds, of):
    found = of_bracket(2, rounds, of, {})
    return found.spent, found.saved, found.to_come


def test_a_bracket_that_was_not_entered_has_all_its_epochs_to_come():
    rounds = [RoundHistory(FIRST), RoundHistory(SECOND), RoundHistory(THIRD)]
    assert numbers(rounds, {}) == (0, 0, 9 * 1 + 3 * 2 + 1 * 6)
    assert of_bracket(2, rounds, {}, {}).round is rounds[0]


def test_an_epoch_that_is_trained_is_no_more_to_come():
    rounds = [RoundHistory(FIRST, NINE), RoundHistory(SECOND), RoundHistory(THIRD)]
    of = trained(**dict.fromkeys(NINE, 0)) | trained(a=1)
    assert numbers(rounds, of) == (1, 0, 8 + 3 * 2 + 1 * 6)


def test_places_that_failed_trials_leave_empty_are_not_trained():
    rounds = [RoundHistory(FIRST, NINE), RoundHistory(SECOND), RoundHistory(THIRD)]
    of = dict.fromkeys(NINE, Glance("failed", 0, 0, math.nan)) | trained(a=1, b=1)
    assert numbers(rounds, of) == (2, 0, 2 * 2 + 1 * 6)
    assert of_bracket(2, rounds, of, {}).trials == {
        "alive": 2,
        "stopped": 0,
        "not promoted": 0,
        "failed": 7,
        "diverged": 0,
    }


def test_in_a_later_round_only_its_own_competitors_go_on():
    rounds = [
        RoundHistory(FIRST, NINE, promoted=("a", "b", "c")),
        RoundHistory(SECOND, ("a", "b", "c")),
        RoundHistory(THIRD),
    ]
    of = trained(**dict.fromkeys(NINE, 1)) | trained(a=3, b=2)
    assert numbers(rounds, of) == (9 + 2 + 1, 0, 1 + 2 + 1 * 6)
    assert of_bracket(2, rounds, of, {}).trials["not promoted"] == 6
    assert of_bracket(2, rounds, of, {}).round is rounds[1]


def test_before_the_decision_as_many_as_must_stop_are_not_to_come():
    # one trains 9 epochs, three train 3 each, and two of them 6 more
    assert numbers([RoundHistory(DECIDING, tuple("abcd"))], trained(a=0, b=0, c=0, d=0)) == (0, 0, 9 + 3 * 3 + 2 * 6)
    assert numbers([RoundHistory(DECIDING)], {}) == (0, 0, 9 + 3 * 3 + 2 * 6)


def test_an_epoch_that_a_stopped_trial_does_not_train_is_saved():
    verdicts = {"b": Verdict(0.5, 0.4, True), "c": Verdict(0.9, 0.8, False), "d": Verdict(0.9, 0.8, False)}
    found = RoundHistory(DECIDING, tuple("abcd"), Decided(Decision(0.6, 0.0, verdicts), None, ()))
    assert numbers([found], trained(a=9, b=3, c=3, d=3)) == (18, 2 * 6, 6)
    # a trial that diverged would not have trained on anyway
    of = trained(a=9, b=3, d=3) | {"c": Glance("diverged", 3, 3, math.nan)}
    assert numbers([found], of) == (18, 1 * 6, 6)


THAW = Round(3, 0, trials=3, start=0, end=9, promoted=1, reference=0, budget=20)


def test_before_the_choice_the_whole_budget_of_a_thaw_is_to_come():
    found = of_thaw(RoundHistory(THAW), {}, {})
    assert (found.spent, found.saved, found.to_come, found.is_thaw) == (0, 0, 20, True)


def test_what_trials_train_after_all_brackets_counts_in_the_thaw_and_not_in_their_bracket():
    of = trained(**dict.fromkeys(NINE, 1)) | trained(a=9, b=3, c=3, d=4, e=3)
    rounds = [
        RoundHistory(FIRST, NINE, promoted=("a", "b", "c")),
        RoundHistory(SECOND, ("a", "b", "c"), promoted=("a",)),
        RoundHistory(THIRD, ("a",), promoted=("a",)),
    ]
    left = {"d": 1, "e": 1}
    bracket, thaw = of_bracket(2, rounds, of, left), of_thaw(RoundHistory(THAW, ("d", "e")), of, left)
    assert (bracket.spent, thaw.spent, thaw.to_come) == (9 + 2 * 2 + 8, 3 + 2, 5 + 6)
    assert bracket.spent + thaw.spent == sum(one.epochs for one in of.values())
    assert sum(bracket.trials.values()) + sum(thaw.trials.values()) == 9
    assert (thaw.trials["alive"], thaw.round.schedule) == (2, THAW)


def test_a_thaw_in_which_a_trial_fails_and_that_is_over_has_nothing_to_come():
    of = trained(d=9) | {"e": Glance("failed", 4, 4, 0.5)}
    left = {"d": 1, "e": 1}
    assert of_thaw(RoundHistory(THAW, ("d", "e")), of, left).to_come == 0
    found = of_thaw(RoundHistory(THAW, ("d", "e"), promoted=("d",)), of, left)
    assert (found.spent, found.to_come, found.round) == (8 + 3, 0, None)
    assert (found.trials["alive"], found.trials["failed"]) == (1, 1)

"""Threshold, decision and promotion."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_hyperband.search.decisions import certain, decide, promote, promotion_threshold, quantile_threshold, rank

losses = st.dictionaries(
    st.text("abcdef0123456789", min_size=3, max_size=3), st.floats(-10, 10) | st.just(math.inf), max_size=12
)


def going(decision):
    """Return the trials that continue."""
    return {trial for trial, verdict in decision.verdicts.items() if verdict.continues}


def test_the_threshold_is_numpys_linear_quantile():
    assert quantile_threshold([4.0, 1.0, 3.0, 2.0], 0.25) == pytest.approx(1.75)


@pytest.mark.parametrize("values", [[], [math.inf], [1.0, math.inf, math.inf], [math.inf] * 3])
def test_nobody_is_stopped_where_failures_reach_the_threshold(values):
    assert quantile_threshold(values, 0.25) == math.inf


def test_a_failed_reference_trial_counts_as_worst():
    assert quantile_threshold([1.0, 2.0, math.inf, math.inf], 0.25) == pytest.approx(1.75)


def test_the_promotion_threshold_lets_exactly_the_promoted_pass():
    cut = promotion_threshold([3.0, 1.0, 2.0, 4.0], 2)
    assert 2.0 < cut < 2.000001
    assert promotion_threshold([3.0, 1.0], 2) == math.inf


def test_only_those_predicted_below_the_threshold_continue():
    seen = {"a": 5.0, "b": 5.0, "c": 5.0}
    predicted = {"a": 1.0, "b": 2.0, "c": 3.0}
    assert going(decide(seen, predicted, predicted, 0.0, threshold=2.0, wanted=0)) == {"a"}


def test_the_margin_gives_the_benefit_of_the_doubt():
    seen = {"a": 5.0, "b": 5.0, "c": 5.0}
    predicted, optimistic = {"a": 1.0, "b": 2.0, "c": 3.0}, {"a": 0.5, "b": 1.5, "c": 2.5}
    decision = decide(seen, predicted, optimistic, 1.0, threshold=2.0, wanted=0)
    assert going(decision) == {"a", "b"}
    assert {trial: verdict.predicted for trial, verdict in decision.verdicts.items()} == predicted


def test_the_margin_of_a_trial_that_is_hard_to_predict_is_its_own():
    seen, predicted = {"a": 5.0, "b": 5.0}, {"a": 3.0, "b": 3.0}
    assert going(decide(seen, predicted, {"a": 2.9, "b": 1.0}, 0.1, threshold=2.0, wanted=0)) == {"b"}


def test_a_margin_never_decides_who_fills_the_next_round():
    seen, predicted = {"a": 5.0, "b": 5.0, "c": 5.0}, {"a": 7.0, "b": 8.0, "c": 9.0}
    optimistic = {"a": 6.9, "b": 6.0, "c": 1.0}
    assert going(decide(seen, predicted, optimistic, 1.0, threshold=0.0, wanted=1)) == {"a"}
    assert going(decide(seen, predicted, optimistic, 1.0, threshold=8.0, wanted=1, most=2)) == {"a", "b"}


def test_the_best_predicted_continue_when_too_few_beat_the_threshold():
    seen = {"a": 5.0, "b": 5.0, "c": 5.0}
    predicted = {"a": 9.0, "b": 8.0, "c": 7.0}
    assert going(decide(seen, predicted, predicted, 0.0, threshold=2.0, wanted=2)) == {"b", "c"}


def test_nobody_is_stopped_without_a_predictor():
    decision = decide({"a": 5.0, "b": math.inf}, None, {}, 0.0, threshold=0.0, wanted=0)
    assert going(decision) == {"a"}, "a failed trial never continues"


@pytest.mark.parametrize("predicted", [{"a": 3.0, "b": 1.0, "c": 2.0}, None])
def test_no_more_continue_than_may(predicted):
    seen = {"a": 9.0, "b": 7.0, "c": 8.0, "d": math.inf}
    for most, expected in {1: {"b"}, 2: {"b", "c"}, 3: {"a", "b", "c"}}.items():
        assert going(decide(seen, predicted, predicted or {}, 0.0, threshold=9.0, wanted=1, most=most)) == expected


def test_ties_go_by_trial_id():
    assert rank({"b": 1.0, "a": 1.0, "c": 0.5}) == ["c", "a", "b"]


@given(losses, st.integers(1, 5))
def test_promotion_takes_the_best_living_trials(values, promoted):
    chosen = promote(values, promoted)
    left = {trial: loss for trial, loss in values.items() if trial not in chosen and math.isfinite(loss)}
    assert all(math.isfinite(values[trial]) for trial in chosen)
    assert len(chosen) == min(promoted, sum(map(math.isfinite, values.values())))
    assert not left or max(values[trial] for trial in chosen) <= min(left.values())


@given(losses, st.integers(0, 12), st.floats(-10, 10))
def test_enough_trials_continue_to_fill_the_next_round(values, wanted, cut):
    alive = {trial: loss for trial, loss in values.items() if math.isfinite(loss)}
    assert len(going(decide(values, alive, alive, 0.0, threshold=cut, wanted=wanted))) >= min(wanted, len(alive))


@given(
    losses=st.lists(
        st.tuples(st.sampled_from([1.0, 2.0, 3.0, 4.0, math.inf]), st.integers(0, 3)), min_size=1, max_size=7
    ),
    there=st.integers(0, 6),
    predicts=st.booleans(),
    reached=st.lists(st.integers(1, 4), max_size=2),
    places=st.integers(1, 5),
    wanted=st.integers(-1, 5),
    most=st.integers(1, 7),
)
def test_whatever_is_certain_holds_when_the_outstanding_trials_are_there(
    losses, there, predicts, reached, places, wanted, most
):
    # losses at the decision point, which are the predictions, and how much of them is benefit of the doubt
    def evidence(trials):
        seen = {f"t{n}": losses[n][0] for n in trials}
        alive = [trial for trial, loss in seen.items() if math.isfinite(loss)]
        predicted = {trial: seen[trial] for trial in alive}
        optimistic = {trial: seen[trial] - losses[int(trial[1:])][1] for trial in alive}
        return seen, predicted if predicts else None, optimistic, [*reached, *predicted.values()]

    order = sorted(range(len(losses)), key=lambda n: (n * 5) % 7)
    seen, predicted, optimistic, known = evidence(order[:there])
    out = len(losses) - len(seen)
    for_certain, stopping = certain(
        seen,
        predicted,
        optimistic,
        out,
        lowest=promotion_threshold([-math.inf] * out + known, places),
        highest=promotion_threshold(known, places),
        wanted=wanted,
        most=most,
    )
    everyone = evidence(order)
    threshold = promotion_threshold(everyone[3], places)
    found = decide(*everyone[:3], 0.0, threshold=threshold, wanted=wanted, most=most)
    assert all(found.verdicts[trial].continues for trial in for_certain)
    assert not any(found.verdicts[trial].continues for trial in stopping)
    if not out:
        assert for_certain | stopping == set(seen)

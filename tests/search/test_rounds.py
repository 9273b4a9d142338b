"""The steps of one round: the threshold of a round, and its decision by predictions and their errors."""

from dataclasses import replace

import numpy as np
import pytest

from swift_hyperband.predictors.settings import PredictorSettings
from swift_hyperband.search import rounds
from swift_hyperband.search.rounds import Rules
from swift_hyperband.search.schedule import Round
from swift_hyperband.search.settings import SwiftSettings

RULES = Rules(SwiftSettings(), PredictorSettings())
TEN = {f"{loss:02}": [9.0, 9.0, float(loss)] for loss in range(1, 11)}
"""Curves of ten trials, with the losses 1 to 10 at the decision point."""


class LastValue:
    """A predictor that expects each trial to stay where it is, with an error of its own for each curve."""

    sigma = 1.0

    def __init__(self, errors=1.0):
        self.errors = errors

    def predict(self, curves):
        return np.asarray(curves)[:, -1]

    def optimistic(self, curves, margin):
        return self.predict(curves) - margin * self.errors

    def diverged(self, losses, at_end):
        return [loss > 100 for loss in losses]


def going(predictor, reference=(), partial=TEN, index=0, **swift):
    """Return the trials that continue in a round of which four trials are promoted."""
    round_ = Round(2, index, len(reference) + len(partial), 0, 9, 4, len(reference), 3, (2, index))
    curves = {f"r{number}": [9.0] * 8 + [loss] for number, loss in enumerate(reference)}
    rules = replace(RULES, swift=replace(RULES.swift, **swift))
    verdicts = rounds.decide(round_, curves, partial, predictor, rules).verdicts
    return [trial for trial, verdict in verdicts.items() if verdict.continues]


@pytest.mark.parametrize(("places", "expected"), [(1.0, 6), (0.75, 5), (0.7, 5), (0.5, 4)])
def test_only_the_first_of_the_next_rounds_places_count_for_the_threshold(places, expected):
    # the 4th, 3rd, 3rd and 2nd best of the losses 1 to 10, and 2.5 above it
    assert going(LastValue(), margin=2.5, places=places) == list(TEN)[:expected]


@pytest.mark.parametrize("places", [0.01, 0.5, 1.0])
def test_the_next_round_is_filled_however_few_places_count(places):
    assert going(LastValue(), margin=0.0, places=places) == list(TEN)[:4]


def test_reference_trials_take_places():
    assert going(LastValue(), margin=2.5, places=0.5) == list(TEN)[:4]
    # 0.4 is the second best now
    assert going(LastValue(), reference=[0.1, 0.4], margin=2.5, places=0.5) == list(TEN)[:2]
    # one that is far outside takes none, nor does one that diverged
    assert going(LastValue(), reference=[1e9, float("inf")], margin=2.5, places=0.5) == list(TEN)[:4]


def test_a_trial_that_is_hard_to_predict_gets_more_benefit_of_the_doubt():
    errors = np.full(10, 1.0)
    errors[7] = 5.0
    assert going(LastValue(errors), margin=1.5, places=0.7) == ["01", "02", "03", "04", "08"]


def test_by_default_a_margin_counts_the_same_in_every_round():
    first, later = (going(LastValue(), index=index) for index in (0, 1))
    assert first == later == list(TEN)[:4]
    assert going(LastValue(), index=1, margin_later=2.0) == list(TEN)[:6]
    assert going(LastValue(), index=0, margin_later=2.0) == first


def test_without_a_predictor_every_trial_that_lives_goes_on():
    partial = {**TEN, "dead": [9.0], "lost": [9.0, 9.0, float("nan")]}
    assert going(None, partial=partial) == list(TEN)


def test_a_margin_is_counted_in_standard_errors_of_each_prediction():
    curves = [[9.0, 9.0, 1.0], [9.0, 9.0, 2.0]]
    predictor = LastValue(np.array([1.0, 3.0]))
    assert rounds.predict(predictor, curves, 3) == [1.0, 2.0]
    assert rounds.predict(predictor, curves, 3, margin=2.0) == [-1.0, -4.0]
    assert rounds.predict(predictor, [], 3, margin=2.0) == []

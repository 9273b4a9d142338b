"""The chances of trials, by which adaptive Hyperband stops them."""

import math

import numpy as np
import pytest

from swift_hyperband.search.chances import Prediction, predict


def prediction(means, sigma, log=False):
    return Prediction(np.array(means), np.full(len(means), sigma), log)


def test_the_chance_to_end_below_a_loss_is_that_of_a_normal_number():
    assert prediction([1.0, 2.0, 0.0], 1.0).below(1.0) == pytest.approx([0.5, 0.1587, 0.8413], abs=1e-4)
    assert prediction([0.0], 1.0, log=True).below(math.e) == pytest.approx([0.8413], abs=1e-4)
    assert prediction([1.0, 3.0], 0.0).below(2.0) == [1, 0]


def test_the_chance_of_promotion_counts_trials_whose_losses_are_known():
    assert prediction([1.0, 3.0, 5.0], 1e-9).among_best([2.0, 4.0], 3) == [1, 1, 0]
    # two that are alike, for one place: half each; beside one that is far better: none
    assert prediction([1.0, 1.0], 0.5).among_best([], 1) == pytest.approx([0.5, 0.5], abs=0.08)
    assert prediction([1.0, 1.0], 0.5).among_best([-9.0], 1) == [0, 0]
    assert prediction([1.0, 1.0], 0.5).among_best([9.0], 3) == [1, 1], "a place for everyone"


def test_curves_that_fall_alike_predict_one_that_does_with_a_small_error():
    curves = [[start / epoch for epoch in range(1, 10)] for start in (1, 2, 3, 5, 8)]
    found = predict([curves[2][:3]], 3, 9, curves, 4)
    assert found.log
    assert math.exp(found.means[0]) == pytest.approx(3 / 9, rel=0.05)
    assert found.sigmas[0] < 0.1


def test_too_few_or_broken_curves_predict_nothing():
    curves = [[1.0, 0.9, 0.8], [2.0, 1.9, 1.8], [3.0, 2.9, 2.8]]
    assert predict([[1.0, 0.9]], 2, 3, curves, 4) is None
    assert predict([[1.0, 0.9]], 2, 3, [*curves, [math.nan, 1.0, 1.0]], 4) is None
    assert predict([], 2, 3, curves, 3) is None
    assert not predict([[-1.0, 0.9]], 2, 3, curves, 3).log, "no logarithm of a negative loss"

import math
import sys

import numpy as np
import pytest

from swift_hyperband.base.metric import Metric, from_json, to_json

LOSS, ACCURACY = Metric("loss", "min"), Metric("accuracy", "max")


def test_a_smaller_loss_is_better_whichever_way_the_metric_goes():
    assert (LOSS.loss(0.5), ACCURACY.loss(0.5)) == (0.5, -0.5)
    assert (LOSS.better, ACCURACY.better) == ("smaller is better", "larger is better")


@pytest.mark.parametrize("metric", [LOSS, ACCURACY])
@pytest.mark.parametrize("value", [0.0, -0.0, 1 / 3, -2.5, 3, math.inf, sys.float_info.min])
def test_a_loss_turns_back_into_the_same_value(metric, value):
    back = metric.value(metric.loss(value))
    assert type(back) is float
    assert (back, math.copysign(1, back)) == (value, math.copysign(1, value))


def test_an_array_of_values_turns_into_an_array_of_losses():
    assert ACCURACY.loss(np.array([0.25, 0.0, math.inf])).tolist() == [-0.25, 0.0, -math.inf]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
def test_a_number_that_is_not_finite_is_null_in_files_and_nan_in_memory(value):
    assert to_json(value) is None
    assert math.isnan(from_json(to_json(value)))
    assert from_json(to_json(0.5)) == 0.5


def test_at_the_last_epoch_a_curve_of_losses_is_that_of_the_values():
    assert ACCURACY.losses([0.5, 0.75, 0.25]) == [-0.5, -0.75, -0.25]
    assert LOSS.losses([3.0, None, 1.0]) == LOSS.losses([3.0, math.nan, 1.0]) == [3.0, math.inf, 1.0]
    assert LOSS.epoch([3.0, 1.0, 2.0]) == 3


def test_at_the_best_epoch_the_loss_of_an_epoch_is_the_smallest_up_to_it():
    assert Metric("loss", "min", "best").losses([3.0, 1.0, 2.0, 0.5, 0.7]) == [3.0, 1.0, 1.0, 0.5, 0.5]
    assert Metric("accuracy", "max", "best").losses([0.5, 0.75, 0.25]) == [-0.5, -0.75, -0.75]
    assert Metric("accuracy", "max", "best").epoch([0.5, 0.75, 0.25, 0.75]) == 2, "the first of equal ones"


@pytest.mark.parametrize("bad", [None, math.nan, math.inf, -math.inf])
def test_a_trial_that_diverges_has_an_infinite_loss_from_there_however_good_it_was_before(bad):
    best = Metric("loss", "min", "best")
    assert best.losses([3.0, 1.0, bad, 0.5]) == [3.0, 1.0, math.inf, math.inf]
    assert best.epoch([3.0, 1.0, bad]) == 2
    assert best.epoch([bad]) == best.epoch([]) == 0

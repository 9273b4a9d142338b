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

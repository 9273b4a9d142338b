"""The range of values that a picture shows, and the names in it."""

import numpy as np

from swift_hyperband.base.metric import Metric
from swift_hyperband.report import style

LOSS, ACCURACY = Metric("loss", "min"), Metric("accuracy", "max")
NAME = "$x_{^$ %s é 损失 \\frac{1}{2}\n" + "long" * 60


def test_the_range_shows_every_good_value_and_cuts_off_outliers():
    losses = [*np.linspace(1, 2, 100), 1e9, 1e30]
    shown = style.value_range(losses, LOSS)
    assert shown.low < 1
    assert 2 < shown.high < 3
    assert not shown.log
    accuracies = [*np.linspace(0.8, 0.9, 100), 0.99, -1e9]
    shown = style.value_range(accuracies, ACCURACY)
    assert 0.7 < shown.low < 0.8
    assert 0.99 < shown.high < 1.1


def test_losses_over_many_orders_of_magnitude_get_a_logarithmic_axis():
    assert style.value_range([1, 10, 100, 1000], LOSS).log
    assert not style.value_range([1, 10, 100, 1000], ACCURACY).log
    assert not style.value_range([-1, 10, 100, 1000], LOSS).log


def test_one_value_alone_has_a_range_around_it():
    for value in (0.0, 0.5, -3.0):
        shown = style.value_range([value], LOSS)
        assert shown.low < value < shown.high


def test_a_name_is_one_line_of_bounded_length():
    shown = style.name(NAME)
    assert len(shown) <= style.LONGEST
    assert shown.startswith("$x_{^$ %s é 损失")
    assert style.name("a\tb\x1b[31m") == "a b\N{REPLACEMENT CHARACTER}[31m"
    assert style.name("validation_loss") == "validation_loss"

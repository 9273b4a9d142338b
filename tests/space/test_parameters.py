"""Hyperparameters and the space that they span."""

import math

import pytest

from swift_hyperband.space.parameters import Float, Int, Space


def test_the_ends_of_a_range_are_reached_and_never_passed():
    below_one = math.nextafter(1.0, 0.0)
    for hyperparameter in (Float(0.1, 0.3), Float(1e-6, 0.1, log=True), Int(1, 7), Int(1, 7, log=True)):
        assert hyperparameter.at(0.0) == pytest.approx(hyperparameter.low)
        assert hyperparameter.at(below_one) == pytest.approx(hyperparameter.high)
        assert hyperparameter.low <= hyperparameter.at(0.0) < hyperparameter.at(below_one) <= hyperparameter.high


def test_whole_numbers_on_a_log_scale_have_the_share_of_their_interval():
    hyperparameter = Int(1, 3, log=True)
    shares = [[hyperparameter.at(i / 10000) for i in range(10000)].count(value) / 10000 for value in (1, 2, 3)]
    whole = math.log(3.5 / 0.5)
    assert shares == pytest.approx(
        [math.log(1.5 / 0.5) / whole, math.log(2.5 / 1.5) / whole, math.log(3.5 / 2.5) / whole], abs=1e-3
    )


def test_only_what_constraints_need_is_drawn_to_see_whether_they_leave_room(large):
    free = {f"free{number}": Float(0, 1) for number in range(1000)}
    needed = Space({**large.hyperparameters, **free}, ("momentum < 0.5", "layers < 3")).constrained()
    assert list(needed.hyperparameters) == ["layers", "optimizer", "momentum"]

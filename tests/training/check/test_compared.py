"""A restored target is compared attribute by attribute: what it has lost is named."""

import random
from types import SimpleNamespace

import numpy as np
import pytest

from swift_hyperband.training.check.compared import differences


class Part:
    """Something with a state."""

    def __init__(self, **state):
        self.state = state

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = state


def target(**attributes):
    return SimpleNamespace(**attributes)


def test_equal_targets_differ_in_nothing():
    def made():
        numbers = {"weights": np.arange(3.0), "nan": [float("nan")], "deep": {"one": (1, "two")}}
        return target(model=Part(**numbers), epoch=3, draw=random.Random(1), rows=[1, None], name="a", nothing=None)

    assert list(differences(made(), made())) == []


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (Part(a=1), Part(a=2), "!self.it is another"),
        (Part(w=np.zeros(2)), Part(w=np.array([0.0, 1.0])), "!self.it is another"),
        (Part(w=np.zeros(2)), Part(w=np.zeros((2, 1))), "!self.it is another"),
        (Part(a=1), None, "!self.it is another"),
        (random.Random(1), random.Random(2), "self.it, a random generator, is another"),
        (np.random.default_rng(1), np.random.default_rng(2), "self.it, a random generator, is another"),
        (3, 4, "self.it is 4 and was 3"),
        ("a", "b", "self.it is b and was a"),
        ([1, 2], [1, 3], "self.it is another"),
    ],
)
def test_what_was_lost_is_named_with_its_attribute(one, other, found):
    assert list(differences(target(it=one), target(it=other))) == [found]


def test_what_cannot_be_compared_is_no_difference():
    assert list(differences(target(it=object()), target(it=object()))) == []

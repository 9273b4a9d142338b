"""Configurations that a user gives."""

import pytest

from swift_hyperband.space import given
from swift_hyperband.space.draw import draw
from swift_hyperband.space.parameters import Categorical, Float, Int, Space

SPACE = Space(
    {
        "rate": Float(1e-4, 1.0, log=True),
        "layers": Int(1, 4),
        "kind": Categorical(("sgd", "adam")),
        "momentum": Float(0.0, 0.99, when={"kind": ("sgd",)}),
        "fast": Categorical((True, False)),
    },
    ("rate * layers <= 1",),
)
GOOD = {"rate": 0.1, "layers": 2, "kind": "sgd", "momentum": 0.9, "fast": True}


def without(name):
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        (GOOD | {"rte": 1}, [("rte", "names no hyperparameter of the space; did you mean rate?")]),
        (GOOD | {"rate": 2.0}, [("rate", "must be a number from 0.0001 to 1, found 2")]),
        (GOOD | {"rate": "0.1"}, [("rate", "must be a number from 0.0001 to 1, found '0.1'")]),
        (GOOD | {"layers": 2.5}, [("layers", "must be a whole number from 1 to 4, found 2.5")]),
        (GOOD | {"layers": True}, [("layers", "must be a whole number from 1 to 4, found true")]),
        (GOOD | {"fast": 1}, [("fast", "must be true or false, found 1")]),
        (GOOD | {"kind": "rms"}, [
            ("kind", "must be sgd or adam, found 'rms'"),
            ("momentum", "must be left out, as it is not active where kind is not sgd; found 0.9"),
        ]),
        (without("layers"), [("layers", "must be given, found nothing (a whole number from 1 to 4)")]),
        (without("momentum"), [("momentum", "must be given, found nothing (a number from 0 to 0.99)")]),
        (GOOD | {"kind": "adam"}, [
            ("momentum", "must be left out, as it is not active where kind is not sgd; found 0.9")
        ]),
        (GOOD | {"rate": 1.0}, [(
            "", "must keep the constraint 'rate * layers <= 1', "
            "found rate 1, layers 2, kind 'sgd', momentum 0.9, fast true",
        )]),
        (GOOD, []),
    ],
)  # fmt: skip
def test_each_mistake_is_named(configuration, expected):
    assert given.problems(SPACE, configuration) == expected


def test_values_and_their_order_are_those_of_draws():
    found = given.as_drawn(SPACE, {"fast": False, "kind": "adam", "layers": 3.0, "rate": 1})
    assert list(found.items()) == [("rate", 1.0), ("layers", 3), ("kind", "adam"), ("fast", False)]
    assert [type(value) for value in found.values()] == [float, int, str, bool]
    with pytest.raises(ValueError, match="layers 9"):
        given.as_drawn(SPACE, GOOD | {"layers": 9})


def test_every_draw_lies_in_the_space():
    for slot in range(50):
        drawn = draw(SPACE, 0, 1, slot)
        assert given.problems(SPACE, drawn) == []
        assert given.as_drawn(SPACE, drawn) == drawn

"""Drawing configurations: from seed, bracket and slot alone, within ranges, conditions and constraints."""

import itertools
import math
import statistics

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.space.draw import check_room, draw, trial_id
from swift_hyperband.space.parameters import Categorical, Float, Int, Space

TRIALS = ["c0e364e71ae5", "44cddff095c7", "0e950ce878b3"]

CONFIGURATIONS = [
    {
        "learning_rate": 0.3843304368015909,
        "dropout": 0.301458145132492,
        "layers": 4,
        "filters": 14,
        "optimizer": "adamw",
        "beta": 0.8105457171972339,
    },
    {
        "learning_rate": 0.002107353673572336,
        "dropout": 0.1554366002381082,
        "layers": 3,
        "filters": 25,
        "optimizer": "adam",
        "beta": 0.8570284649628601,
    },
    {
        "learning_rate": 0.27344526584131484,
        "dropout": 0.3516382514195476,
        "layers": 2,
        "filters": 36,
        "optimizer": "sgd",
        "momentum": 0.18791405478563894,
    },
]


def draws(space: Space, number: int = 300) -> list[dict]:
    return [draw(space, seed=5, bracket=2, slot=slot) for slot in range(number)]


def test_configurations_are_those_of_earlier_versions(large):
    assert [trial_id(1, 3, slot) for slot in range(3)] == TRIALS
    for slot, expected in enumerate(CONFIGURATIONS):
        found = draw(large, seed=1, bracket=3, slot=slot)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert type(found[name]) is type(value)
            # the last bits of logarithms differ between C libraries
            assert found[name] == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value)


def test_configurations_depend_on_seed_bracket_and_slot(large):
    found = [
        draw(large, seed, bracket, slot)["learning_rate"]
        for seed, bracket, slot in itertools.product(range(3), repeat=3)
    ]
    assert len(set(found)) == 27
    assert draw(large, 1, 2, 3) == draw(large, 1, 2, 3)


def test_the_order_of_keys_does_not_change_what_is_drawn(large):
    turned = Space(dict(reversed(large.hyperparameters.items())), large.constraints)
    for one, other in zip(draws(large, 50), draws(turned, 50), strict=True):
        assert one == other
        assert list(other) == list(reversed(one))


def test_another_hyperparameter_does_not_change_what_is_drawn_for_the_others(large):
    few = {name: large.hyperparameters[name] for name in ("dropout", "optimizer", "learning_rate")}
    more = {**few, "warmup": Int(0, 10), "momentum": large.hyperparameters["momentum"]}
    for one, other in zip(draws(Space(few), 50), draws(Space(more), 50), strict=True):
        assert one.items() <= other.items()


def test_values_lie_in_their_ranges_and_fill_them(large):
    found = draws(large)
    assert {configuration["layers"] for configuration in found} == {1, 2, 3, 4, 5}
    assert {configuration["optimizer"] for configuration in found} == {"sgd", "adam", "adamw"}
    assert all(8 <= configuration["filters"] <= 128 for configuration in found)
    rates = [configuration["learning_rate"] for configuration in found]
    assert 1e-3 <= min(rates) < 1.1e-3
    assert 0.9 < max(rates) <= 1.0
    # evenly in the logarithm: half of them below the geometric mean of the range
    assert math.log10(statistics.median(rates)) == pytest.approx(-1.5, abs=0.25)


def test_a_hyperparameter_is_left_out_where_its_condition_does_not_hold(large):
    for configuration in draws(large):
        assert ("momentum" in configuration) == (configuration["optimizer"] == "sgd")
        assert ("beta" in configuration) == (configuration["optimizer"] != "sgd")


def test_conditions_may_build_on_one_another_in_any_order_of_keys():
    space = Space(
        {
            "decay": Float(0.0, 1.0, when={"schedule": ("step",)}),
            "schedule": Categorical(("step", "cosine"), when={"optimizer": ("sgd",)}),
            "optimizer": Categorical(("sgd", "adam")),
        }
    )
    kinds = {tuple(configuration) for configuration in draws(space)}
    assert kinds == {("decay", "schedule", "optimizer"), ("schedule", "optimizer"), ("optimizer",)}


def test_all_configurations_keep_the_constraints(large):
    found = draws(large)
    assert all(configuration["layers"] * configuration["filters"] <= 200 for configuration in found)
    free = draws(Space(large.hyperparameters))
    assert any(configuration["layers"] * configuration["filters"] > 200 for configuration in free)


def test_a_large_search_is_refused_if_few_draws_keep_the_constraints_and_taken_if_many_do():
    space = Space({"a": Int(0, 99)}, ("a < 10",))
    check_room(space, 0, {0: 10**6})
    with pytest.raises(UserError, match=r"found \d+ in 50000 draws, fewer than 3%, most of which broke 'a < 1'"):
        check_room(Space({"a": Int(0, 99)}, ("a < 1",)), 0, {0: 10**6})


def test_a_thousand_constraints_that_leave_nothing_are_told_soon():
    space = Space(
        {f"a{number}": Int(0, 9) for number in range(1000)}, tuple(f"a{number} < 9" for number in range(1000))
    )
    with pytest.raises(UserError, match=r"must leave room in the space, found none in 50 draws"):
        check_room(space, 0, {0: 27})


def test_a_constraint_that_leaves_nothing_is_told():
    with pytest.raises(UserError, match=r"must leave room in the space, found none .* 'layers > 9'"):
        draw(Space({"layers": Int(1, 5)}, ("layers > 9",)), 0, 0, 0)

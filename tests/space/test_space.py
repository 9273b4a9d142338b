import itertools
import math
import re
import statistics

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.space.checks import problems
from swift_hyperband.space.constraints import holds
from swift_hyperband.space.draw import check_room, draw, trial_id
from swift_hyperband.space.parameters import Categorical, Float, Int, Space

LARGE = Space(
    {
        "learning_rate": Float(1e-3, 1.0, log=True),
        "dropout": Float(0.0, 0.8),
        "layers": Int(1, 5),
        "filters": Int(8, 128, log=True),
        "optimizer": Categorical(("sgd", "adam", "adamw")),
        "momentum": Float(0.0, 0.99, when={"optimizer": ("sgd",)}),
        "beta": Float(0.8, 0.999, when={"optimizer": ("adam", "adamw")}),
    },
    constraints=("layers * filters <= 200",),
)


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


def test_configurations_are_those_of_earlier_versions():
    assert [trial_id(1, 3, slot) for slot in range(3)] == TRIALS
    for slot, expected in enumerate(CONFIGURATIONS):
        found = draw(LARGE, seed=1, bracket=3, slot=slot)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert type(found[name]) is type(value)
            # the last bits of logarithms differ between C libraries
            assert found[name] == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value)


def test_configurations_depend_on_seed_bracket_and_slot():
    found = [
        draw(LARGE, seed, bracket, slot)["learning_rate"]
        for seed, bracket, slot in itertools.product(range(3), repeat=3)
    ]
    assert len(set(found)) == 27
    assert draw(LARGE, 1, 2, 3) == draw(LARGE, 1, 2, 3)


def test_the_order_of_keys_does_not_change_what_is_drawn():
    turned = Space(dict(reversed(LARGE.hyperparameters.items())), LARGE.constraints)
    for one, other in zip(draws(LARGE, 50), draws(turned, 50), strict=True):
        assert one == other
        assert list(other) == list(reversed(one))


def test_another_hyperparameter_does_not_change_what_is_drawn_for_the_others():
    few = {name: LARGE.hyperparameters[name] for name in ("dropout", "optimizer", "learning_rate")}
    more = {**few, "warmup": Int(0, 10), "momentum": LARGE.hyperparameters["momentum"]}
    for one, other in zip(draws(Space(few), 50), draws(Space(more), 50), strict=True):
        assert one.items() <= other.items()


def test_values_lie_in_their_ranges_and_fill_them():
    found = draws(LARGE)
    assert {configuration["layers"] for configuration in found} == {1, 2, 3, 4, 5}
    assert {configuration["optimizer"] for configuration in found} == {"sgd", "adam", "adamw"}
    assert all(8 <= configuration["filters"] <= 128 for configuration in found)
    rates = [configuration["learning_rate"] for configuration in found]
    assert 1e-3 <= min(rates) < 1.1e-3
    assert 0.9 < max(rates) <= 1.0
    # evenly in the logarithm: half of them below the geometric mean of the range
    assert math.log10(statistics.median(rates)) == pytest.approx(-1.5, abs=0.25)


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


def test_a_hyperparameter_is_left_out_where_its_condition_does_not_hold():
    for configuration in draws(LARGE):
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


def test_all_configurations_keep_the_constraints():
    found = draws(LARGE)
    assert all(configuration["layers"] * configuration["filters"] <= 200 for configuration in found)
    free = draws(Space(LARGE.hyperparameters))
    assert any(configuration["layers"] * configuration["filters"] > 200 for configuration in free)


VALUES = {"a": 3, "b": 4, "name": "sgd", "flag": True, "lambda": 0.5, "class": "lambda", "is": 2}


def test_only_what_constraints_need_is_drawn_to_see_whether_they_leave_room():
    free = {f"free{number}": Float(0, 1) for number in range(1000)}
    needed = Space({**LARGE.hyperparameters, **free}, ("momentum < 0.5", "layers < 3")).constrained()
    assert list(needed.hyperparameters) == ["layers", "optimizer", "momentum"]


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


def test_a_long_chain_of_conditions_is_followed_and_a_long_circle_told():
    chain = {f"a{number}": Int(0, 9, when={f"a{number - 1}": (1,)} if number else None) for number in range(900)}
    assert list(Space(chain).order)[:2] == ["a0", "a1"]
    circle = {**chain, "a0": Int(0, 9, when={"a899": (1,)})}
    assert problems(Space(circle)) == [
        ("space.a0.when", "must not lead back to a0, found a0 -> a899 -> a898 -> a897 -> a896 -> ... -> a0")
    ]


def test_a_constraint_that_leaves_nothing_is_told():
    with pytest.raises(UserError, match=r"must leave room in the space, found none .* 'layers > 9'"):
        draw(Space({"layers": Int(1, 5)}, ("layers > 9",)), 0, 0, 0)


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("a * b <= 12", True),
        ("a * b < 12", False),
        ("(a + 1) // 2 == 2 and b != a", True),
        ("a - b > 0 or b % 2 == 1", False),
        ("not a == 3", False),
        ("1 < a < b", True),
        ("1 < b < a", False),
        ("a ** -1 < 0.34", True),
        ("-a < +b", True),
        ("a / b == 0.75", True),
        ("name == 'sgd'", True),
        ('name != "sgd" or a > 3', False),
        ("flag == True", True),
        ("flag == true and a != false", True),
        ("flag == false or name == 'true'", False),
        ("a == 1 or b == 4 and a == 1", False),
        ("a == 3 or b == 5 and a == 1", True),
        ("not a == 3 or b == 4", True),
        ("3 <= a < b <= 4 != a", True),
        ("a < b == 4 > a", True),
        ("a <\n  b", True),
        ("lambda < 1 and class == 'lambda' and is != lambda", True),
        ("name != 'lambda' and lambda * 2 == 1.0", True),
        ("inactive * 5 < 1", True),
        # without a value, a constraint is not kept
        ("b / (a - 3) < 1", False),
        ("(0 - a) ** 0.5 < 100", False),
        ("a ** a ** a ** a ** a > 0", False),
    ],
)
def test_constraints_are_reckoned_as_written(constraint, expected):
    assert holds(constraint, VALUES) is expected


def test_a_constraint_that_mixes_text_and_numbers_is_told():
    with pytest.raises(UserError, match="must not mix text and numbers, found a = 3, name = 'sgd' in 'name \\* a > 1'"):
        holds("name * a > 1", {"a": 3, "name": "sgd"})
    with pytest.raises(UserError, match="must not mix"):
        holds("name < a", {"a": 3, "name": "sgd"})


@pytest.mark.parametrize(
    "constraint",
    [
        "__import__('os').system('true') == 0",
        "a.real > 1",
        "[a][0] > 1",
        "(lambda: a)() > 1",
        "a if a else 1",
        "a in b",
        "a is b",
        "a == None",
        "a == null",
        "true",
        "True == true",
        "not " * 100 + "a > 1",
        "a << 3 > 1",
        "a @ b > 1",
        "f'{a}' == '3'",
        "a > 1j",
        "a = 3",
        "a >",
        "a > 1; b > 1",
        "a + b",
        "-a",
        "1 < 2",
        "c < 2",
        "",
        "(" * 200 + "a",
        "a" + " + a" * 100 + " > 1",
    ],
)
def test_what_is_no_constraint_is_refused(constraint):
    found = problems(Space({"a": Int(1, 5), "b": Int(1, 5)}, (constraint,)))
    assert [key for key, _ in found] == ["constraints[0]"]
    assert "\n" not in found[0][1]


@pytest.mark.parametrize(
    ("hyperparameters", "expected"),
    [
        ({"a": Float(0, 1, when={"optimzer": ("sgd",)})}, "space.a.when.optimzer names no .* did you mean optimizer"),
        ({"a": Float(0, 1, when={"a": (1,)})}, "space.a.when.a must name another"),
        ({"a": Float(0, 1, when={"optimizer": ("sdg",)})}, "must be sgd or adam, found 'sdg'; did you mean sgd"),
        ({"a": Float(0, 1, when={"optimizer": ()})}, "at least one value"),
        ({"a": Float(0, 1), "b": Float(0, 1, when={"a": (0.5,)})}, "found the float a"),
        ({"a": Int(1, 3), "b": Float(0, 1, when={"a": (4,)})}, "whole number from 1 to 3, found 4"),
        ({"a": Int(1, 3), "b": Float(0, 1, when={"a": (1.5,)})}, "whole number from 1 to 3, found 1.5"),
        (
            {"a": Int(1, 3, when={"b": (1,)}), "b": Int(1, 3, when={"c": (1,)}), "c": Int(1, 3, when={"b": (2,)})},
            "space.b.when must not lead back to b, found b -> c -> b",
        ),
    ],
)
def test_a_condition_that_cannot_hold_is_told(hyperparameters, expected):
    space = Space({"optimizer": Categorical(("sgd", "adam")), **hyperparameters})
    (problem,) = problems(space)
    assert re.search(expected, " ".join(problem))


def test_a_sound_space_has_no_problems():
    assert problems(LARGE) == []

"""Conditions and constraints that cannot hold are named by key."""

import re

import pytest

from swift_hyperband.space.checks import problems
from swift_hyperband.space.parameters import Categorical, Float, Int, Space


def test_a_long_chain_of_conditions_is_followed_and_a_long_circle_told():
    chain = {f"a{number}": Int(0, 9, when={f"a{number - 1}": (1,)} if number else None) for number in range(900)}
    assert list(Space(chain).order)[:2] == ["a0", "a1"]
    circle = {**chain, "a0": Int(0, 9, when={"a899": (1,)})}
    assert problems(Space(circle)) == [
        ("space.a0.when", "must not lead back to a0, found a0 -> a899 -> a898 -> a897 -> a896 -> ... -> a0")
    ]


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


def test_a_sound_space_has_no_problems(large):
    assert problems(large) == []

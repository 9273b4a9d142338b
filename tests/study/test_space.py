"""Ranges and choices that cannot be drawn from, or told apart in a table."""

import pytest

from swift_hyperband.space.parameters import Int


def categorical(*choices):
    return {"type": "categorical", "choices": list(choices)}


def ranged(low, high, kind="float", **more):
    return {"space__x": {"type": kind, "low": low, "high": high, **more}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"space__dropout__low": 0.9}, "space.dropout.low must be below high (0.8), found 0.9"),
        ({"space__weight_decay__low": 0}, "space.weight_decay.low must be above 0 where log is true, found 0"),
        (
            {"space__momentum": {"type": "float", "low": 0, "high": 1, "when": {"optimiser": "sgd"}}},
            "space.momentum.when.optimiser names no hyperparameter of the space",
        ),
        ({"space__dropout__low": False}, "space.dropout.low must be a number, found false"),
        ({"space__dropout__low": "zero"}, "space.dropout.low must be a number, found 'zero'"),
        ({"space__dropout__high": float("inf")}, "space.dropout.high must be a finite number, found inf"),
        ({"space__dropout__log": 1}, "space.dropout.log must be true or false, found 1"),
        (
            {"space__dropout__type": "flaot"},
            "space.dropout.type must be float, int or categorical, found 'flaot'; did you mean float?",
        ),
        ({"space__dropout__type": None}, "space.dropout.type must be float, int or categorical, found nothing"),
        ({"space__o": categorical()}, "space.o.choices must hold at least one entry, found none"),
        ({"space__o": categorical("a", "a")}, "space.o.choices must hold different values, found 'a' and 'a'"),
        (
            {"space__o": categorical("a", ["b"])},
            "space.o.choices[1] must be text, a number or true/false, found ['b']",
        ),
        (
            {"space__o": categorical("sgd", "adam"), "space__dropout__when": {"o": "sdg"}},
            "space.dropout.when.o must be sgd or adam, found 'sdg'; did you mean sgd?",
        ),
    ],
)
def test_what_cannot_be_drawn_or_told_apart_is_one_line_with_its_key(message, changes, expected):
    assert message(**changes) == f"study.yaml: {expected}"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (ranged(-1e308, 1e308), "space.x.low must be less than 1.8e+308 below high (1e+308), or nothing can be drawn "),
        (ranged(5e-324, 1.0, log=True), "space.x.low must be 0 or at least 2.2e-308 in size, as smaller numbers are "),
        (ranged(-1.0, -1e-310), "space.x.high must be 0 or at least 2.2e-308 in size"),
        (
            ranged(1.0, 1.0000000000000002),
            "space.x.low must lie further below high (1.0000000000000002), as a computer ",
        ),
        (ranged(1e16, 1e16 + 100), "space.x.low must lie further below high (1.00000000000001e+16)"),
        (ranged(1e300, 1.00000000001e300, log=True), "space.x.low must lie further below high (1.00000000001e+300)"),
        (
            ranged(0, 2**53, "int"),
            "space.x.low must be less than 9007199254740992 (2^53) below high (9007199254740992)",
        ),
        (ranged(1, 2**50, "int", log=True), "space.x.high must be at most 140737488355328 where log is true"),
        (
            {"space__x": categorical(0.5, 2**53 + 1)},
            "space.x.choices must hold whole numbers of at most 9007199254740992",
        ),
        ({"space__x": categorical(1, True)}, "space.x.choices must hold different values, found 1 and true"),
        ({"space__x": categorical(1, 1.0)}, "space.x.choices must hold different values, found 1 and 1.0"),
        (
            {"space__x": categorical(1, "1")},
            "space.x.choices must hold values that differ as text, too, as they are one ",
        ),
        ({"space__x": categorical(1, None)}, "space.x.choices[1] must be text, a number or true/false, found nothing"),
    ],
)
def test_what_cannot_be_drawn_or_told_apart_is_one_line_with_its_key_however_odd(message, changes, expected):
    found = message(**changes)
    assert found.startswith(f"study.yaml: {expected}")
    assert found.isprintable()


def test_conditions_may_be_written_as_a_value_or_a_list(study):
    extra = {"rate": categorical(1e-3, 0.1), "kind": categorical("a", True, 3)}
    for given, expected in [
        ({"rate": 1e-3}, {"rate": (0.001,)}),
        ({"kind": ["a", True], "rate": 0.1}, {"kind": ("a", True), "rate": (0.1,)}),
    ]:
        width = {"type": "int", "low": 1, "high": 9, "when": given}
        found = study(space={**extra, "width": width}).search_space().hyperparameters["width"]
        assert found == Int(1, 9, when=expected)


def test_the_widest_and_the_narrowest_ranges_are_drawn_from_evenly(study):
    found = study(
        space={
            "wide": {"type": "float", "low": -8e307, "high": 8e307},
            "log": {"type": "float", "low": 1e-300, "high": 1e300, "log": True},
            "narrow": {"type": "float", "low": 1.0, "high": 1.000000000001},
            "int": {"type": "int", "low": -(2**52), "high": 2**52 - 1},
            "large": {"type": "int", "low": 2**63 - 4, "high": 2**63 - 1},
        }
    )
    space = found.search_space()
    drawn = [configuration for _, configuration in found.trials(3).values()]
    for name, values in {name: [row[name] for row in drawn] for name in space.hyperparameters}.items():
        low, high = space.hyperparameters[name].low, space.hyperparameters[name].high
        assert low <= min(values) < max(values) <= high
        assert len(set(values)) == (4 if name == "large" else len(values))
    assert 0 < sum(row["wide"] < 0 for row in drawn) < len(drawn)
    assert 0 < sum(row["log"] < 1 for row in drawn) < len(drawn)
    assert len({row["int"] % 2 for row in drawn}) == 2


def test_thousands_of_choices_are_compared_at_once_and_shown_in_part(study, message):
    many = [f"c{number}" for number in range(20_000)]
    kinds = {"kind": categorical(*many), "x": {"type": "int", "low": 1, "high": 9, "when": {"kind": many[:-1]}}}
    assert len(study(space=kinds).space["kind"].choices) == 20_000
    kinds["x"]["when"] = {"kind": "c1x"}
    assert "c19 or another of 20000, found 'c1x'; did you mean c1?" in message(space=kinds)

"""Values that no key may hold, and the names of studies."""

import pytest


def categorical(*choices):
    return {"type": "categorical", "choices": list(choices)}


def ranged(low, high, kind="float", **more):
    return {"space__x": {"type": kind, "low": low, "high": high, **more}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": 12}, "name must be text, found 12; put it in quotes"),
        (
            {"name": "My study"},
            "name must be small letters, digits, _ and -, as it names the folder of the results, found 'My study'",
        ),
        (
            {"batch_size": "atuo"},
            "batch_size must be auto, a whole number of at least 1 or a time such as 30min, found 'atuo'",
        ),
        ({"batch_size": 0}, "batch_size must be auto, a whole number of at least 1 or a time such as 30min, found 0"),
    ],
)
def test_what_no_file_or_folder_can_hold_is_one_line_with_its_key(message, changes, expected):
    assert message(**changes) == f"study.yaml: {expected}"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (ranged(0, 10**20, "int"), "space.x.high must be a whole number of at most 64 bits, or a real one such as "),
        (ranged(0, 10**20), "space.x.high must be a whole number of at most 64 bits, or a real one such as 1.0e+20"),
        (ranged(0, 10**400, "int"), "space.x.high must be a whole number of at most 64 bits, or a real one such as "),
        ({"space__x": categorical(1, -(2**63) - 1)}, "space.x.choices[1] must be a whole number of at most 64 bits"),
        ({"space__dropout__when": {"x": 2**64}}, "space.dropout.when.x must be a whole number of at most 64 bits"),
        ({"search__seed": 2**63}, "search.seed must be a whole number of at most 64 bits"),
        ({"search__trials": 2**63}, "search.trials must be a whole number of at most 64 bits"),
        ({"target__options": {"a": [{"b": 2**64}]}}, "target.options.a[0].b must be a whole number of at most 64 bits"),
        ({"space__x": categorical("a\0", "b")}, "space.x.choices[0] must be text without the character 0"),
        (
            {"space__x": categorical("\ud800", "b")},
            "space.x.choices[0] must be text without the character 0 and without ",
        ),
        (
            {"name": "a\nb"},
            "name must be small letters, digits, _ and -, as it names the folder of the results, found 'a\\nb'",
        ),
        ({"batch_size": "9" * 400 + "min"}, "batch_size must be at most 525600min, found '999"),
        (
            {"batch_size": [1]},
            "batch_size must be auto, a whole number of at least 1 or a time such as 30min, found [1]",
        ),
    ],
)
def test_what_no_file_or_folder_can_hold_is_one_line_with_its_key_however_odd(message, changes, expected):
    found = message(**changes)
    assert found.startswith(f"study.yaml: {expected}")
    assert found.isprintable()


def test_names_that_look_like_numbers_stay_names(study):
    assert study(name="1e3").name == "1e3"

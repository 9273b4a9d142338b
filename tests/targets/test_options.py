"""Options of a built-in target are checked: a mistake is one line that names the key."""

import re

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.targets.options import Options, check_names


def read(given):
    options = Options("digits-cnn", given)
    found = options.whole("size", 8, high=16), options.number("share", 0.5, 0.0, 1.0), options.flag("fast", False)
    found += (options.choice("kind", ["small", "large"]),)
    options.end()
    return found


def test_options_that_are_left_out_have_their_defaults():
    assert read({}) == (8, 0.5, False, "small")
    assert read({"size": 16, "share": 1, "fast": True, "kind": "large", "data": "elsewhere"}) == (
        16,
        1.0,
        True,
        "large",
    )


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"size": 0}, "target.options.size must be a whole number from 1 to 16, found 0"),
        ({"size": 17}, "target.options.size must be a whole number from 1 to 16, found 17"),
        ({"size": True}, "target.options.size must be a whole number from 1 to 16, found true"),
        ({"share": "half"}, "target.options.share must be a number from 0.0 to 1.0, found "),
        ({"share": float("nan")}, "target.options.share must be a number from 0.0 to 1.0, found "),
        ({"fast": 1}, "target.options.fast must be true or false, found 1"),
        ({"kind": "middle"}, "target.options.kind must be small or large, found "),
        ({"sise": 3}, "target.options: digits-cnn must not be given sise; it knows data, size, share, fast, kind"),
    ],
)
def test_a_mistake_is_told_with_its_key(given, line):
    with pytest.raises(UserError, match=f"^{re.escape(line)}"):
        read(given)


def test_a_hyperparameter_that_a_target_does_not_know_is_refused_with_those_it_knows():
    check_names("digits-cnn", {"lr": 0.1}, ["lr", "width"])
    with pytest.raises(UserError, match="space: hyperparameters of digits-cnn must be among lr, width, found witdh"):
        check_names("digits-cnn", {"witdh": 3}, ["lr", "width"])

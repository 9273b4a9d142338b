"""A file's tree: words of programs, keys given twice, and files that are too large."""

from pathlib import Path

import pytest

from swift_hyperband.space.parameters import Float
from swift_hyperband.study.model import load
from swift_hyperband.study.reader import read
from swift_hyperband.study.yaml_tree import DEEPEST

DEFAULT = Path(__file__).parents[2] / "config" / "config.yaml"


def test_the_words_of_a_command_stay_as_they_are_written(written):
    text = """\
target:
  command: [python, -c, 1e-4, "1e-4", 0.10, 007, 0x1F, 1_000, yes, True, 12:30, 2026-01-31, -]
  first_command: 5
  options: {rate: 1e-4, rates: &rates [1e-4, 0.10]}
other: {command: [0.10]}
"""
    found = read(written(text.replace(", -]", ", '-']")))
    words = ["python", "-c", "1e-4", "1e-4", "0.10", "007", "0x1F", "1_000", "yes", "True", "12:30", "2026-01-31", "-"]
    assert found["target"] == {
        "command": words,
        "first_command": "5",
        "options": {"rate": 1e-4, "rates": [1e-4, 0.1]},
    }
    assert found["other"] == {"command": [0.1]}


def test_words_that_are_aliases_or_merged_are_text_there_and_numbers_elsewhere(written):
    text = """\
common: &common
  command: [run, &rate 0.10]
  rate: *rate
target: {<<: [*common], first_command: [run, *rate]}
"""
    found = read(written(text))
    assert found["target"] == {"command": ["run", "0.10"], "rate": 0.1, "first_command": ["run", "0.10"]}
    assert found["common"] == {"command": ["run", 0.1], "rate": 0.1}


def test_keys_merged_from_an_anchor_may_be_given_anew(written):
    text = DEFAULT.read_text().replace("dropout: {", "dropout: &range {")
    path = written(text.replace("# a whole number:", "noise: {<<: *range, high: 0.5}\n  #"))
    assert load(path).search_space().hyperparameters["noise"] == Float(0.0, 0.5)


def test_several_keys_given_twice_have_a_line_each(refused):
    found = refused("a: 1\nb: {c: 1, c: 2}\na: 2\n")
    assert found.split("\n") == [
        "a must be given once, found in lines 1 and 3; delete one",
        "b.c must be given once, found in lines 2 and 2; delete one",
    ]


def test_aliases_of_aliases_are_told_with_their_key_before_they_are_unfolded(refused):
    levels = [f"  l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 40)]
    found = refused("target:\n  l0: &l0 [1]\n" + "".join(levels))
    assert found.startswith("target.l5 must hold at most 50000 values, found more; each alias (*name) counts")
    long = refused(f"l0: &l0 '{'x' * 500_000}'\nl1: [{', '.join(['*l0'] * 1000)}]\n")
    assert long.startswith("l1 must hold at most 50000 values, found more; each alias (*name) counts")
    merged = [f"l{n}: &l{n} {{<<: [{', '.join([f'*l{n - 1}'] * 9)}]}}\n" for n in range(1, 40)]
    assert refused("l0: &l0 {a: 1}\n" + "".join(merged)).startswith("l5.<< must hold at most 50000")


@pytest.mark.parametrize(
    "text", ["a: {b: " + "[" * 100_000, "a: {b: " + "{x: " * 100_000, "a:\n  b:\n  " + "- " * 100_000]
)
def test_deep_nesting_is_told_with_its_key(refused, text):
    assert refused(text) == f"a.b must have at most {DEEPEST} lists and mappings within each other, found more"


@pytest.mark.parametrize(
    "text", ["a: [" + "b, " * 330_000, "a: {" + "b, " * 330_000, "a: [" + "{b: 1}, " * 120_000 + "]"]
)
def test_very_many_values_are_told_with_their_key_before_all_are_read(refused, text):
    assert refused(text).startswith("a")
    assert "must hold at most 50000 values, found more" in refused(text)


def test_deep_nesting_by_aliases_is_told_with_its_key(refused):
    found = refused("l0: &l0 [1]\n" + "".join(f"l{n}: &l{n} [*l{n - 1}]\n" for n in range(1, 500)))
    assert f"must have at most {DEEPEST} lists and mappings within each other" in found

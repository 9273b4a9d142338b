"""Plain words of a study file: what is text, and what is a number."""

from pathlib import Path

import pytest
import yaml

from swift_hyperband.space.parameters import Categorical, Float
from swift_hyperband.study.model import load
from swift_hyperband.study.reader import parse_yaml
from swift_hyperband.study.yaml_loader import to_yaml

DEFAULT = Path(__file__).parents[2] / "config" / "config.yaml"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 0.0001),
        ('"1e-4"', "1e-4"),
        ("'0.1'", "0.1"),
        ("1E5", 1e5),
        ("-.5e+1", -5.0),
        ("1.", 1.0),
        ("1_000", 1000),
        ("0x1F", 31),
        ("12:30", "12:30"),
        ("2026-01-31", "2026-01-31"),
        ("1e", "1e"),
        ("e5", "e5"),
        ("on", True),
        ('"on"', "on"),
        ("No", False),
        ("null", None),
        ('"null"', "null"),
        ("=", "="),
        ("<<", "<<"),
        ('"\\ud83d\\ude00"', "😀"),
        ("[1e-4, '1e-4', adam]", [0.0001, "1e-4", "adam"]),
        ("{1e-4: {yes: '1'}}", {0.0001: {True: "1"}}),
    ],
)
def test_what_is_quoted_is_text_and_what_is_not_is_what_it_looks_like(text, value):
    found = parse_yaml(text)
    assert (found, type(found)) == (value, type(value))


def test_what_is_written_is_read_as_it_was_here_and_by_readers_of_yaml_1_1():
    content = {"a": "1e-4", "b": 1e-05, "c": "12:30", "d": "1.0", "e": "on", "f": 1e22, "g": True, "h": "010", "i": "ø"}
    assert parse_yaml(to_yaml(content)) == content
    assert yaml.safe_load(to_yaml(content)) == content
    assert "a: '1e-4'\n" in to_yaml(content), "a reader of YAML 1.2 would take it for a number"
    assert "i: ø\n" in to_yaml(content), "for people, as paths are"


@pytest.mark.parametrize("text", ["1" * 900_000 + "x", "1_" * 400_000 + "x", "." + "1" * 900_000 + "x", "-" * 900_000])
def test_a_long_word_that_is_nearly_a_number_is_text_at_once(text):
    assert parse_yaml(f"[{text}]") == [text]


@pytest.mark.parametrize("written", ["1e-3", "1E-3", "1.e-3", "0.001", "+.1e-2"])
def test_numbers_may_be_written_with_an_exponent(tmp_path, written):
    path = tmp_path / "study.yaml"
    text = DEFAULT.read_text()
    text = text.replace("low: 1.0e-3", f"low: {written}").replace("options: {}", f"options: {{rate: [{written}]}}")
    path.write_text(text.replace("dropout:", f"batch: {{type: categorical, choices: [{written}, 1e5]}}\n  dropout:"))
    found = load(path)
    assert found.search_space().hyperparameters["learning_rate"] == Float(1e-3, 1.0, log=True)
    assert found.search_space().hyperparameters["batch"] == Categorical((0.001, 1e5))
    assert found.target.options == {"rate": [0.001]}

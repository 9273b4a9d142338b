"""What a study file's text means, and that whatever is wrong with it is one line that says where."""

from pathlib import Path

import pytest
import yaml

from swift_hyperband.base.errors import UserError
from swift_hyperband.space.parameters import Float
from swift_hyperband.study.model import load
from swift_hyperband.study.reader import LONGEST, parse_yaml, read
from swift_hyperband.study.yaml_loader import to_yaml
from swift_hyperband.study.yaml_tree import DEEPEST

DEFAULT = Path(__file__).parents[2] / "config" / "config.yaml"


def written(tmp_path, text):
    path = tmp_path / "study.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def message(tmp_path, text) -> str:
    path = written(tmp_path, text)
    with pytest.raises(UserError) as error:
        read(path)
    found = str(error.value)
    assert all(line.startswith(f"{path}: ") for line in found.split("\n"))
    return found.replace(f"{path}: ", "")


# what is text and what is a number


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


def test_the_words_of_a_command_stay_as_they_are_written(tmp_path):
    text = """\
target:
  command: [python, -c, 1e-4, "1e-4", 0.10, 007, 0x1F, 1_000, yes, True, 12:30, 2026-01-31, -]
  first_command: 5
  options: {rate: 1e-4, rates: &rates [1e-4, 0.10]}
other: {command: [0.10]}
"""
    found = read(written(tmp_path, text.replace(", -]", ", '-']")))
    words = ["python", "-c", "1e-4", "1e-4", "0.10", "007", "0x1F", "1_000", "yes", "True", "12:30", "2026-01-31", "-"]
    assert found["target"] == {
        "command": words,
        "first_command": "5",
        "options": {"rate": 1e-4, "rates": [1e-4, 0.1]},
    }
    assert found["other"] == {"command": [0.1]}


def test_words_that_are_aliases_or_merged_are_text_there_and_numbers_elsewhere(tmp_path):
    text = """\
common: &common
  command: [run, &rate 0.10]
  rate: *rate
target: {<<: [*common], first_command: [run, *rate]}
"""
    found = read(written(tmp_path, text))
    assert found["target"] == {"command": ["run", "0.10"], "rate": 0.1, "first_command": ["run", "0.10"]}
    assert found["common"] == {"command": ["run", 0.1], "rate": 0.1}


def test_keys_merged_from_an_anchor_may_be_given_anew(tmp_path):
    text = DEFAULT.read_text().replace("dropout: {", "dropout: &range {")
    path = written(tmp_path, text.replace("# a whole number:", "noise: {<<: *range, high: 0.5}\n  #"))
    assert load(path).search_space().hyperparameters["noise"] == Float(0.0, 0.5)


def test_a_byte_order_mark_and_line_ends_of_windows_do_not_matter(tmp_path):
    text = DEFAULT.read_text()
    plain = load(DEFAULT)
    assert load(written(tmp_path, b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())) == plain


def test_what_is_written_is_read_as_it_was_here_and_by_readers_of_yaml_1_1():
    content = {"a": "1e-4", "b": 1e-05, "c": "12:30", "d": "1.0", "e": "on", "f": 1e22, "g": True, "h": "010", "i": "ø"}
    assert parse_yaml(to_yaml(content)) == content
    assert yaml.safe_load(to_yaml(content)) == content
    assert "a: '1e-4'\n" in to_yaml(content), "a reader of YAML 1.2 would take it for a number"


# what is wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: a\nname: b\n", "name must be given once, found in lines 1 and 2; delete one"),
        (
            "space:\n  a: {low: 1,\n      low: 2}\n",
            "space.a.low must be given once, found in lines 2 and 3; delete one",
        ),
        ("name: a\n\tspace: 1\n", "must be YAML, but line 2, column 1: "),
        ("name: [a\n", "must be YAML, but line 2, column 1: name: while parsing a flow sequence"),
        ("name: a\n---\nname: b\n", "must be YAML, but line 2, column 1: "),
        ("a: 1\nb: [1, 2\nc: 3\n", "must be YAML, but line 3, column 2: b: "),
        (
            'target:\n  metric: "loss\n  mode: min\n',
            "must be YAML, but line 2, column 11: target.metric: a quote opens",
        ),
        (
            "target:\n  metric: 'loss\n  mode: min\n",
            "must be YAML, but line 2, column 11: target.metric: a quote opens",
        ),
        ("a: &x 1\nb: {c: [*y]}\n", "must be YAML, but line 2, column 9: b.c[0]: found undefined alias 'y'"),
        ("a:\n  b: @x\n", "must be YAML, but line 2, column 6: a.b: while scanning for the next token"),
        ("a: {b: !!python/name:os.system ''}\n", "must be YAML, but line 1, column 8: a.b: could not determine"),
        ("a: {b: [!!int x]}\n", "must be YAML, but line 1, column 9: a.b[0]: ValueError"),
        (f"a: !{'x' * 100_000} 1\n", "must be YAML, but line 1, column 4: a: could not determine a constructor for"),
        ("a: !!timestamp x\n", "must be YAML, but line 1, column 4: a: "),
        (
            "a: {b: 010}\n",
            "must be YAML, but line 1, column 8: a.b: a number must not begin with 0, found '010'; leave",
        ),
        (
            f"a: {{b: {'9' * 5000}}}\n",
            "must be YAML, but line 1, column 8: a.b: a whole number must have at most 64 bits",
        ),
        ("a: {? [1]: 2}\n", "must be YAML, but line 1, column 7: "),
        ("name: a\x07b\n", "must be YAML, but line 1: has the character 0x7; delete it"),
        ("a: &x [*x]\n", "a[0] must not be an alias (*name) of what it is part of"),
        ("a: &x {<<: *x}\n", "a.<< must not be an alias (*name) of what it is part of"),
        ("- name\n", "must hold a mapping of keys, found ['name']"),
        ("just text\n", "must hold a mapping of keys, found 'just text'"),
        ("", "must hold a mapping of keys, found nothing"),
        ("# nothing\n---\n", "must hold a mapping of keys, found nothing"),
        (b"\x89PNG\r\n\x1a\n\x00\x01", "must be a readable text file in UTF-8, but line 1 has the byte 0x89"),
        (
            "name: a\nb: caf\xe9\n".encode("latin-1"),
            "must be a readable text file in UTF-8, but line 2 has the byte 0xe9",
        ),
        ("name: a\n".encode("utf-16"), "must be a readable text file in UTF-8, but line 1 has the byte 0xff"),
    ],
)
def test_what_cannot_be_read_is_told_with_line_and_key(tmp_path, text, expected):
    found = message(tmp_path, text)
    assert found.startswith(expected)
    assert "\n" not in found
    assert len(found) < 500


def test_a_quote_that_closes_too_late_is_told_where_it_opens(tmp_path):
    text = 'name: "digits\ntarget:\n  metric: "loss"\n'
    assert "is the quote of line 1 meant to close in line 3?" in message(tmp_path, text)


def test_several_keys_given_twice_have_a_line_each(tmp_path):
    found = message(tmp_path, "a: 1\nb: {c: 1, c: 2}\na: 2\n")
    assert found.split("\n") == [
        "a must be given once, found in lines 1 and 3; delete one",
        "b.c must be given once, found in lines 2 and 2; delete one",
    ]


def test_aliases_of_aliases_are_told_with_their_key_before_they_are_unfolded(tmp_path):
    levels = [f"  l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 40)]
    found = message(tmp_path, "target:\n  l0: &l0 [1]\n" + "".join(levels))
    assert found.startswith("target.l5 must hold at most 50000 values, found more; each alias (*name) counts")
    long = message(tmp_path, f"l0: &l0 '{'x' * 500_000}'\nl1: [{', '.join(['*l0'] * 1000)}]\n")
    assert long.startswith("l1 must hold at most 50000 values, found more; each alias (*name) counts")
    merged = [f"l{n}: &l{n} {{<<: [{', '.join([f'*l{n - 1}'] * 9)}]}}\n" for n in range(1, 40)]
    assert message(tmp_path, "l0: &l0 {a: 1}\n" + "".join(merged)).startswith("l5.<< must hold at most 50000")


@pytest.mark.parametrize(
    "text", ["a: {b: " + "[" * 100_000, "a: {b: " + "{x: " * 100_000, "a:\n  b:\n  " + "- " * 100_000]
)
def test_deep_nesting_is_told_with_its_key(tmp_path, text):
    assert (
        message(tmp_path, text) == f"a.b must have at most {DEEPEST} lists and mappings within each other, found more"
    )


@pytest.mark.parametrize(
    "text", ["a: [" + "b, " * 330_000, "a: {" + "b, " * 330_000, "a: [" + "{b: 1}, " * 120_000 + "]"]
)
def test_very_many_values_are_told_with_their_key_before_all_are_read(tmp_path, text):
    assert message(tmp_path, text).startswith("a")
    assert "must hold at most 50000 values, found more" in message(tmp_path, text)


@pytest.mark.parametrize("text", ["1" * 900_000 + "x", "1_" * 400_000 + "x", "." + "1" * 900_000 + "x", "-" * 900_000])
def test_a_long_word_that_is_nearly_a_number_is_text_at_once(text):
    assert parse_yaml(f"[{text}]") == [text]


def test_deep_nesting_by_aliases_is_told_with_its_key(tmp_path):
    found = message(tmp_path, "l0: &l0 [1]\n" + "".join(f"l{n}: &l{n} [*l{n - 1}]\n" for n in range(1, 500)))
    assert f"must have at most {DEEPEST} lists and mappings within each other" in found


def test_a_file_that_cannot_be_a_study_is_not_read_to_its_end(tmp_path):
    assert message(tmp_path, "a" * (LONGEST + 1)).startswith(f"must be a text file of at most {LONGEST} bytes")
    with pytest.raises(UserError, match=r"^/dev/zero: must be a text file of at most"):
        read(Path("/dev/zero"))


def test_a_missing_or_unreadable_file_is_told(tmp_path):
    with pytest.raises(UserError, match=r"none.yaml: must be a study file, found no such file$"):
        load(tmp_path / "none.yaml")
    with pytest.raises(UserError, match=r"must be a readable text file, found: .*Is a directory"):
        load(tmp_path)

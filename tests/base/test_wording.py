"""A message is one line of bounded length, in the words of the file that it is about."""

import pytest

from swift_hyperband.base.wording import one_line, one_of, path_of, short, shown, suggestion


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        (3.0, "3"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (float("nan"), "nan"),
        (10**40, "a whole number of 133 bits"),
        ("a\nb\x1b", r"'a\nb\x1b'"),
        ("é 损失", "'é 损失'"),
        ("x" * 100, f"'{'x' * 77}...'"),
        ({"a": 1}, "a mapping"),
        ([1, "b", None], "[1, 'b', nothing]"),
        (range(5), "a list of 5"),
    ],
)
def test_a_value_is_shown_in_the_words_of_yaml(value, text):
    assert shown(value) == text


def test_a_text_is_one_line_that_a_terminal_shows_as_it_is():
    assert one_line("plain é") == "plain é"
    assert one_line("a\tb\r\n\u2028\x07") == r"a\tb\r\n\u2028\x07"
    assert short("x" * 80) == "x" * 80
    assert len(short("x" * 81)) == 80


def test_options_are_listed_as_a_sentence_and_the_first_of_many():
    assert one_of(["a"]) == "a"
    assert one_of(["a", 2]) == "a or 2"
    assert one_of("abc") == "a, b or c"
    assert one_of(range(21)) == f"{', '.join(map(str, range(20)))} or another of 21"


def test_a_key_that_is_nearly_right_is_suggested_whatever_its_case():
    assert suggestion("batch_sise", ["workers", "batch_size"]) == "; did you mean batch_size?"
    assert suggestion("ADAM", ["SGD", "Adam"]) == "; did you mean Adam?"
    assert suggestion("nonsense", ["workers", "batch_size"]) == ""


def test_a_key_is_named_by_its_path_in_the_file():
    assert path_of(["search", "brackets", 0]) == "search.brackets[0]"
    assert path_of(["space", " ", "low"]) == "space.' '.low"
    assert path_of(["a\nb"]) == r"a\nb"

"""Errors in keys: one line each, with the file, and as many as can be read."""

from swift_hyperband.base.errors import LONGEST_LINE, MOST_LINES, KeysError


def test_each_problem_is_a_line_with_file_and_key():
    error = KeysError("study.yaml", [("search.eta", "must be at least 2, found 1"), ("", "must be YAML")])
    assert str(error) == "study.yaml: search.eta must be at least 2, found 1\nstudy.yaml: must be YAML"
    assert error.problems[0] == ("search.eta", "must be at least 2, found 1")


def test_without_a_file_lines_begin_with_the_key():
    assert str(KeysError("", [("--workers", "must be at least 1, found 0")])) == "--workers must be at least 1, found 0"


def test_very_many_problems_are_the_first_ones_and_their_number():
    lines = str(KeysError("f", [("a", "is wrong")] * (MOST_LINES + 5))).splitlines()
    assert lines[MOST_LINES:] == ["f: and 5 mistakes more"]


def test_line_ends_and_long_names_break_no_line():
    line = str(KeysError("f", [("a\nb" * 1000, "is wrong")]))
    assert line.isprintable()
    assert len(line) == len("f: ") + LONGEST_LINE

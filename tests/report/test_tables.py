"""Tables of figures: means are told as exactly as they are known."""

import math

import pytest

from swift_hyperband.report.tables import csv_text, markdown, plus_minus


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (442.42213, 0.23881, "442.42 ± 0.24"),
        (2926.4, 40.3, "2926 ± 40"),
        (2926.4, 140.3, "2926 ± 140"),
        (0.81784, 0.00057, "0.81784 ± 0.00057"),
        (3213.0, 0.0, "3213"),
        (-8.0089e26, 1.7244e26, "-8.0e+26 ± 2e+26"),
        (0.5, math.nan, "0.5"),
        (0.8184, None, "0.8184"),
    ],
)
def test_a_mean_has_as_many_digits_as_its_interval_allows(mean, half, text):
    assert plus_minus(mean, half) == text


def test_a_bar_in_a_name_does_not_break_a_table():
    lines = markdown(["search", "epochs"], [["a|b", "12"], ["longer name", "3213"]]).splitlines()
    assert lines[1] == "|-------------|-------:|"
    assert lines[2] == "| a\\|b        |     12 |"
    assert len({len(line) for line in lines}) == 1


def test_what_is_not_known_is_empty_in_csv():
    assert csv_text([{"a": 1, "b": None}]) == "a,b\n1,\n"

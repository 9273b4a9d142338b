"""Tables in text are read whatever separates their cells, as long as quotes fit."""

import csv
import io

import pytest

from swift_hyperband.base.delimited import cells_of, names_of, printable, separator


@pytest.mark.parametrize(
    ("header", "between"),
    [("a,b;c,d", ","), ("a;b,c;d", ";"), ("a\tb\tc", "\t"), ("alone", ","), ('"a;b;c;d",e', ","), ('"open;;;', ",")],
)
def test_what_stands_most_often_outside_of_quotes_separates_cells(header, between):
    assert separator(header) == between


def test_rows_have_the_numbers_of_their_lines_and_blank_lines_are_none():
    text = '\n \na; b\n1;"x\ny"\n\n   \n2;\n'
    assert list(cells_of(io.StringIO(text, newline=""))) == [(3, ["a", "b"]), (5, ["1", "x\ny"]), (8, ["2", ""])]
    assert list(cells_of(io.StringIO("a;b\n"), between=",")) == [(1, ["a;b"])]
    assert list(cells_of(io.StringIO("\n \n"))) == []


@pytest.mark.parametrize("text", ['a,b\n"1,2\n', 'a,b\n"1"2,3\n'])
def test_a_quote_that_does_not_fit_is_an_error(text):
    with pytest.raises(csv.Error):
        list(cells_of(io.StringIO(text, newline="")))


def test_names_lose_their_padding_and_what_a_terminal_cannot_show():
    assert names_of([" epoch", "val loss  "]) == ["epoch", "val loss"]
    assert printable(" a\t b\n\x1b[31m") == "a b \N{REPLACEMENT CHARACTER}[31m"

"""`swift-hyperband data`: which data are fetched."""

import pytest

from swift_hyperband.cli import main
from swift_hyperband.datasets import substitutes


@pytest.fixture
def fetched(monkeypatch):
    """Return the names of what is fetched, which nothing is."""
    found = []

    def write(name, data, tell):
        found.append(name)
        return [data / folder for folder in substitutes.SUBSTITUTES[name].folders]

    monkeypatch.setattr(substitutes, "write", write)
    return found


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["all"], ["fashion-mnist", "brown"]),
        (["all", "ttbar"], ["fashion-mnist", "brown", "ttbar"]),
        (["brown", "all"], ["brown", "fashion-mnist"]),
        (["ttbar"], ["ttbar"]),
    ],
)
def test_all_with_others_is_all_of_them_and_those(fetched, names, expected):
    assert main(["data", *names]) == 0
    assert fetched == expected


def test_a_name_that_is_unknown_is_told_before_anything_is_fetched(fetched, capsys):
    assert main(["data", "all", "tbar"]) == 2
    assert capsys.readouterr().err == "error: data: must be among fashion-mnist, brown, ttbar or all, found 'tbar'\n"
    assert fetched == []

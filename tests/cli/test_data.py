"""`swift-hyperband data`: which data are fetched."""

from pathlib import Path

import pytest

from swift_hyperband.cli import data, main
from swift_hyperband.datasets import substitutes


@pytest.fixture
def fetched(monkeypatch):
    """Return the names of what is fetched, which nothing is."""
    found = []

    def write(name, folder):
        found.append(name)
        return [folder / place for place in substitutes.SUBSTITUTES[name].folders]

    monkeypatch.setattr(data, "write", write)
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


def test_published_curves_are_told_with_where_to_take_them_from(fetched, capsys, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    assert main(["data", "curves"]) == 0
    lines = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert lines["digits"] == "examples/digits-curves.parquet (there)"
    assert "curves/mlpf_delphes/delphes_trainings_processed.csv" in lines["MLPF"]
    if not Path("curves/mlpf_delphes").exists():
        assert lines["MLPF"].endswith("take it from https://github.com/erwulff/performance-pred, folder data/mlpf")
    assert fetched == []

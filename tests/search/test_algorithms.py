"""The table of algorithms: one row says everything that depends on an algorithm's name."""

import ast
from pathlib import Path
from typing import get_args

import pytest

from swift_hyperband.replay.recipes import recipe
from swift_hyperband.replay.searches import PREDICTORS
from swift_hyperband.report.compare import COLOURS
from swift_hyperband.search.adaptive import AdaptiveSearch
from swift_hyperband.search.algorithms import ALGORITHMS, Family, Name
from swift_hyperband.search.asha import AshaSearch
from swift_hyperband.search.fast_hyperband import FastHyperbandSearch
from swift_hyperband.search.scheduled import ScheduledSearch
from swift_hyperband.study.model import parse

SOURCE = Path(__file__).parents[2] / "src/swift_hyperband"
SEARCHES = {
    Family.RANDOM: ScheduledSearch,
    Family.HYPERBAND: ScheduledSearch,
    Family.FAST_HYPERBAND: FastHyperbandSearch,
    Family.ASHA: AshaSearch,
    Family.ADAPTIVE: AdaptiveSearch,
}


def test_the_names_that_files_may_hold_are_those_of_the_table():
    assert get_args(Name) == tuple(ALGORITHMS)
    assert all(ALGORITHMS[row.study].study == row.study for row in ALGORITHMS.values())


def test_every_algorithm_has_a_colour_in_pictures():
    assert COLOURS.keys() == ALGORITHMS.keys()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_starts_the_search_of_its_family(name):
    found = recipe(name, 27, 3)
    trials = {bracket: [f"{i:03}" for i in range(200)] for bracket in found.schedule.brackets}
    assert type(found.start(trials)) is SEARCHES[ALGORITHMS[name].family]
    assert found.label == ALGORITHMS[name].label
    assert found.study.definition["search"]["algorithm"] == ALGORITHMS[name].study


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_study_may_name_every_algorithm(name):
    study = parse(
        {
            "name": "one",
            "target": {"name": "digits-cnn", "metric": "loss", "mode": "min"},
            "space": {"learning_rate": {"type": "float", "low": 0.001, "high": 1.0}},
            "search": {"algorithm": name, "max_epochs": 27},
        },
        "here",
    )
    assert study.supply() == recipe(name, 27, 3).schedule
    if ALGORITHMS[name].synchronous:
        assert study.schedule().decides == ALGORITHMS[name].predicts
    sections = {"fast", "adaptive"} & study.definition().keys()
    assert sections == {"fast-hyperband": {"fast"}, "adaptive-hyperband": {"adaptive"}}.get(name, set())


def test_a_search_without_a_predictor_imports_none(monkeypatch):
    imported = []
    monkeypatch.setattr("swift_hyperband.replay.searches.import_module", imported.append)
    for name in ALGORITHMS:
        recipe(name, 27, 3).prepare()
    assert len(imported) == sum(row.predicts for row in ALGORITHMS.values())
    assert set(imported) == {f"swift_hyperband.predictors.{PREDICTORS['linear']}"}


def test_nobody_else_compares_the_name_of_an_algorithm():
    compared = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        for constant in ast.walk(node)
        if isinstance(constant, ast.Constant) and constant.value in {*ALGORITHMS} - {"random"}
    ]
    assert compared == []

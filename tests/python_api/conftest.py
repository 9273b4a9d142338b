"""Searches over recorded curves, each run once for all tests here; tests may read them, and change copies only."""

import importlib.util
import sys
from pathlib import Path

import pytest

# tests are no package, so what they share is loaded by its path
spec = importlib.util.spec_from_file_location("report_searches", Path(__file__).parents[1] / "report/conftest.py")
shared = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shared)


@pytest.fixture(scope="session")
def searches(tmp_path_factory):
    return shared.Searches(tmp_path_factory.mktemp("searches"))


@pytest.fixture(scope="session")
def finished(searches):
    """The folder of a finished search with decisions, trials that diverged, and a thaw."""
    return searches.run("finished", search__max_epochs=27, swift__thaw=0.3).folder.path


@pytest.fixture(scope="session")
def unfinished(searches):
    return searches.run("unfinished", rounds=2).folder.path


@pytest.fixture(scope="session")
def crashing(searches):
    """The folder of a finished search in which one trial in five crashes in its first epoch."""
    return searches.run_crashing("crashing").folder.path


@pytest.fixture(scope="session")
def all_failed(searches):
    return searches.run_crashing("all-failed", target__options__all=True).folder.path


@pytest.fixture(scope="session")
def without_rounds(searches):
    return searches.run("asha", search__algorithm="asha").folder.path

"""A package that is missing is named with the extra that brings it."""

import re
import tomllib
from pathlib import Path

import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.packages import EXTRAS, cure, require

ROOT = Path(__file__).parents[2]


def test_a_missing_package_is_told_with_the_way_to_install_it():
    with pytest.raises(UserError) as told:
        require("--to optuna", "json", "not_there.storages", "optuna")
    assert str(told.value) == (
        "--to optuna needs packages that are not installed, found no module 'not_there'; "
        "install them with: pip install 'swift-hyperband[optuna]'"
    )


def test_nothing_is_said_where_all_are_installed():
    require("--to optuna", "json", "pathlib")


@pytest.mark.parametrize("module", EXTRAS)
def test_each_extra_brings_its_package(module):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (extra,) = re.fullmatch(r"pip install 'swift-hyperband\[(\w+)\]'", cure(f"{module}.part")).groups()
    names = [re.split(r"[>=<\[]", requirement)[0].replace("-", "_") for requirement in extras[extra]]
    assert [name for name in names if name.startswith(module) or (module == "neal" and name == "dwave_neal")]


def test_the_core_needs_no_library_of_an_extra():
    core = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[>=<\[]", requirement)[0].replace("-", "_") for requirement in core}
    assert not {name for name in names if name.startswith(tuple(EXTRAS))}

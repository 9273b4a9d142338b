"""What is shipped beside the code is found in a clone and in an installed package, and nowhere else by its own way."""

import ast
import tomllib
from pathlib import Path

import pytest

from swift_hyperband.base import shipped
from swift_hyperband.base.errors import UserError

ROOT = Path(__file__).parents[2]
NAMES = [shipped.SNAKEFILE, shipped.DEFAULT_PROFILE, shipped.SCHEMA, shipped.STARTS, shipped.PROFILES]


@pytest.mark.parametrize("name", NAMES)
def test_a_clone_has_it_at_the_top(name):
    assert shipped.shipped(name) == ROOT / name


@pytest.mark.parametrize("name", NAMES)
def test_the_wheel_has_it_in_the_folder_that_is_looked_into(name):
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    (source,) = [source for source in wheel["force-include"] if name == source or name.startswith(f"{source}/")]
    to = Path("src", wheel["force-include"][source], Path(name).relative_to(source))
    assert ROOT / to == shipped.INSTALLED / name


def test_an_installed_package_has_it_inside(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "INSTALLED", tmp_path)
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/Snakefile").touch()
    assert shipped.shipped("workflow/Snakefile") == tmp_path / "workflow/Snakefile"
    with pytest.raises(UserError, match=f"^{tmp_path}/profiles: must be there, as it is a part of swift-hyperband"):
        shipped.shipped("profiles")


def _reaches(path):
    """Whether a module takes a folder above the package from its own path."""
    package = ROOT / "src/swift_hyperband"
    depth = len(path.relative_to(package).parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript) and "__file__" in ast.unparse(node) and "parents" in ast.unparse(node.value):
            yield node.slice.value >= depth


def test_no_other_module_reaches_out_of_the_package():
    modules = (ROOT / "src/swift_hyperband").rglob("*.py")
    assert [path for path in modules if any(_reaches(path)) and path.name != "shipped.py"] == []

"""What is shipped beside the code is found in a clone and in an installed package, and nowhere else by its own way."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from swift_hyperband.base import shipped
from swift_hyperband.base.errors import UserError
from swift_hyperband.cli.plan_rungs import IN_REPLAYS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/swift_hyperband"
NAMES = [
    shipped.SNAKEFILE,
    shipped.DEFAULT_PROFILE,
    shipped.SCHEMA,
    shipped.STARTS,
    shipped.PROFILES,
    shipped.DOCS,
    shipped.KEYS,
]


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


def test_a_message_names_a_page_by_a_path_that_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(shipped.CLONE)
    assert shipped.page("export.md") == "docs/export.md"
    monkeypatch.chdir(tmp_path)
    assert shipped.page("export.md") == f"{shipped.CLONE}/docs/export.md"
    monkeypatch.setattr(shipped, "INSTALLED", tmp_path)
    assert shipped.page("export.md") == f"{tmp_path}/docs/export.md"


def _strings(tree):
    """Yield the texts in a module that are no docstrings."""
    said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in said:
            yield node.value


def test_all_pages_that_messages_name_are_there_also_for_those_who_installed_it():
    trees = [ast.parse(path.read_text()) for path in SOURCE.rglob("*.py")]
    texts = [text for tree in trees for text in _strings(tree)]
    assert [text for text in texts if re.search(r"docs/[\w-]+\.md", text)] == [], "'page' knows the path"
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func) == "page"]
    pages = {ast.literal_eval(name) for name in named if name.endswith(".md'")}
    assert "export.md" in pages
    pages |= {name for _, name in IN_REPLAYS.values()}
    assert [name for name in pages if not (ROOT / "docs" / name).exists()] == []


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

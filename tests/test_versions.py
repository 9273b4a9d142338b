"""One version of everything: lock file, conda environment and package metadata agree."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import yaml

from swift_hyperband.base.packages import EXTRAS

ROOT = Path(__file__).parents[1]
LOCK = dict(
    line.lower().split("==")
    for line in (ROOT / "requirements.lock").read_text().splitlines()
    if line and not line.startswith("#")
)


def test_the_conda_environment_has_the_locked_versions():
    found = {}
    for dependency in yaml.safe_load((ROOT / "envs/swift-hyperband.yaml").read_text())["dependencies"]:
        for line in dependency["pip"] if isinstance(dependency, dict) else [dependency]:
            name, _, version = re.sub(r"\s*==?\s*", "=", line).partition("=")
            if version and name != "python":
                found[name] = version
    assert found
    assert found == {name: LOCK[name] for name in found}


def test_every_dependency_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = dict(project["optional-dependencies"])
    # generates data for one study, is large, and is under the GPL: nothing else installs it
    del extras["physics"]
    # a study's own choice, of which nothing here depends on the version
    del extras["lightning"]
    wanted = project["dependencies"] + [name for extra in extras.values() for name in extra]
    names = {re.split(r"[>=<\[]", requirement)[0].lower() for requirement in wanted}
    assert names <= set(LOCK)


def test_torch_is_pinned_so_that_pip_finds_the_build_for_the_machine():
    assert LOCK["torch"] == "2.13.0", "no local version such as +cpu: pip would look for that very build"
    assert not [name for name in LOCK if name.startswith(("nvidia", "triton", "cuda"))]


NAMES = {"yaml": "pyyaml", "sklearn": "scikit-learn", "pydantic_core": "pydantic", "mlflow": "mlflow-skinny"}
"""Packages whose modules have other names."""


def modules():
    """Yield the modules of others that the package imports."""
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            yield from (name.partition(".")[0] for name in names)


def test_the_core_is_what_is_imported_and_comes_with_no_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    core = {re.split(r"[>=<\[]", requirement)[0] for requirement in project["dependencies"]}
    used = {NAMES.get(name, name) for name in modules() if name not in sys.stdlib_module_names | {"swift_hyperband"}}
    # what D-Wave's client brings
    extras = {NAMES.get(name, name) for name in EXTRAS} | {"requests", "urllib3"}
    assert core == used - extras


def test_the_page_on_installing_names_every_extra():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    page = (ROOT / "docs/install.md").read_text()
    assert [name for name in extras if f"`{name}`" not in page] == []

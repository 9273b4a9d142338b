"""One version of everything: lock file, conda environment and package metadata agree."""

import re
import tomllib
from pathlib import Path

import yaml

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

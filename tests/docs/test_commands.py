"""Every command in the documentation is run here as it stands, or its page says why not; see `blocks`."""

import argparse
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import forked
import pytest
import yaml

from swift_hyperband.cli import COMMANDS, main, module_of
from swift_hyperband.study.model import parse
from swift_hyperband.training.check import contract

spec = importlib.util.spec_from_file_location("docs_blocks", Path(__file__).with_name("blocks.py"))
# tests are no package, so what they share is loaded by its path; dataclasses look their module up
docs = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(docs)

ROOT = docs.ROOT
BIN = Path(sys.executable).parent
NAMES = [str(page.relative_to(ROOT)) for page in docs.PAGES]
START = "docs/start.md"
"""The page that begins with an empty folder."""
AFTER_A_SEARCH = ("docs/python.md",)
"""Pages that begin with what `init` writes, and a search of it."""
FORKED = {"swift-hyperband", "snakemake"}
COMMAND_WITHIN = re.compile(r"\$\((swift-hyperband [^)]*)\)")
SMALL = {"max_epochs": 2, "eta": 2, "seed": 1}
"""A search in place of the study's own, so that commands end in seconds."""
SPACES = {
    "lr": {"lr": {"type": "float", "low": 0.0001, "high": 1.0}},
    "learning_rate": yaml.safe_load((ROOT / "config/config.yaml").read_text())["space"],
}
STUDY = {
    "name": "digits",
    "target": {"name": "curve-table", "metric": "loss", "mode": "min", "options": {"table": "curves.csv"}},
    "space": {"row": {"type": "int", "low": 0, "high": 39}},
    "search": SMALL,
    "predictor": {"name": "last-value", "fewest_curves": 3},
    "resources": {"workers": 1},
}


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """Return a folder of one's own, in which the commands are there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{BIN}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def folder(empty, tmp_path):
    """Return what a reader has who began: a clone of the repository, a study, a model, and recorded curves."""
    for name in ("workflow", "rules", "profiles", "envs", "benchmarks", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("config", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "examples/torch_model.py", tmp_path / "my_model.py")
    (tmp_path / "config/config.yaml").write_text(yaml.safe_dump(STUDY))
    lines = ["row,epoch,loss"]
    lines += [f"{row},{epoch},{row / 40 + epoch ** -(0.4 + row / 80)}" for row in range(40) for epoch in range(1, 82)]
    (tmp_path / "curves.csv").write_text("\n".join(lines) + "\n")
    recorded = tmp_path / "results/digits-curves"
    recorded.mkdir(parents=True)
    shutil.copy(ROOT / "examples/digits-curves.parquet", recorded / "curves.parquet")
    return tmp_path


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Return a folder as `init` writes it, with its study made small and searched."""
    folder = tmp_path_factory.mktemp("searched")
    assert main(["init", str(folder)]) == 0
    write(folder / "config/config.yaml", (folder / "config/config.yaml").read_text())
    variables = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    code = forked.run([str(BIN / "swift-hyperband"), "search"], folder, variables, folder / "printed.txt")
    assert code == 0, (folder / "printed.txt").read_text()
    return folder


@pytest.fixture
def after(empty, searched):
    """Return a copy of it."""
    shutil.copytree(searched, empty, dirs_exist_ok=True)
    return empty


def write(path, text):
    """Write a file that a page shows; a study's search is made small."""
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".yaml" and "search" in (study := yaml.safe_load(text)):
        # a search without rounds stays one
        study |= {"search": {**study["search"], **SMALL}, "resources": {"workers": 1}}
        text = yaml.safe_dump(study)
    path.write_text(text)


def run(command, folder):
    """Run a line of a shell; Snakemake and our own commands are forked, which is cheaper."""
    words = [
        COMMAND_WITHIN.sub(lambda inner: forked_in(folder, inner[1].split()).strip(), word)
        for word in shlex.split(command, comments=True)
    ]
    file = words[-1] if words[-2:-1] == [">"] else None
    if words[:2] == ["swift-hyperband", "check-target"]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(contract, "subprocess", SimpleNamespace(run=forked_with_torch))
            assert main(words[1:]) == 0, command
    elif words[0] in FORKED and file:
        (folder / file).write_text(forked_in(folder, words[:-2]))
    elif words[0] in FORKED and not re.search(r"[|&;$<>]", " ".join(words)):
        forked_in(folder, words)
        if words[1] == "init":
            write(folder / "config/config.yaml", (folder / "config/config.yaml").read_text())
    else:
        done = subprocess.run(["bash", "-euc", command], capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def forked_in(folder, words):
    """Run a program in Python to its end; return what it printed."""
    printed, errors = folder / "printed.txt", folder / "errors.txt"
    errors.unlink(missing_ok=True)
    program = [str(BIN / words[0]) if words[0] in FORKED else words[0], *words[1:]]
    code = forked.run(program, folder, dict(os.environ), printed, errors)
    assert code == 0, f"{' '.join(words)}\n{printed.read_text()}\n{errors.read_text()}"
    return printed.read_text()


def forked_with_torch(command, **_):
    """Run a process of `check-target` as a fork of one that has torch, whose import takes most of its time."""
    return forked.here(*command[1:], modules=("torch",))


@pytest.mark.parametrize("name", [name for page, name in zip(docs.PAGES, NAMES, strict=True) if docs.blocks(page)])
def test_the_commands_of_a_page_run_as_they_stand(name, request):
    begins = "empty" if name == START else "after" if name in AFTER_A_SEARCH else "folder"
    folder = request.getfixturevalue(begins)
    for block in docs.blocks(ROOT / name):
        if block.file:
            write(folder / block.file, block.text)
        elif block.runs and block.language == "python":
            (folder / "block.py").write_text(block.text)
            forked_in(folder, ["block.py"])
        elif block.runs:
            for command in block.commands():
                run(command, folder)


@pytest.mark.parametrize("name", NAMES)
def test_a_block_of_commands_says_its_language(name):
    """A block without one, or one that is only indented, would be looked over."""
    page = ROOT / name
    lines = [line for block in docs.blocks(page) if not block.language for line in block.text.splitlines()]
    lines += re.findall(r"^    (.*)$", docs.prose(page), re.MULTILINE)
    first = [line.removeprefix(docs.PROMPT).split(" ")[0] for line in lines]
    assert [word for word in first if word in docs.PROGRAMS] == []


@pytest.mark.parametrize("name", NAMES)
def test_tests_that_run_a_block_elsewhere_exist(name):
    reasons = " ".join(block.not_run or "" for block in docs.blocks(ROOT / name))
    assert [path for path in re.findall(r"tests/[\w/.]*\w", reasons) if not (ROOT / path).exists()] == []


def shown(name):
    """Yield each command of ours in a page, in blocks that do not run and in the middle of a sentence, too."""
    page = ROOT / name
    lines = [
        command for block in docs.blocks(page) if block.language in ("sh", "console") for command in block.commands()
    ]
    lines += [code.replace("\n", " ") for code in re.findall(r"`([^`]+)`", docs.prose(page))]
    for line in lines:
        yield from re.findall(r"(?:^|[\s'\"(])swift-hyperband ([a-z][a-z0-9-]*)\b([^`'|&;)]*)", f" {line}")


def parser_of(command):
    parser = argparse.ArgumentParser()
    import_module(f"swift_hyperband.cli.{module_of(command)}").add_arguments(parser)
    return parser


def options_of(parser):
    """Return the options of a command, and of those below it."""
    found = {option for action in parser._actions for option in action.option_strings}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                found |= options_of(below)
    return found | {"--verbose", "--quiet", "--help", "--version"}


@pytest.mark.parametrize("name", [*NAMES, "CONTRIBUTING.md", "benchmarks/README.md"])
def test_every_command_of_ours_that_a_page_names_exists_with_its_options(name):
    for command, rest in shown(name):
        assert command in COMMANDS, (command, rest)
        given = re.findall(r"(?<=\s)--[a-z][a-z-]*", rest.split(" -- ")[0])
        parser = parser_of(command)
        # what 'run' does not know it passes on to Snakemake
        if "passes_on" not in parser._defaults:
            assert set(given) <= options_of(parser), (command, rest)


@pytest.mark.parametrize("name", NAMES)
def test_the_keys_that_a_page_shows_are_those_of_a_study(name, folder):
    # whether it is there is part of the check; 'swift-hyperband import' writes it
    (folder / "config/imported.json").touch()
    for block in docs.blocks(ROOT / name):
        if block.file:
            write(folder / block.file, block.text)
        if block.language == "yaml" and not block.not_run:
            shown = yaml.safe_load(block.text)
            # a page that shows configurations means those of the default study, others show 'lr'
            space = "learning_rate" if "learning_rate" in block.text else "lr"
            study = {**STUDY, "space": SPACES[space]}
            merged = {
                key: {**study.get(key, {}), **keys} for key, keys in shown.items() if key in ("search", "resources")
            }
            parse({**study, **shown, **merged}, name)


@pytest.mark.parametrize("name", [*NAMES, "CONTRIBUTING.md", "benchmarks/README.md"])
def test_what_make_is_told_to_do_exists(name):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)`", (ROOT / name).read_text()))
    named |= {
        word
        for block in docs.blocks(ROOT / name)
        for line in block.commands()
        for word in re.findall(r"^make ([a-z-]+)", line)
    }
    assert named <= targets

"""Rows follow from code: a changed rule makes them anew, a changed comment or picture does not."""

import ast
import shutil
from pathlib import Path

import pytest

import swift_hyperband
from swift_hyperband.compare.code import ROWS, closure, digest, digest_of

SOURCE = Path(swift_hyperband.__file__).parent
RULES = [
    *("study/frozen.py", "space/draw.py", "space/parameters.py", "annealing/qubo.py", "annealing/own.py"),
    *("search/decisions.py", "search/schedule.py", "search/swift_hyperband.py", "search/rounds.py", "search/asha.py"),
    *("search/adaptive.py", "search/bracket_choice.py", "search/chances.py"),
    *("search/fast_hyperband.py", "predictors/bounds.py", "predictors/kernel_machine.py", "predictors/svr.py"),
    *("replay/runs.py", "replay/draws.py", "replay/cluster.py", "replay/tables/published.py", "compare/accuracy.py"),
]
"""Modules that decide what a row is."""

OTHERS = [
    *("compare/published_results.py", "compare/summaries.py", "compare/units.py", "study/presets.py", "study/model.py"),
    *("report/style.py", "report/compare/figure3.py", "cli/compare.py", "workflow/dag.py", "results/layout.py"),
]
"""Modules from which no row follows, or whose part in it stands in the definition of a row."""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return Path(shutil.copytree(SOURCE, tmp_path_factory.mktemp("code") / "swift_hyperband"))


@pytest.fixture
def changed(package):
    """Return the digest when the source of a module is another; the module is put back."""
    before = {}

    def changed(module, change):
        path = package / module
        before[path] = path.read_text()
        path.write_text(change(before[path]))
        assert path.read_text() != before[path]
        return digest_of(package, ROWS)

    yield changed
    for path, content in before.items():
        path.write_text(content)


def replaced(source, found, by):
    """Return a source with another text in the place of a node."""
    text = ast.get_source_segment(source, found)
    lines = source.splitlines(keepends=True)
    start = sum(map(len, lines[: found.lineno - 1])) + len(
        lines[found.lineno - 1].encode()[: found.col_offset].decode()
    )
    assert source[start:].startswith(text)
    return source[:start] + by + source[start + len(text) :]


def number_changed(source):
    numbers = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    found = next(node for node in numbers if type(node.value) in (int, float))
    return replaced(source, found, repr(2 * found.value + 1))


def docstrings_changed(source):
    kinds = ast.FunctionDef, ast.ClassDef
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds) and ast.get_docstring(node)]
    return replaced(source, nodes[0].body[0], '"""Says the same in other words."""')


def message_changed(source):
    raised = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Raise))
    return replaced(source, raised, 'raise ValueError("in other words")')


def test_it_does_not_depend_on_where_the_package_lies(package):
    assert digest_of(package, ROWS) == digest()


@pytest.mark.parametrize("module", RULES)
def test_a_changed_rule_makes_rows_anew(changed, module):
    assert changed(module, number_changed) != digest()


@pytest.mark.parametrize("module", RULES)
def test_a_comment_or_docstring_keeps_them(changed, module):
    assert changed(module, lambda source: f"# why\n{source}\n# that is all\n") == digest()
    assert changed(module, docstrings_changed) == digest()


def test_the_message_of_an_error_keeps_them(changed):
    assert changed("search/schedule.py", message_changed) == digest()


@pytest.mark.parametrize("module", OTHERS)
def test_what_no_row_follows_from_keeps_them(changed, module):
    assert changed(module, lambda source: f"{source}\nCHANGED = 1\n") == digest()


def test_it_covers_the_searches_and_no_study_file_workflow_or_picture():
    names = closure(SOURCE, ROWS)
    packages = {name.split(".")[1] for name in names if "." in name}
    assert {"space", "annealing", "predictors", "search", "replay"} <= packages
    assert not packages & {"cli", "report", "results", "slurm", "targets", "training", "workflow"}
    study = {name for name in names if ".study" in name}
    assert study == {"swift_hyperband.study.frozen"}, "a study is in the definition, with all its keys"

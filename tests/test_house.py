"""The house: every module lies in a package, and imports run down the list of packages only."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src/swift_hyperband"
PACKAGES = [
    *("base", "space", "annealing", "datasets", "slurm", "processes", "predictors", "targets", "search", "training"),
    *("study", "results", "replay", "compare", "report", "workflow", "cli"),
]
MOST_LINES = 350
MOST_INNER = 40


def imports(path: Path) -> Iterator[str]:
    """Yield the packages of ours that a module imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[1] for name in node.names if name.name.startswith("swift_hyperband."))
        elif isinstance(node, ast.ImportFrom) and node.module == "swift_hyperband":
            yield from (name.name for name in node.names if name.name in PACKAGES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("swift_hyperband."):
            yield str(node.module).split(".")[1]


def test_no_module_lies_loose() -> None:
    assert sorted(path.name for path in SOURCE.glob("*.py")) == ["__init__.py", "__main__.py"]
    assert sorted(path.parent.name for path in SOURCE.glob("*/__init__.py")) == sorted(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_itself_and_those_before_it(package: str) -> None:
    allowed = PACKAGES[: PACKAGES.index(package) + 1]
    upwards = [
        f"{path.relative_to(SOURCE)} imports {found}"
        for path in sorted((SOURCE / package).rglob("*.py"))
        for found in imports(path)
        if found not in allowed
    ]
    assert upwards == []


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_can_be_read_in_one_go(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < MOST_LINES


def test_the_design_describes_every_package_in_the_order_of_imports() -> None:
    design = (SOURCE.parents[1] / "docs/design.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\|(.*)\|$", design, re.MULTILINE)
    assert [package for package, _ in rows] == PACKAGES
    named = [f"{package}/{name}" for package, modules in rows for name in re.findall("`(.*?)`", modules)]
    named += re.findall(r"`(\w+/[\w/]+\.py)`", design)
    roots = SOURCE, SOURCE.parents[1]
    assert [
        name for name in named if not any((root / name).exists() or (root / f"{name}.py").exists() for root in roots)
    ] == []


def inner_imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and reason of each import within a function; imports in one block share the comment above it."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = {
        node.lineno: node
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    ends = {node.end_lineno: number for number, node in found.items()}
    for number in sorted(found):
        first = number
        while first - 1 in ends:
            first = ends[first - 1]
        above = lines[first - 2].strip()
        reason = lines[number - 1].partition("#")[2] or (above if above.startswith("#") else "")
        # which rule is silenced is no reason
        yield number, reason.partition("noqa")[0].strip("# ")


INNER = {
    f"{path.relative_to(SOURCE)}:{number}": reason
    for path in sorted(SOURCE.rglob("*.py"))
    for number, reason in inner_imports(path)
}


def test_few_imports_are_within_functions() -> None:
    assert len(INNER) < MOST_INNER, "\n".join(INNER)


def test_each_import_within_a_function_has_its_reason_in_a_comment() -> None:
    assert [place for place, reason in INNER.items() if not reason] == []

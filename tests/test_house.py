"""The house: every module lies in a package, and imports run down the list of packages only."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src/swift_hyperband"
PACKAGES = [
    *("base", "space", "annealing", "datasets", "slurm", "processes", "predictors", "targets", "search", "training"),
    *("study", "results", "replay", "earlier", "compare", "report", "export"),
    *("workflow", "workers", "python_api", "cli"),
]
MOST_LINES = 350
ELSEWHERE = {
    "annealing/dwave/access": "annealing/dwave/test_secrets",
    "annealing/dwave/connection": "annealing/dwave/test_conversation",
    "annealing/dwave/explain": "annealing/dwave/test_conversation",
    "annealing/errors": "annealing/test_own",
    "annealing/probe": "annealing/test_own",
    "annealing/ready": "annealing/test_own",
    "annealing/settings": "annealing/test_samplers",
    "base/parquet": "report/search/test_curves",
    "cli/annealer": "annealing/test_check",
    "cli/best": "export/test_best",
    "cli/arguments": "cli/test_replay",
    "cli/console": "cli/test_replay",
    "cli/compare_tables": "cli/test_compare",
    "cli/export": "export/test_trials",
    "cli/figure4": "compare/test_real_runs",
    "cli/final": "export/test_final",
    "cli/job": "workflow/test_search",
    "cli/job_search": "workers/test_search",
    "cli/job_train": "workflow/test_search",
    "cli/plan": "workflow/test_looking",
    "cli/plan_rungs": "workflow/test_journaled",
    "cli/plan_tables": "workflow/test_looking",
    "cli/progress_bar": "cli/test_replay",
    "cli/result": "results/test_jobs",
    "cli/resume": "workflow/test_stopped",
    "cli/report": "cli/test_trials",
    "cli/search": "workflow/test_search",
    "cli/start": "cli/test_run",
    "cli/work": "workers/test_search",
    "cli/workflow": "workflow/test_own_folder",
    "cli/status_screen": "cli/test_status",
    "cli/where": "cli/test_status",
    "compare/accuracy": "compare/test_units",
    "compare/comparison": "compare/test_units",
    "compare/means": "compare/test_units",
    "compare/pool": "compare/test_units",
    "compare/rows": "compare/test_units",
    "compare/store": "compare/test_units",
    "compare/summaries": "compare/test_units",
    "cli/import_": "earlier/test_imports",
    "earlier/foresight": "earlier/test_taking",
    "datasets/substitutes/brown": "datasets/test_ptb",
    "datasets/substitutes/ttbar": "datasets/test_delphes",
    "python_api/html": "python_api/test_results",
    "python_api/brackets": "python_api/test_results",
    "python_api/trials": "python_api/test_results",
    "predictors/fitting": "predictors/test_predictors",
    "predictors/features": "predictors/test_predictors",
    "predictors/kernel_machine": "predictors/test_annealed",
    "predictors/last_value": "predictors/test_predictors",
    "predictors/settings": "predictors/test_bounds",
    "processes/holders": "processes/test_lease",
    "replay/cluster": "replay/test_simulator",
    "replay/draws": "replay/test_runs",
    "replay/model_draws": "replay/test_runs",
    "replay/recipes": "replay/test_runs",
    "replay/searches": "search/test_algorithms",
    "replay/simulated_training": "replay/test_simulator",
    "replay/simulation": "replay/test_simulator",
    "replay/tables/cells": "replay/tables/test_reader",
    "replay/tables/long": "replay/tables/test_reader",
    "replay/tables/long_rows": "replay/tables/test_reader",
    "replay/tables/published": "replay/tables/test_reader",
    "report/compare/figure4": "compare/test_real_runs",
    "report/compare/report": "cli/test_compare",
    "report/compare/summary": "cli/test_compare",
    "report/page/brackets": "report/page/test_figures",
    "report/page/curves": "report/page/test_figures",
    "report/page/epochs": "report/page/test_figures",
    "report/page/importance": "report/page/test_figures",
    "report/page/jobs": "report/page/test_figures",
    "report/page/look": "report/page/test_figures",
    "report/page/parallel": "report/page/test_figures",
    "report/page/predictions": "report/page/test_figures",
    "report/page/slices": "report/page/test_figures",
    "report/search/rungs": "workflow/test_journaled",
    "report/search/report": "report/test_pictures",
    "results/bracket_progress": "results/test_progress",
    "results/begin": "results/test_provenance",
    "results/best": "results/test_freeze",
    "results/curves": "report/search/test_curves",
    "results/drawn": "workflow/test_drawing",
    "results/findings": "fuzz/test_results",
    "results/imported": "earlier/test_imports",
    "results/journal": "workflow/test_journaled",
    "results/rungs": "workflow/test_journaled",
    "results/pace": "python_api/test_plan",
    "results/repair": "fuzz/test_results",
    "results/taken": "earlier/test_taking",
    "results/thawed": "workflow/test_thaw",
    "results/trials": "results/test_layout",
    "search/recorded": "workflow/test_journaled",
    "search/sampling": "space/test_tpe",
    "search/settings": "search/test_scheduled",
    "search/start": "search/test_algorithms",
    "search/swift_hyperband": "search/test_scheduled",
    "study/commands": "study/test_target",
    "study/imported": "earlier/test_imports",
    "study/files": "targets/program/test_target",
    "study/problems": "study/test_messages",
    "targets/ask_tell": "python_api/test_loop",
    "targets/code_files": "results/test_provenance",
    "targets/models/acceleration": "targets/models/test_images",
    "targets/models/cifar10_cnn": "targets/models/test_images",
    "targets/models/cifar10_cnn6": "targets/models/test_images",
    "targets/models/delphes_mlpf": "targets/models/test_text_and_events",
    "targets/models/mlpf_layers": "targets/models/test_text_and_events",
    "targets/models/ptb_lstm": "targets/models/test_text_and_events",
    "targets/models/svhn_cnn": "targets/models/test_images",
    "targets/program/epochs": "targets/program/test_metrics",
    "targets/program/files": "targets/program/test_metrics",
    "targets/program/formats/events": "targets/program/test_writers",
    "targets/program/formats/json_files": "targets/program/test_metrics",
    "targets/program/formats/tables": "targets/program/test_metrics",
    "targets/program/formats/text": "targets/program/test_metrics",
    "targets/program/patterns": "targets/program/test_metrics",
    "targets/program/rows": "targets/program/test_metrics",
    "training/event_files": "export/test_to_tensorboard",
    "training/check/child": "cli/test_check_target",
    "training/check/contract": "cli/test_check_target",
    "workers/supervisor": "workflow/test_workers",
    "workflow/deciding": "workers/test_deciding",
    "workflow/driver": "workflow/test_search",
    "workers/local": "workers/test_search",
    "workers/start": "workers/test_search",
    "workflow/final": "export/test_final",
    "workflow/record": "workflow/test_programs",
}
"""Modules whose tests lie with those of the module that uses them, or that they belong to."""
MOST_INNER = 45


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


def has_logic(path: Path) -> bool:
    return any(isinstance(node, ast.FunctionDef) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def test_the_tests_mirror_the_modules() -> None:
    tests = Path(__file__).parent
    modules = {
        str(path.relative_to(SOURCE).with_suffix("")): path
        for path in SOURCE.glob("*/**/*.py")
        if path.name != "__init__.py" and has_logic(path)
    }
    mirrored = {name for name, path in modules.items() if (tests / name).with_name(f"test_{path.name}").exists()}
    assert sorted(modules.keys() - mirrored - ELSEWHERE.keys()) == []
    assert sorted(mirrored & ELSEWHERE.keys()) == [], "these have tests of their own now"
    assert [file for file in ELSEWHERE.values() if not (tests / f"{file}.py").exists()] == []

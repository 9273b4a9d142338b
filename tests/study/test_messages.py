"""Messages name the keys that a user can set."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import swift_hyperband
from swift_hyperband.study.documents import keys_table

SOURCE = Path(swift_hyperband.__file__).parent
KEYS = set(re.findall(r"^\| `([\w.]+)` \|", keys_table(), flags=re.MULTILINE))
SECTIONS = {key.rsplit(".", depth)[0] for key in KEYS for depth in range(1, key.count(".") + 1)}
# where a key of a section within another begins, the outer one is lacking
PARTS = {section.split(".")[0] for section in SECTIONS} | {"qsvr", "sampler"}
DOTTED = re.compile(rf"(?<![\w./{{])(?:{'|'.join(sorted(PARTS))})(?:\.[\w{{}}]+)+")
OTHERS = re.compile(r"target\.options\.|.*\.KEY$|.*\.(json|jsonl|yaml|py)$")
"""Options that each target has of its own, a word that stands for any key, and files."""


def texts(tree: ast.Module) -> list[str]:
    """Return the texts of a module, {} for what is put in; without docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    bodies = [node.body[0] for node in ast.walk(tree) if isinstance(node, documented) and node.body]
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    left_out = {body.value for body in bodies if isinstance(body, ast.Expr)}
    left_out |= {part for node in joined for part in node.values}
    whole = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in left_out
    ]
    return whole + [
        "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values) for node in joined
    ]


def named(text: str) -> list[str]:
    """Return the keys that a text names and the study does not have."""
    return [
        key
        for key in DOTTED.findall(text)
        if key.removesuffix("{}") not in KEYS | SECTIONS
        and key.partition(".{")[0] not in SECTIONS
        and not OTHERS.match(key)
    ]


def test_a_key_that_the_study_refuses_is_seen():
    assert named("lower predictor.max_samples or predictor.qsvr.bits") == ["predictor.max_samples"]
    assert named("sampler.name must be") == ["sampler.name"]
    assert named("predictor.sampler.{} and predictor.sample.{}") == ["predictor.sample.{}"]
    assert named("search.first{} and search.firsts{}") == ["search.firsts{}"], "what follows a key is a place in it"


@pytest.mark.parametrize("package", sorted(path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()))
def test_a_message_names_only_keys_that_the_study_has(package):
    wrong = [
        f"{path.relative_to(SOURCE)}: {key}"
        for path in sorted((SOURCE / package).rglob("*.py"))
        for text in texts(ast.parse(path.read_text()))
        for key in named(text)
    ]
    assert wrong == []

"""Checks of a YAML file's tree of nodes: its size, keys given twice; and the words of programs as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from swift_hyperband.base.errors import InvalidKeysError, Problem
from swift_hyperband.base.wording import path_of

TAG = "tag:yaml.org,2002:"
MERGE, TEXT = f"{TAG}merge", f"{TAG}str"
_PLAIN = tuple(f"{TAG}{kind}" for kind in ("int", "float", "bool"))

DEEPEST = 50
"""Mappings and lists within each other."""
MOST = 50_000
"""Values of a file; those behind an alias count wherever it stands."""
WORDS = ("command", "first_command")
"""Keys of the section `target` whose plain words stay as they are written: there 0.10 is no number."""

TOO_DEEP = f"must have at most {DEEPEST} lists and mappings within each other, found more"
TOO_MANY = f"must hold at most {MOST} values, found more; each alias (*name) counts as what it stands for"

Step = str | int
"""A key of a mapping, or a place in a list."""


def name_of(key: yaml.Node) -> str:
    """Return a key as paths have it."""
    return str(key.value) if isinstance(key, yaml.ScalarNode) else "?"


def children(node: yaml.Node) -> Iterator[tuple[Step, yaml.Node]]:
    """Yield the values of a mapping by key, or of a list by number."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield name_of(key), value
    elif isinstance(node, yaml.SequenceNode):
        yield from enumerate(node.value)


@dataclass(frozen=True)
class _Size:
    values: int
    depth: int


def too_much(root: yaml.Node) -> Iterator[Problem]:
    """Yield the problem of a file that is too large once its aliases are unfolded, or whose alias is part of itself.

    Nothing is unfolded: each node is visited once.
    """
    sizes: dict[int, _Size | None] = {}

    def size(node: yaml.Node, path: list[Step]) -> _Size:
        if id(node) not in sizes:
            # None during the visit
            sizes[id(node)] = None
            keys = [key for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
            found = [size(key, path) for key in keys] + [size(below, [*path, step]) for step, below in children(node)]
            values, depth = sum(one.values for one in found), max((one.depth for one in found), default=0)
            # long texts count, too, as an alias may repeat them
            length = len(node.value) // 1000 if isinstance(node, yaml.ScalarNode) else 0
            sizes[id(node)] = _Size(1 + length + values, 1 + depth)
            if depth == DEEPEST:
                raise InvalidKeysError((path_of(path), TOO_DEEP))
            if values > MOST:
                raise InvalidKeysError((path_of(path), TOO_MANY))
        known = sizes[id(node)]
        if known is None:
            raise InvalidKeysError((path_of(path), "must not be an alias (*name) of what it is part of"))
        return known

    try:
        size(root, [])
    except InvalidKeysError as error:
        yield from error.problems


def keys_given_twice(root: yaml.Node) -> list[Problem]:
    """Return the keys that a mapping has twice; PyYAML silently takes the last."""
    found: dict[Problem, None] = {}
    seen: set[int] = set()

    def walk(node: yaml.Node, path: list[Step]) -> None:
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            lines_of: dict[str, int] = {}
            for key, _ in node.value:
                line = key.start_mark.line + 1
                if isinstance(key, yaml.ScalarNode) and key.tag != MERGE and key.value in lines_of:
                    lines = f"lines {lines_of[key.value]} and {line}"
                    found[path_of([*path, key.value]), f"must be given once, found in {lines}; delete one"] = None
                lines_of[name_of(key)] = line
        for step, below in children(node):
            walk(below, [*path, step])

    walk(root, [])
    return list(found)


def with_words(node: yaml.Node, level: int) -> yaml.Node:
    """Return a file's tree with the words of programs as text. Parents are copied, as aliases share nodes."""
    if not isinstance(node, yaml.MappingNode):
        return node
    pairs = []
    for key, value in node.value:
        if key.tag == MERGE and isinstance(value, yaml.SequenceNode):
            below = [with_words(part, level) for part in value.value]
            value = yaml.SequenceNode(value.tag, below, value.start_mark, value.end_mark)
        elif key.tag == MERGE or (level == 0 and name_of(key) == "target"):
            value = with_words(value, level if key.tag == MERGE else 1)
        elif level == 1 and name_of(key) in WORDS:
            value = _as_text(value)
        pairs.append((key, value))
    return yaml.MappingNode(node.tag, pairs, node.start_mark, node.end_mark)


def _as_text(node: yaml.Node) -> yaml.Node:
    """Return a word, or a list of words, as text."""
    if isinstance(node, yaml.SequenceNode):
        words = [_as_text(word) for word in node.value]
        return yaml.SequenceNode(node.tag, words, node.start_mark, node.end_mark)
    if isinstance(node, yaml.ScalarNode) and node.tag in _PLAIN:
        return yaml.ScalarNode(TEXT, node.value, node.start_mark, node.end_mark)
    return node

"""Reading YAML as study files are written in it: what is quoted is text, and what is wrong is told with line and key.

Plain words are read as YAML 1.2 has them, so that 1e-4 is a number and 12:30 is text, but for `yes`, `no`, `on` and
`off`, which are true and false as in YAML 1.1. The words of a program are taken as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import one_line, path_of, shown

LONGEST = 1_000_000
"""Characters of a file."""
DEEPEST = 50
"""Mappings and lists within each other."""
MOST = 50_000
"""Values of a file; those behind an alias count wherever it stands."""
WORDS = ("command", "first_command")
"""Keys of the section `target` whose plain words stay as they are written: there 0.10 is no number."""

_TAG = "tag:yaml.org,2002:"
_MERGE, _TEXT = f"{_TAG}merge", f"{_TAG}str"
_PLAIN = tuple(f"{_TAG}{kind}" for kind in ("int", "float", "bool"))

_TOO_DEEP = f"must have at most {DEEPEST} lists and mappings within each other, found more"
_TOO_MANY = f"must hold at most {MOST} values, found more; each alias (*name) counts as what it stands for"

_Step = str | int


class _TooMuchError(Exception):
    """There are too many values, or too many of them within each other; the message says what must hold."""


class _Reading(yaml.composer.Composer, yaml.constructor.SafeConstructor, yaml.resolver.Resolver):
    """PyYAML's way to values, which knows at which key it is, and fails with no other errors than YAML's."""

    def __init__(self) -> None:
        # where reading fails, the keys down to there stay
        self.path: list[_Step] = []
        self.values = 0
        # a quote too few or too many shows far behind it
        self.last_long_quote: yaml.Node | None = None
        self.root: yaml.Node | None = None
        yaml.composer.Composer.__init__(self)
        yaml.constructor.SafeConstructor.__init__(self)
        yaml.resolver.Resolver.__init__(self)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.values += 1
        if len(self.path) > DEEPEST:
            raise _TooMuchError(_TOO_DEEP)
        if self.values > MOST:
            raise _TooMuchError(_TOO_MANY)
        self.path.append(_name(index) if isinstance(index, yaml.Node) else "" if index is None else index)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.path.pop()
        if isinstance(node, yaml.ScalarNode) and node.style in ("'", '"') and node.start_mark.line < node.end_mark.line:
            self.last_long_quote = node
        return node

    def keys(self) -> list[_Step]:
        """Return the keys down to what was read last; the file itself and keys have none."""
        return [step for step in self.path if step != ""]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except yaml.YAMLError:
            raise
        except Exception as error:
            # PyYAML's constructors fail in many ways where a tag (!!int, !!timestamp) does not fit
            told = f"{type(error).__name__}: {error}"
            raise yaml.constructor.ConstructorError(None, None, told, node.start_mark) from None

    def construct_whole_number(self, node: yaml.ScalarNode) -> int:
        text = node.value.replace("_", "")
        problem = ""
        if re.fullmatch(r"[-+]?0\d+", text):
            problem = (
                f"a number must not begin with 0, found {shown(text)}; leave the 0 out, or put it in quotes as text"
            )
        elif len(text) > 100:
            problem = f"a whole number must have at most 64 bits, found one of {len(text)} characters"
        if problem:
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return int(text, 0)

    def construct_text(self, node: yaml.ScalarNode) -> str:
        # JSON, which is YAML too, may write one character as two halves
        return str(self.construct_scalar(node)).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


_Reading.yaml_implicit_resolvers = {"": [(f"{_TAG}null", re.compile("^$"))]}
_FLOAT = r"[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?"
_BOOL = [form for word in ("yes", "no", "true", "false", "on", "off") for form in (word, word.title(), word.upper())]
for _kind, _pattern, _first in (
    ("bool", "|".join(_BOOL), "yYnNtTfFoO"),
    ("null", "~|null|Null|NULL", "~nN"),
    ("merge", "<<", "<"),
    ("int", r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)", "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
):
    _Reading.add_implicit_resolver(_TAG + _kind, re.compile(rf"({_pattern})\Z"), list(_first))
_Reading.yaml_constructors = {
    **yaml.SafeLoader.yaml_constructors,
    f"{_TAG}int": _Reading.construct_whole_number,
    _TEXT: _Reading.construct_text,
    # a word such as any other, where it is no key
    _MERGE: _Reading.construct_text,
}


class _Loader(_Reading, yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """Reads with PyYAML's parser in Python, which tells best what is wrong."""

    def __init__(self, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)
        _Reading.__init__(self)


_FastLoader: Callable[[str], _Reading] | None = None
if yaml.__with_libyaml__:

    class _LibraryLoader(_Reading, yaml.CSafeLoader):
        """Reads with the parser in C, ten times as fast."""

        def __init__(self, text: str) -> None:
            yaml.CSafeLoader.__init__(self, text)
            _Reading.__init__(self)

    _FastLoader = _LibraryLoader


def read(path: Path) -> Mapping[str, Any]:
    """Read a study file without validating its keys.

    Raises
    ------
    UserError
        If the file is missing, too large or not YAML, or gives a key twice: a line for each mistake.
    """
    try:
        raw = parse_yaml(_text(path))
    except UserError as error:
        raise UserError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from None
    if not isinstance(raw, Mapping):
        raise UserError(f"{path}: must hold a mapping of keys, found {shown(raw)}")
    return raw


def parse_yaml(text: str) -> Any:
    """Return what a text in YAML holds.

    Raises
    ------
    UserError
        A line for each mistake.
    """
    if _FastLoader is not None:
        with suppress(yaml.YAMLError):
            return _values(_FastLoader(text))
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UserError(f"must be YAML, but line {line}: has the character {error.character:#x}; delete it") from None
    try:
        return _values(loader)
    except yaml.MarkedYAMLError as error:
        raise UserError(one_line(_syntax(error, loader))) from None


def _values(loader: _Reading) -> Any:
    try:
        loader.root = root = loader.get_single_node()
    except _TooMuchError as error:
        raise UserError(f"{path_of(loader.keys()[:2])} {error}".strip()) from None
    if root is None:
        return None
    if problems := [*_too_much(root)] or _keys_given_twice(root):
        raise UserError("\n".join(map(one_line, problems)))
    return loader.construct_document(_with_words(root, 0))


class _Dumper(yaml.SafeDumper):
    """PyYAML's writer, which puts text in quotes that a reader of YAML 1.2 would take for a number."""


_Dumper.add_implicit_resolver(f"{_TAG}float", re.compile(rf"({_FLOAT})\Z"), list("-+.0123456789"))


def to_yaml(content: Mapping[str, Any]) -> str:
    """Return a mapping as YAML, its keys in their order."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
    except FileNotFoundError:
        raise UserError("must be a study file, found no such file") from None
    except (OSError, ValueError) as error:
        raise UserError(f"must be a readable text file, found: {one_line(str(error))}") from None
    if len(content) > LONGEST:
        raise UserError(f"must be a text file of at most {LONGEST} bytes, found a larger one")
    try:
        # a byte-order mark is no part of the text
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"line {line} has the byte {content[error.start]:#04x}, which is none"
        raise UserError(f"must be a readable text file in UTF-8, but {found}; save it as UTF-8") from None


def _syntax(error: yaml.MarkedYAMLError, loader: _Reading) -> str:
    """Return where a text is no YAML, and why."""
    mark = error.problem_mark or error.context_mark
    what = ", ".join(part for part in (error.context, error.problem) if part)
    if "quoted scalar" in (error.context or "") and "unexpected" in (error.problem or ""):
        mark, what = error.context_mark, "a quote opens here that is never closed"
    elif loader.root is None and (quote := loader.last_long_quote) is not None:
        lines = quote.start_mark.line + 1, quote.end_mark.line + 1
        if mark is not None and mark.line <= lines[1]:
            what += f"; is the quote of line {lines[0]} meant to close in line {lines[1]}?"
    path = loader.keys() if loader.root is None else [] if mark is None else _path_at(loader.root, mark)
    key = path_of(path)
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return f"must be YAML, but {place}{f'{key}: ' if key else ''}{what[:300]}"


def _path_at(node: yaml.Node, mark: yaml.Mark) -> list[_Step]:
    """Return the keys down to the value that stands at a place of the text."""
    for step, below in _children(node):
        if (below.start_mark.line, below.start_mark.column) <= (mark.line, mark.column) and (
            (mark.line, mark.column) <= (below.end_mark.line, below.end_mark.column)
        ):
            return [step, *_path_at(below, mark)]
    return []


def _name(key: yaml.Node) -> str:
    return str(key.value) if isinstance(key, yaml.ScalarNode) else "?"


def _children(node: yaml.Node) -> Iterator[tuple[_Step, yaml.Node]]:
    """Yield the values of a mapping by key, or of a list by number."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield _name(key), value
    elif isinstance(node, yaml.SequenceNode):
        yield from enumerate(node.value)


@dataclass(frozen=True)
class _Size:
    values: int
    depth: int


def _too_much(root: yaml.Node) -> Iterator[str]:
    """Yield what aliases make of a file that is too large: aliases of aliases, or of what they are themselves part of.

    The file is not unfolded: each node is looked at once.
    """
    sizes: dict[int, _Size | None] = {}

    def size(node: yaml.Node, path: list[_Step]) -> _Size:
        if id(node) not in sizes:
            # None while it is being looked into
            sizes[id(node)] = None
            keys = [key for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
            found = [size(key, path) for key in keys] + [size(below, [*path, step]) for step, below in _children(node)]
            values, depth = sum(one.values for one in found), max((one.depth for one in found), default=0)
            # long texts count, too, as an alias may stand for one many times
            length = len(node.value) // 1000 if isinstance(node, yaml.ScalarNode) else 0
            sizes[id(node)] = _Size(1 + length + values, 1 + depth)
            if depth == DEEPEST:
                raise UserError(f"{path_of(path)} {_TOO_DEEP}")
            if values > MOST:
                raise UserError(f"{path_of(path)} {_TOO_MANY}")
        known = sizes[id(node)]
        if known is None:
            raise UserError(f"{path_of(path)} must not be an alias (*name) of what it is part of")
        return known

    try:
        size(root, [])
    except UserError as error:
        yield str(error).strip()


def _keys_given_twice(root: yaml.Node) -> list[str]:
    """Return what is given twice in one mapping; YAML's own reader silently takes the last."""
    found: dict[str, None] = {}
    seen: set[int] = set()

    def walk(node: yaml.Node, path: list[_Step]) -> None:
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            lines_of: dict[str, int] = {}
            for key, _ in node.value:
                line = key.start_mark.line + 1
                if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE and key.value in lines_of:
                    lines = f"lines {lines_of[key.value]} and {line}"
                    found[f"{path_of([*path, key.value])} must be given once, found in {lines}; delete one"] = None
                lines_of[_name(key)] = line
        for step, below in _children(node):
            walk(below, [*path, step])

    walk(root, [])
    return list(found)


def _with_words(node: yaml.Node, level: int) -> yaml.Node:
    """Return a file's tree with the words of programs as text; copied on the way there, as aliases share nodes."""
    if not isinstance(node, yaml.MappingNode):
        return node
    pairs = []
    for key, value in node.value:
        if key.tag == _MERGE and isinstance(value, yaml.SequenceNode):
            below = [_with_words(part, level) for part in value.value]
            value = yaml.SequenceNode(value.tag, below, value.start_mark, value.end_mark)
        elif key.tag == _MERGE or (level == 0 and _name(key) == "target"):
            value = _with_words(value, level if key.tag == _MERGE else 1)
        elif level == 1 and _name(key) in WORDS:
            value = _as_text(value)
        pairs.append((key, value))
    return yaml.MappingNode(node.tag, pairs, node.start_mark, node.end_mark)


def _as_text(node: yaml.Node) -> yaml.Node:
    """Return a word, or a list of words, as text."""
    if isinstance(node, yaml.SequenceNode):
        words = [_as_text(word) for word in node.value]
        return yaml.SequenceNode(node.tag, words, node.start_mark, node.end_mark)
    if isinstance(node, yaml.ScalarNode) and node.tag in _PLAIN:
        return yaml.ScalarNode(_TEXT, node.value, node.start_mark, node.end_mark)
    return node

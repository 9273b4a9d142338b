"""Reading study files: YAML to values, or errors with line and key."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from swift_hyperband.base.errors import KeysError
from swift_hyperband.base.wording import path_of, shown
from swift_hyperband.study.yaml_loader import FastLoader, Loader, Reading, TooMuchError
from swift_hyperband.study.yaml_tree import Step, children, keys_given_twice, too_much, with_words

LONGEST = 1_000_000
"""Characters of a file."""
DEFAULT = Path("config/config.yaml")
"""The file where none is given."""


def read(path: Path) -> Mapping[str, Any]:
    """Read a study file without validating its keys.

    Raises
    ------
    KeysError
        If the file is missing, too large or not YAML, or gives a key twice: a line for each mistake.
    """
    try:
        raw = parse_yaml(_text(path))
        if not isinstance(raw, Mapping):
            raise _wrong(f"must hold a mapping of keys, found {shown(raw)}")
    except KeysError as error:
        raise KeysError(str(path), error.problems) from None
    return raw


def _wrong(text: str) -> KeysError:
    """Return the error of a whole text."""
    return KeysError("", [("", text)])


def parse_yaml(text: str) -> Any:
    """Return what a text in YAML holds.

    Raises
    ------
    KeysError
        A line for each mistake.
    """
    if FastLoader is not None:
        with suppress(yaml.YAMLError):
            return _values(FastLoader(text))
    try:
        loader = Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _wrong(f"must be YAML, but line {line}: has the character {error.character:#x}; delete it") from None
    try:
        return _values(loader)
    except yaml.MarkedYAMLError as error:
        raise _wrong(_syntax(error, loader)) from None


def _values(loader: Reading) -> Any:
    try:
        loader.root = root = loader.get_single_node()
    except TooMuchError as error:
        raise KeysError("", [(path_of(loader.keys()[:2]), str(error))]) from None
    if root is None:
        return None
    if problems := [*too_much(root)] or keys_given_twice(root):
        raise KeysError("", problems)
    return loader.construct_document(with_words(root, 0))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
    except FileNotFoundError:
        begin = "; 'swift-hyperband init' writes one" if path == DEFAULT else ""
        raise _wrong(f"must be a study file, found no such file{begin}") from None
    except (OSError, ValueError) as error:
        raise _wrong(f"must be a readable text file, found: {error}") from None
    if len(content) > LONGEST:
        raise _wrong(f"must be a text file of at most {LONGEST} bytes, found a larger one")
    try:
        # a byte-order mark is no part of the text
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"line {line} has the byte {content[error.start]:#04x}, which is none"
        raise _wrong(f"must be a readable text file in UTF-8, but {found}; save it as UTF-8") from None


def _syntax(error: yaml.MarkedYAMLError, loader: Reading) -> str:
    """Return the place of an error in YAML, and its reason."""
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


def _path_at(node: yaml.Node, mark: yaml.Mark) -> list[Step]:
    """Return the keys of the value at a place of the text."""
    for step, below in children(node):
        if (below.start_mark.line, below.start_mark.column) <= (mark.line, mark.column) and (
            (mark.line, mark.column) <= (below.end_mark.line, below.end_mark.column)
        ):
            return [step, *_path_at(below, mark)]
    return []

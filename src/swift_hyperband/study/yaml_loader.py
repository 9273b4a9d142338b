"""PyYAML's loader for study files.

Plain words are read as YAML 1.2 has them, so that 1e-4 is a number and 12:30 is text, but for `yes`, `no`, `on` and
`off`, which are true and false as in YAML 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from swift_hyperband.base.wording import shown
from swift_hyperband.study.yaml_tree import DEEPEST, MERGE, MOST, TAG, TEXT, TOO_DEEP, TOO_MANY, Step, name_of


class TooMuchError(Exception):
    """There are too many values, or too many within each other; the message says what must hold."""


class Reading(yaml.composer.Composer, yaml.constructor.SafeConstructor, yaml.resolver.Resolver):
    """Makes values as PyYAML does, knows at which key it is, and raises no errors but YAML's."""

    def __init__(self) -> None:
        # after an error, the path of the value that could not be read
        self.path: list[Step] = []
        self.values = 0
        # a missing or extra quote causes an error far behind it
        self.last_long_quote: yaml.Node | None = None
        self.root: yaml.Node | None = None
        yaml.composer.Composer.__init__(self)
        yaml.constructor.SafeConstructor.__init__(self)
        yaml.resolver.Resolver.__init__(self)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.values += 1
        if len(self.path) > DEEPEST:
            raise TooMuchError(TOO_DEEP)
        if self.values > MOST:
            raise TooMuchError(TOO_MANY)
        self.path.append(name_of(index) if isinstance(index, yaml.Node) else "" if index is None else index)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.path.pop()
        if isinstance(node, yaml.ScalarNode) and node.style in ("'", '"') and node.start_mark.line < node.end_mark.line:
            self.last_long_quote = node
        return node

    def keys(self) -> list[Step]:
        """Return the keys down to the value that was read last."""
        return [step for step in self.path if step != ""]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except yaml.YAMLError:
            raise
        except Exception as error:
            # PyYAML's constructors raise many errors if a tag (!!int, !!timestamp) does not fit
            problem = f"{type(error).__name__}: {error}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

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


Reading.yaml_implicit_resolvers = {"": [(f"{TAG}null", re.compile("^$"))]}
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
    Reading.add_implicit_resolver(TAG + _kind, re.compile(rf"({_pattern})\Z"), list(_first))
Reading.yaml_constructors = {
    **yaml.SafeLoader.yaml_constructors,
    f"{TAG}int": Reading.construct_whole_number,
    TEXT: Reading.construct_text,
    # only as a key it is more than a word
    MERGE: Reading.construct_text,
}


class Loader(Reading, yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """Reads with the parser in Python, whose errors say best what is wrong."""

    def __init__(self, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)
        Reading.__init__(self)


FastLoader: Callable[[str], Reading] | None = None
if yaml.__with_libyaml__:

    class _LibraryLoader(Reading, yaml.CSafeLoader):
        """Reads with the parser in C, ten times as fast."""

        def __init__(self, text: str) -> None:
            yaml.CSafeLoader.__init__(self, text)
            Reading.__init__(self)

    FastLoader = _LibraryLoader


class _Dumper(yaml.SafeDumper):
    """PyYAML's writer, which puts text in quotes that a reader of YAML 1.2 would take for a number."""


_Dumper.add_implicit_resolver(f"{TAG}float", re.compile(rf"({_FLOAT})\Z"), list("-+.0123456789"))


def to_yaml(content: Mapping[str, Any]) -> str:
    """Return a mapping as YAML, its keys in their order."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True)

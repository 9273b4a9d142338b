"""The expressions of constraints: parsed and evaluated without running code."""

from __future__ import annotations

import ast
import functools
import keyword
import math
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import shown

Scalar = str | int | float | bool
"""A value of a hyperparameter."""
LONGEST_CONSTRAINT = 300
"""Characters of a constraint; bounds its nesting, and so the recursion of its evaluation."""


def holds(constraint: str, configuration: Mapping[str, Scalar]) -> bool:
    """Return whether a configuration keeps a constraint.

    It does if a hyperparameter that the constraint names is inactive. It does not if the constraint has no value (a
    division by zero, a number too large).

    Raises
    ------
    UserError
        If the constraint mixes text and numbers.
    """
    expression, names = parse(constraint)
    if not names <= configuration.keys():
        return True
    try:
        return bool(_evaluate(expression, configuration))
    except (ZeroDivisionError, OverflowError, ValueError):
        return False
    except TypeError:
        values = ", ".join(f"{name} = {shown(configuration[name])}" for name in sorted(names))
        raise UserError(f"constraints must not mix text and numbers, found {values} in '{constraint}'") from None


_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    # in floating point, so that a large exponent overflows instead of filling the memory
    ast.Pow: math.pow,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

_ALLOWED = (
    *_OPERATORS,
    *(ast.Expression, ast.BinOp, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.And, ast.Or, ast.Not, ast.USub, ast.UAdd),
    *(ast.Name, ast.Load, ast.Constant),
)

WORDS = ("and", "or", "not", "True", "False", "None")
"""Words with a meaning in constraints. Other reserved words of Python may name hyperparameters."""

SPELLED = {"true": "True", "false": "False"}

_KEYWORD = "λ"
"""Appended to names that are reserved words of Python (lambda); no hyperparameter's name contains it."""


_TEXTS_AND_NAMES = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\W\d]\w*""")


def _as_python(constraint: str) -> str:
    """Return a constraint as an expression of Python."""

    def replaced(found: re.Match[str]) -> str:
        word = SPELLED.get(found[0], found[0])
        return f"{word}{_KEYWORD}" if keyword.iskeyword(word) and word not in WORDS else word

    return _TEXTS_AND_NAMES.sub(replaced, " ".join(constraint.splitlines()).strip())


@functools.lru_cache(maxsize=2000)
def parse(constraint: str) -> tuple[ast.expr, frozenset[str]]:
    """Return a constraint's expression and the names in it.

    Raises
    ------
    ValueError
        If something is not allowed in a constraint; the message says what.
    """
    if len(constraint) > LONGEST_CONSTRAINT:
        raise ValueError(f"must have at most {LONGEST_CONSTRAINT} characters, found {len(constraint)}")
    try:
        with warnings.catch_warnings():
            # Python's warnings are for authors of Python
            warnings.simplefilter("ignore")
            tree = ast.parse(_as_python(constraint), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        hint = "; write == to compare" if "=" in constraint and "==" not in constraint else ""
        raise ValueError(f"must be an expression such as 'a * b <= 200', found '{constraint}'{hint}") from None
    for node in ast.walk(tree):
        wrong_constant = isinstance(node, ast.Constant) and not isinstance(node.value, str | int | float)
        if not isinstance(node, _ALLOWED) or wrong_constant:
            raise ValueError(
                "must be made of names, numbers, text, + - * / // % **, comparisons, and, or, not, "
                f"found '{ast.unparse(node).replace(_KEYWORD, '') or constraint}'"
            )
    names = frozenset(node.id.removesuffix(_KEYWORD) for node in ast.walk(tree) if isinstance(node, ast.Name))
    negated = isinstance(tree.body, ast.UnaryOp) and isinstance(tree.body.op, ast.Not)
    if not (negated or isinstance(tree.body, ast.Compare | ast.BoolOp)) or not names:
        raise ValueError(f"must compare hyperparameters, as in 'a * b <= 200', found '{constraint}'")
    return tree.body, names


def _evaluate(node: ast.expr, configuration: Mapping[str, Scalar]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return configuration[name.removesuffix(_KEYWORD)]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _evaluate(operand, configuration)
        case ast.UnaryOp(op=sign, operand=operand):
            return (-1 if isinstance(sign, ast.USub) else 1) * _number(_evaluate(operand, configuration))
        case ast.BinOp(left=left, op=op, right=right):
            numbers = [_number(_evaluate(side, configuration)) for side in (left, right)]
            return _OPERATORS[type(op)](*numbers)
        case ast.BoolOp(op=op, values=values):
            results = (_evaluate(value, configuration) for value in values)
            return all(results) if isinstance(op, ast.And) else any(results)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            sides = [_evaluate(side, configuration) for side in (left, *comparators)]
            return all(_OPERATORS[type(op)](a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False))
    raise AssertionError(node)


def _number(value: Scalar) -> int | float:
    """Return a number; TypeError for text, as 'text' * 10**9 would fill the memory."""
    if isinstance(value, str):
        raise TypeError(value)
    return value

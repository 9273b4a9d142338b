"""The search space: hyperparameters, conditions, constraints, and drawing the configuration of a trial.

A configuration follows from the run's seed, the bracket and the slot alone. Each hyperparameter draws from a stream of
its own, so that another order of keys, or a key more, changes nothing else. Only `Random.random` is used: it is what
Python promises to keep the same from version to version.
"""

from __future__ import annotations

import ast
import functools
import graphlib
import hashlib
import keyword
import math
import operator
import random
import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.wording import Problem, one_of, shown, suggestion

Scalar = str | int | float | bool
When = Mapping[str, tuple[Scalar, ...]]
"""Condition: the values that each named hyperparameter must have one of."""

ATTEMPTS = 1000
"""How often a configuration that breaks a constraint is drawn again."""

CHECKED = 100_000
"""Values drawn and constraints evaluated, at most, to see at load that constraints leave room for every trial."""
ROOM = 0.03
"""Where this share of the draws keeps the constraints, `ATTEMPTS` of them in a row break them in no search."""

LONGEST_CONSTRAINT = 300
"""Characters; keeps the nesting of a constraint, and with it the recursion that evaluates it, bounded."""


@dataclass(frozen=True)
class Float:
    """A real number between `low` and `high`, uniform in the value or in its logarithm."""

    low: float
    high: float
    log: bool = False
    when: When | None = None

    def at(self, u: float) -> float:
        """Return the value at `u` in [0, 1)."""
        if self.log:
            found = math.exp(math.log(self.low) + u * (math.log(self.high) - math.log(self.low)))
        else:
            found = self.low + u * (self.high - self.low)
        return min(max(found, self.low), self.high)


@dataclass(frozen=True)
class Int:
    """A whole number from `low` to `high`, both included, uniform in the value or in its logarithm."""

    low: int
    high: int
    log: bool = False
    when: When | None = None

    def at(self, u: float) -> int:
        """Return the value at `u` in [0, 1)."""
        if self.log:
            found = round(Float(self.low - 0.5, self.high + 0.5, log=True).at(u))
        else:
            found = self.low + math.floor(u * (self.high - self.low + 1))
        return min(max(found, self.low), self.high)


@dataclass(frozen=True)
class Categorical:
    """One of `choices`, each as likely as the others."""

    choices: tuple[Scalar, ...]
    when: When | None = None

    def at(self, u: float) -> Scalar:
        """Return the choice at `u` in [0, 1)."""
        return self.choices[math.floor(u * len(self.choices))]


Hyperparameter = Float | Int | Categorical


@dataclass(frozen=True)
class Space:
    """Hyperparameters by name, and constraints on their values such as "num_filters * num_layers <= 200"."""

    hyperparameters: Mapping[str, Hyperparameter]
    constraints: tuple[str, ...] = ()

    @functools.cached_property
    def order(self) -> tuple[str, ...]:
        """The names, each after those that its condition names.

        Raises
        ------
        ValueError
            If conditions lead back to where they start; the message is the cycle.
        """
        graph = {name: list(keys.when or {}) for name, keys in self.hyperparameters.items()}
        try:
            return tuple(graphlib.TopologicalSorter(graph).static_order())
        except graphlib.CycleError as error:
            cycle = error.args[1][-1:0:-1]
            first = min(range(len(cycle)), key=lambda place: list(self.hyperparameters).index(cycle[place]))
            names = [*cycle[first:], *cycle[:first]]
            names[5:] = ["..."] if len(names) > 5 else []
            raise ValueError(" -> ".join([*names, names[0]])) from None

    def constrained(self) -> Space:
        """Return the part of the space on which it depends whether a configuration keeps the constraints."""
        wanted = {name for text in self.constraints for name in _parse(text)[1]}
        for name in reversed(self.order):
            if name in wanted:
                wanted.update(self.hyperparameters[name].when or ())
        return Space({name: keys for name, keys in self.hyperparameters.items() if name in wanted}, self.constraints)


def trial_id(seed: int, bracket: int, slot: int) -> str:
    """Return the id of the trial in a slot of a bracket: 12 hexadecimal digits."""
    return hashlib.sha256(f"{seed}/{bracket}/{slot}".encode()).hexdigest()[:12]


def draw(space: Space, seed: int, bracket: int, slot: int) -> dict[str, Scalar]:
    """Return the configuration of the trial in a slot of a bracket, in the order of the space's keys.

    Hyperparameters whose condition does not hold are left out. A configuration that breaks a constraint is drawn again
    as a whole.

    Raises
    ------
    UserError
        If `ATTEMPTS` draws in a row break the constraints, or a constraint compares text with numbers.
    """
    broken: Counter[str] = Counter()
    for attempt in range(ATTEMPTS):
        configuration, violated = _attempt(space, seed, bracket, slot, attempt)
        if violated is None:
            return configuration
        broken[violated] += 1
    raise _no_room(broken)


def check_room(space: Space, seed: int, trials: Mapping[int, int]) -> None:
    """Check that constraints leave a configuration for every trial of a search.

    Parameters
    ----------
    space : Space
    seed : int
    trials : mapping
        By bracket, how many start in it.

    Raises
    ------
    UserError
        As `draw`.

    Notes
    -----
    Trials are drawn until `CHECKED` is reached. Whether the others find a configuration is then clear by `ROOM`.
    """
    needed = space.constrained()
    most = max(1, CHECKED // (len(needed.hyperparameters) + len(needed.constraints)))
    broken: Counter[str] = Counter()
    tried = kept = 0
    for bracket, slot in ((bracket, slot) for bracket, count in trials.items() for slot in range(count)):
        for attempt in range(ATTEMPTS):
            tried += 1
            _, violated = _attempt(needed, seed, bracket, slot, attempt)
            if violated is None:
                kept += 1
                break
            broken[violated] += 1
            if tried >= most:
                break
        else:
            raise _no_room(broken, kept)
        if tried >= most:
            if kept < ROOM * tried:
                raise _no_room(broken, kept, f"fewer than {ROOM:.0%}, ")
            return


def _attempt(space: Space, seed: int, bracket: int, slot: int, attempt: int) -> tuple[dict[str, Scalar], str | None]:
    """Draw a configuration; return it, and the first constraint that it breaks."""
    configuration = _draw_once(space, f"{seed}/{bracket}/{slot}/{attempt}")
    return configuration, next((text for text in space.constraints if not holds(text, configuration)), None)


def _no_room(broken: Counter[str], kept: int = 0, few: str = "") -> UserError:
    worst, _ = broken.most_common(1)[0]
    draws = broken.total() + kept
    return UserError(
        f"constraints must leave room in the space, found {kept or 'none'} in {draws} draws, "
        f"{few}most of which broke '{worst}'; loosen it or change the ranges"
    )


def holds(constraint: str, configuration: Mapping[str, Scalar]) -> bool:
    """Return whether a configuration keeps a constraint.

    It does where a hyperparameter that the constraint names is inactive, and does not where the constraint has no
    value (a division by zero, a number too large).

    Raises
    ------
    UserError
        If the constraint compares or reckons with text and numbers.
    """
    expression, names = _parse(constraint)
    if not names <= configuration.keys():
        return True
    try:
        return bool(_evaluate(expression, configuration))
    except (ZeroDivisionError, OverflowError, ValueError):
        return False
    except TypeError:
        values = ", ".join(f"{name} = {shown(configuration[name])}" for name in sorted(names))
        raise UserError(f"constraints must not mix text and numbers, found {values} in '{constraint}'") from None


def problems(space: Space) -> list[Problem]:
    """Return what is wrong with the conditions and constraints of a space, by key; nothing if all is well."""
    found: list[Problem] = []
    choices = {
        name: frozenset(keys.choices) for name, keys in space.hyperparameters.items() if isinstance(keys, Categorical)
    }
    for name, hyperparameter in space.hyperparameters.items():
        for other, values in (hyperparameter.when or {}).items():
            if text := _condition_problem(space, choices, name, other, values):
                found.append((f"space.{name}.when.{other}", text))
    if not found:
        try:
            _ = space.order
        except ValueError as cycle:
            name = str(cycle).partition(" ")[0]
            found.append((f"space.{name}.when", f"must not lead back to {name}, found {cycle}"))
    for number, constraint in enumerate(space.constraints):
        if text := _constraint_problem(space, constraint):
            found.append((f"constraints[{number}]", text))
    if space.constraints:
        needed = "must have another name, as it is a word of constraints; rename it"
        found += [(f"space.{name}", needed) for name in space.hyperparameters if name in (*_WORDS, *_SPELLED)]
    return found


def _draw_once(space: Space, stream: str) -> dict[str, Scalar]:
    drawn: dict[str, Scalar] = {}
    for name in space.order:
        hyperparameter = space.hyperparameters[name]
        if all(other in drawn and drawn[other] in values for other, values in (hyperparameter.when or {}).items()):
            drawn[name] = hyperparameter.at(random.Random(f"{stream}/{name}").random())
    return {name: drawn[name] for name in space.hyperparameters if name in drawn}


def _condition_problem(
    space: Space, choices_of: Mapping[str, frozenset[Scalar]], name: str, other: str, values: tuple[Scalar, ...]
) -> str | None:
    if other == name:
        return "must name another hyperparameter, found itself"
    if other not in space.hyperparameters:
        return f"names no hyperparameter of the space{suggestion(other, space.hyperparameters)}"
    if not values:
        return "must hold at least one value, found none"
    match space.hyperparameters[other]:
        case Float():
            return f"must name a categorical or int hyperparameter, found the float {other}"
        case Int(low=low, high=high):
            for value in values:
                if isinstance(value, bool | str) or value not in range(low, high + 1):
                    return f"must be a whole number from {low} to {high}, found {shown(value)}"
        case Categorical(choices=choices):
            for value in values:
                if value not in choices_of[other]:
                    return f"must be {one_of(choices)}, found {shown(value)}{suggestion(value, choices)}"
    return None


def _constraint_problem(space: Space, constraint: str) -> str | None:
    try:
        _, names = _parse(constraint)
    except ValueError as error:
        return str(error)
    for name in sorted(names):
        if name not in space.hyperparameters:
            hint = suggestion(name, space.hyperparameters)
            return f"must name hyperparameters of the space, found '{name}' in '{constraint}'{hint}"
    return None


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


_WORDS = ("and", "or", "not", "True", "False", "None")
"""Words that have a meaning in a constraint; any other that Python keeps for itself may name a hyperparameter."""
_SPELLED = {"true": "True", "false": "False"}
_KEYWORD = "λ"
"""Behind a name that Python keeps for itself (lambda); no name of a hyperparameter has it."""
_TEXTS_AND_NAMES = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\W\d]\w*""")


def _as_python(constraint: str) -> str:
    """Return a constraint as an expression of Python."""

    def replaced(found: re.Match[str]) -> str:
        word = _SPELLED.get(found[0], found[0])
        return f"{word}{_KEYWORD}" if keyword.iskeyword(word) and word not in _WORDS else word

    return _TEXTS_AND_NAMES.sub(replaced, " ".join(constraint.splitlines()).strip())


@functools.lru_cache(maxsize=2000)
def _parse(constraint: str) -> tuple[ast.expr, frozenset[str]]:
    """Return a constraint's expression and the names in it; ValueError says what is not allowed in it."""
    if len(constraint) > LONGEST_CONSTRAINT:
        raise ValueError(f"must have at most {LONGEST_CONSTRAINT} characters, found {len(constraint)}")
    try:
        with warnings.catch_warnings():
            # of Python, for those who write Python
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
    """Let arithmetic see numbers only: 'text' * 10**9 would fill the memory."""
    if isinstance(value, str):
        raise TypeError(value)
    return value

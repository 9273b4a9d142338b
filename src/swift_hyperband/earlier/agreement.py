"""Whether the epochs of an earlier search are those that a study would train: same model, same code, same schedule."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swift_hyperband.results import provenance
from swift_hyperband.results.layout import StudyFolder
from swift_hyperband.study.frozen import differences
from swift_hyperband.targets import BUILT_IN, code_files
from swift_hyperband.targets.program.template import placeholders, words

if TYPE_CHECKING:
    from swift_hyperband.study.model import Study

FREE = ("target.piece",)
"""Keys of the section `target` on which no result depends."""
MAX_EPOCHS = "max_epochs"
VARIABLE = "SWIFT_MAX_EPOCHS"
"""The environment variable that tells programs the last epoch."""
CONTEXTS = frozenset(("context", "ctx"))
"""Names that the context has, beside the one in the method `setup`."""
ALL_OF = frozenset(("vars", "asdict", "astuple"))
"""Functions that read all attributes."""
SETUP = 2
"""The place of the context among the arguments of `setup`."""
TOLD = 3
"""Keys and files that a line names; the others are counted."""


def disagreement(earlier: Study, folder: StudyFolder, study: Study) -> str | None:
    """Return why the epochs of an earlier search are not those of a study; None if they are.

    Parameters
    ----------
    earlier : Study
        That of the earlier search.
    folder : StudyFolder
        Its folder.
    study : Study
    """
    before, now = ({"target": one.definition()["target"]} for one in (earlier, study))
    if other := [f"{key} {how}" for key, how in differences(before, now) if key not in FREE]:
        told = _listed(other).replace("the frozen study", str(folder.path))
        return f"must have the target of this study, found that {told}; leave it out of earlier, or set it alike"
    seeds = [json.dumps(one.search.seed_per_trial) for one in (earlier, study)]
    if seeds[0] != seeds[1]:
        return (
            f"must train with the seeds that this study trains with, found that search.seed_per_trial is {seeds[0]} "
            f"there, {seeds[1]} here; leave it out of earlier, or set it alike"
        )
    notes, allowed = provenance.read(folder), provenance.is_allowed()
    if notes and not allowed and (changed := provenance.changes(notes[-1]["code"], code_files.digests(now["target"]))):
        return (
            f"must be trained with the model's code as it is now, found that {_listed(changed)}; undo it, leave it out "
            "of earlier, or go on with --allow-changed-code"
        )
    if earlier.search.max_epochs != study.search.max_epochs and (why := _spans(now["target"])) is not None:
        needed = f"its max_epochs is {earlier.search.max_epochs}, here it is {study.search.max_epochs}, and {why}"
        if study.target.name not in BUILT_IN and allowed:
            return None
        return (
            f"must have epochs that do not depend on the last one, but {needed}; give the length of such a schedule as "
            "an option of the target, the same in both, or go on with --allow-changed-code if no epoch depends on it"
        )
    return None


def _listed(found: list[str]) -> str:
    more = f" and {len(found) - TOLD} more" if len(found) > TOLD else ""
    return "; ".join(found[:TOLD]) + more


def _spans(target: Mapping[str, Any]) -> str | None:
    """Return in words where a training asks for the study's last epoch, as to spread a schedule over it; else None."""
    name = target["name"]
    if name is None:
        told = [f"target.{key} names {what}" for key, what in _commands(target)]
        told += [f"{path.name} reads {VARIABLE}" for path in code_files.files(target) if _holds(path, VARIABLE)]
        return next(iter(told), None)
    if name == "svhn-cnn":
        asks = "epochs" not in target["options"]
        return "svhn-cnn spreads its learning rate over it (option epochs of the target)" if asks else None
    if name in BUILT_IN:
        return None
    return next((f"{where} reads {MAX_EPOCHS}" for path in code_files.files(target) for where in _reads(path)), None)


def _commands(target: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the keys of commands with a placeholder or the variable for the last epoch, as in the text of a shell."""
    for key in ("command", "first_command"):
        command = target.get(key)
        texts = words(command) if isinstance(command, str) else command or ()
        if any(found.name == MAX_EPOCHS for text in texts for found in placeholders(str(text))):
            yield key, f"{{{MAX_EPOCHS}}}"
        if any(VARIABLE in str(text) for text in texts):
            yield key, VARIABLE


def _holds(path: Path, text: str) -> bool:
    try:
        return path.stat().st_size <= code_files.LARGEST and text.encode() in path.read_bytes()
    except OSError:
        return False


def _reads(path: Path) -> Iterator[str]:
    """Yield the lines of a file in Python that read an attribute of this name, which may be that of the context.

    All attributes of the context at once, and one whose name is found out as it runs, count as read, too.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    nodes = list(ast.walk(tree))
    contexts = CONTEXTS | {_second(node.args) for node in nodes if isinstance(node, ast.FunctionDef) and _sets_up(node)}
    for node in nodes:
        match node:
            case ast.Attribute(attr=attr, ctx=ast.Load()) if attr == MAX_EPOCHS:
                reads = True
            case ast.Constant(value=value):
                reads = value == MAX_EPOCHS
            case ast.MatchClass(kwd_attrs=names):
                reads = MAX_EPOCHS in names
            case ast.Attribute(value=value, attr="__dict__"):
                reads = _name(value) in contexts
            case ast.Call(func=func, args=[value, *rest]) if _name(value) in contexts:
                reads = _name(func) in ALL_OF or (
                    _name(func) == "getattr" and bool(rest) and not isinstance(rest[0], ast.Constant)
                )
            case _:
                reads = False
        if reads:
            yield f"{path.name}:{getattr(node, 'lineno', '?')}"


def _sets_up(node: ast.FunctionDef) -> bool:
    return node.name == "setup" and len(node.args.args) > SETUP


def _second(arguments: ast.arguments) -> str:
    """Return the name that a method `setup` gives to the context, after itself and the configuration."""
    return arguments.args[SETUP].arg.strip("_")


def _name(node: ast.expr) -> str | None:
    """Return the last part of a name such as self._context, without underscores around it."""
    found = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None
    return found and found.strip("_")

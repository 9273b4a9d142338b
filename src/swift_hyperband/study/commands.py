"""Checks of the commands that train a program, with the placeholders in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from swift_hyperband.base.errors import InvalidKeysError
from swift_hyperband.space.constraints import Scalar
from swift_hyperband.study.checks import braces
from swift_hyperband.study.space import Choice, FloatRange, IntRange
from swift_hyperband.study.target import Target
from swift_hyperband.targets.program.target import COUNTS, MAX_EPOCHS, PLACEHOLDERS
from swift_hyperband.targets.program.template import in_braces, words


def check_placeholders(target: Target, space: Mapping[str, FloatRange | IntRange | Choice]) -> None:
    """Check that the placeholders of commands and of the metrics' path have a value, and a format that fits it.

    Raises
    ------
    InvalidKeysError
        By key.
    """
    commands = {"command": target.command, "first_command": target.first_command}
    texts = [(key, word) for key, command in commands.items() if command is not None for word in words(command)]
    if target.metrics is None:
        # a segment command gets options, and its braces stay as they are
        for key, word in texts:
            if found := in_braces(word):
                problem = "must have names in braces that are left out, as there is no target.metrics"
                raise InvalidKeysError((f"target.{key}", f"{problem}, found {found[0]}"))
        return
    if target.metrics.path is not None:
        texts.append(("metrics.path", target.metrics.path))
    if taken := [name for name in space if name in PLACEHOLDERS]:
        needed = f"must have another name than what target.command has ({', '.join(PLACEHOLDERS)})"
        raise InvalidKeysError(*((f"space.{name}", f"{needed}, found {name}; rename it") for name in taken))
    known: dict[str, Sequence[Scalar]] = {name: keys.examples() for name, keys in space.items()}
    for name in (*PLACEHOLDERS, MAX_EPOCHS):
        known.setdefault(name, [1] if name in COUNTS else ["text"])
    for key, text in texts:
        try:
            braces(text, known)
        except InvalidKeysError as error:
            raise InvalidKeysError((f"target.{key}", error.problems[0][1])) from None

"""Errors of samplers, as one-line messages without secrets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from swift_hyperband.base.errors import UserError

SHOWN = 200
"""How many characters of a server's own words are shown: some answer with a web page."""

SECRET_NAMES = ("TOKEN", "SECRET", "PASSWORD", "API_KEY")
"""Words in the names of environment variables that hold secrets: samplers of other makers have their own."""


class SamplerError(UserError):
    """A sampler in this process cannot be used: `reason` says what must hold, and what was found."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"the sampler {name!r} cannot be used: it {reason}")


class AnnealerError(UserError):
    """The annealer cannot answer.

    Attributes
    ----------
    temporary : bool
        Whether asking again in a few seconds may help.
    """

    def __init__(self, message: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.temporary = temporary


def cleaned(text: object, secrets: Sequence[str] | None = None) -> str:
    """Return somebody else's words in one short line, without secrets.

    Parameters
    ----------
    text : object
    secrets : sequence of str or None
        None: what the environment and the D-Wave client's configuration hold.
    """
    try:
        line = " ".join(str(text).split())
    except Exception as error:
        line = f"a text that cannot be shown ({type(error).__name__})"
    for secret in _known_secrets() if secrets is None else secrets:
        line = line.replace(" ".join(secret.split()), "***")
    return line if len(line) <= SHOWN else line[:SHOWN] + " ..."


def _known_secrets() -> list[str]:
    named = (value for key, value in os.environ.items() if any(word in key.upper() for word in SECRET_NAMES))
    # a short one would be found in any text
    found = {value for value in named if len(value.strip()) >= 6}
    with suppress(ImportError, UserError):
        # D-Wave's client: a sampler of this process needs it only where an error is told
        from swift_hyperband.annealing.dwave.access import Access

        found |= set(Access.configured().secrets)
    # a longer one first, which may hold a shorter one
    return sorted(found, key=len, reverse=True)

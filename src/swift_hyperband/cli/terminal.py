"""Output that a terminal cannot show: what has no place in its encoding is written in letters that have."""

from __future__ import annotations

import codecs
import sys

HANDLER = "swift-hyperband"
PLAIN = {
    "±": "+-",
    "·": "-",
    "−": "-",
    "–": "-",
    "—": "-",
    "…": "...",
    "²": "2",
    "×": "x",
    "→": "->",
    "←": "<-",
    "≥": ">=",
    "≤": "<=",
    "µ": "u",
    "✓": "ok",
    **dict.fromkeys("━─╺╸", "-"),
}
"""Signs that the product itself prints; of others a question mark is left."""


def speak_plainly() -> None:
    """Let nothing that is printed be an error, whatever the encoding of the terminal or file that it goes to."""
    codecs.register_error(HANDLER, _plain)
    for stream in (sys.stdout, sys.stderr):
        # a test's or an embedding program's stream may be anything; in the locale C it is not strict, and no help
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and getattr(stream, "errors", None) in ("strict", "surrogateescape"):
            reconfigure(errors=HANDLER)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    # a byte of a file's name that is no text in this locale goes back to what it was
    escaped = "\udc80" <= letter <= "\udcff"
    return letter.encode("ascii", "surrogateescape") if escaped else PLAIN.get(letter, "?"), error.start + 1

"""Files that contain the SHA-256 of their own bytes, so that a damaged one is detected.

The digest is in the file itself, because a kill could separate two files. In JSON it is the first key. A state of
torch is a zip archive; the digest is a line after it, which readers of zip archives ignore. Old states without a digest
are sound if they end like an archive and the archive's own checksums hold.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import IO, Any

_LINE = b"\nswift-hyperband sha256 "
_FIRST, _SECOND = b'{"sha256": "', b'", '
_DIGITS = 64
_END_OF_ZIP = b"PK\x05\x06"
_END_OF_ZIP_LENGTH = 22
_CHUNK = 1 << 20


class Sealing:
    """A binary file to write to, which digests what is written.

    Parameters
    ----------
    file : binary file
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write bytes."""
        self._digest.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        """Flush the file."""
        self._file.flush()

    def seal(self) -> None:
        """Write the digest of all that was written, which ends the file."""
        self._file.write(_LINE + self._digest.hexdigest().encode())


def sealed_json(content: dict[str, Any]) -> str:
    """Return an object as JSON text whose first key is the digest of the rest."""
    rest = json.dumps(content, allow_nan=False)[1:] + "\n"
    return f"{_FIRST.decode()}{hashlib.sha256(rest.encode()).hexdigest()}{_SECOND.decode()}{rest}"


def is_sealed(path: Path) -> bool:
    """Whether a file has a digest in its place."""
    with path.open("rb") as file:
        return _sealed_part(file) is not None


def wrong(path: Path) -> str | None:
    """Return what is wrong with a state file, None where it is what was saved."""
    with path.open("rb") as file:
        part = _sealed_part(file)
        if part is None:
            return _wrong_without_digest(path)
        begin, length, expected = part
        file.seek(begin)
        found = hashlib.sha256()
        while length > 0 and (chunk := file.read(min(_CHUNK, length))):
            found.update(chunk)
            length -= len(chunk)
    return None if found.hexdigest().encode() == expected else "its bytes are not those that were saved"


def _sealed_part(file: IO[bytes]) -> tuple[int, int, bytes] | None:
    """Return where the bytes that the digest is of begin, how many they are, and the digest; None without one."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(len(_FIRST) + _DIGITS + len(_SECOND))
    if head.startswith(_FIRST) and head.endswith(_SECOND):
        return len(head), size - len(head), head[len(_FIRST) :][:_DIGITS]
    length = size - len(_LINE) - _DIGITS
    if length < 0:
        return None
    file.seek(length)
    line = file.read()
    return (0, length, line[len(_LINE) :]) if line.startswith(_LINE) else None


def _wrong_without_digest(path: Path) -> str | None:
    if path.suffix == ".json":
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            return " ".join(f"it is no JSON: {error}".split())[:200] if path.stat().st_size else "it is empty"
        # other keys are those of a digest that was damaged
        return None if isinstance(content, dict) and set(content) == {"curve", "parts"} else "it holds something else"
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_OF_ZIP_LENGTH))
        if not file.read().startswith(_END_OF_ZIP):
            return "it is not whole" if size else "it is empty"
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        return f"it is not whole: {error}"
    return None if broken is None else f"the checksum of {broken} in it does not hold"

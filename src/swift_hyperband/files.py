"""Files that are whole or not there: written beside their place, then renamed. Readers never see half of one."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from swift_hyperband.errors import UserError


def write_text(path: Path, text: str) -> None:
    """Write a text file by temporary file, fsync and rename; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # process id and host keep two writers of the same file apart, also on a shared file system
    temporary = path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write JSON as `write_text` does. Numbers must be finite: callers write null for what is not."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    UserError
        If the file is not there or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: this file is missing") from None
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: must be JSON, found {error}; delete the file and start the search again") from None


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()

"""The folder of a program's state, with a digest of every file, so that a damaged one is never gone on from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HALF_WRITTEN = ".state.*.tmp"
"""States, files or folders, that a process was writing when it was killed."""
NO_STATE = "-"
"""Stands for the folder where there is none: before the first start, and of programs that cannot go on from a state."""


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in a folder and below, by its path in the folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[str(path.relative_to(folder))] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def wrong(trial: Path, state: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the folder that a program's saved state names; None if it is what was saved.

    Parameters
    ----------
    trial : Path
        The trial's folder.
    state : mapping
        The `state_dict` of a `CommandTarget`: the folder's name and the digests of its files.
    """
    name, expected = state["state"], state.get("digests")
    if name == NO_STATE:
        return None
    folder = trial / name
    if not folder.is_dir():
        return f"{name} is not there"
    # states of early versions have no digests; files beside those that were saved do no harm
    found = digests(folder) if expected else {}
    changed = next((file for file, digest in (expected or {}).items() if found.get(file) != digest), None)
    return None if changed is None else f"{name}/{changed} is not what was saved"

"""Digests of the files that a decision was taken from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import digest, read_json
from swift_hyperband.results.contents import _INPUTS
from swift_hyperband.results.layout import StudyFolder


def input_digests(folder: StudyFolder, inputs: Iterable[Path]) -> dict[str, str]:
    """Return the digests of the files that a decision was taken from, by their path in the study's folder."""
    return {str(path.relative_to(folder.path)): digest(path) for path in inputs}


def changed_input(folder: StudyFolder, inputs: Mapping[str, str]) -> str | None:
    """Return the first of the files that a decision was taken from that is not there any more as it was."""
    for name, stored in inputs.items():
        source = folder.path / name
        if not source.is_file() or digest(source) != stored:
            return name
    return None


def verify_inputs(folder: StudyFolder, decisions: Iterable[Path]) -> None:
    """Check that each decision was taken from the files that lie there now.

    Raises
    ------
    UserError
        If a file changed after a decision was taken from it.
    """
    for path in decisions:
        if (name := changed_input(folder, read_json(path, _INPUTS)["inputs"])) is not None:
            raise UserError(
                f"{path}: was taken from another {name} than the one there now; "
                f"delete {path} and start the search again, nothing trained is lost"
            )

"""Refuses, in one line, folders whose names Snakemake or a scheduler would misread."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from swift_hyperband.base.errors import UserError

BRACES = "{}"
SUBMITTED = '"$`\\%\n\r'
"""What the commands that submit a job expand, whatever is quoted in them; a % stands for a job's number to SLURM."""


def check_folder(path: Path) -> None:
    """Refuse a folder that Snakemake cannot work in: it takes braces for wildcards.

    Raises
    ------
    UserError
    """
    _check(path, BRACES, "as Snakemake takes them for wildcards")


def check_paths_for_cluster(paths: Iterable[object], python: str) -> None:
    """Refuse paths that change on their way through the submission of a job.

    Parameters
    ----------
    paths : iterable of paths
        Which Snakemake quotes.
    python : str
        The environment's Python, which it does not.

    Raises
    ------
    UserError
    """
    for path in paths:
        _check(path, BRACES + SUBMITTED, "as jobs are submitted by commands that name it")

    if shlex.quote(python) != python:
        raise UserError(
            f"{python!r}: the environment's path must hold letters, digits and ./_-+=:,@% only, as Snakemake names it "
            "in jobs as it is; make the environment in another folder"
        )


def _check(path: object, characters: str, why: str) -> None:
    if found := [character for character in characters if character in str(path)]:
        shown = " ".join(repr(character) if not character.isprintable() else character for character in found)
        what = ascii(str(path)) if not str(path).isprintable() else str(path)
        raise UserError(f"{what}: this path must hold no {shown}, {why}; rename the folder, or work in another one")

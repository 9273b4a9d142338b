"""Finds what the project ships beside its code (workflow, profiles, pages ...), in a clone or an installed package.

The wheel has the folders of the repository's top in the package's folder `shipped` (pyproject.toml says which); in a
clone they lie at the top. So each exists once, where users of a clone look for it.
"""

from __future__ import annotations

from pathlib import Path

from swift_hyperband.base.errors import UserError

PACKAGE = Path(__file__).parents[1]
INSTALLED = PACKAGE / "shipped"
CLONE = PACKAGE.parents[1]

SNAKEFILE = "workflow/Snakefile"
DEFAULT_PROFILE = "workflow/profiles/default"
SCHEMA = "workflow/schemas/study.schema.json"
STARTS = "examples/init"
"""A folder for each kind of target, with what `init` writes."""
PROFILES = "profiles"
DOCS = "docs"
KEYS = "config/README.md"
"""Every key of a study; pages of the documentation link to it."""


def shipped(name: str) -> Path:
    """Return the path of a shipped file or folder, such as `workflow/Snakefile`.

    Raises
    ------
    UserError
        If it is not there.
    """
    found = (INSTALLED if INSTALLED.is_dir() else CLONE) / name
    if not found.exists():
        raise UserError(f"{found}: must be there, as it is a part of swift-hyperband, found none; install it again")
    return found


def page(name: str) -> str:
    """Return the path by which a message names a page of the documentation."""
    found, here = (INSTALLED if INSTALLED.is_dir() else CLONE) / DOCS / name, Path(DOCS, name)
    # in a clone, from its folder
    return str(here if here.exists() and here.samefile(found) else found)

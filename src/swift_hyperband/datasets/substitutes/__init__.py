"""Freely available data in the formats of restricted data sets, for the same readers.

Each module has a function `write` with the folder data/ as its argument. It returns the folders that it wrote,
and leaves complete ones alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from swift_hyperband.base.files import write_json
from swift_hyperband.base.packages import cure

NOTE = "where-from.json"
"""The origin of a folder's data. It is written last, so a folder with this file is complete."""


@dataclass(frozen=True)
class Substitute:
    """A freely available data set.

    Attributes
    ----------
    module : str
        Module of this package.
    folders : tuple of str
        Folders that it writes, below data/.
    what, licence, size : str
        Shown to the user.
    needs : str
        Command that installs a further requirement; empty for none.
    """

    module: str
    folders: tuple[str, ...]
    what: str
    licence: str
    size: str
    needs: str = ""


SUBSTITUTES: Mapping[str, Substitute] = {
    "fashion-mnist": Substitute(
        "fashion_mnist",
        ("fashion-cifar10", "fashion-svhn"),
        "Fashion-MNIST in the formats of CIFAR-10 and SVHN",
        "MIT",
        "31 MB to fetch, 260 MB on disk",
    ),
    "brown": Substitute(
        "brown",
        ("brown-ptb",),
        "the Brown corpus in the format of the Penn Treebank",
        "free to redistribute",
        "3 MB to fetch, 7 MB on disk",
    ),
    "ttbar": Substitute(
        "ttbar",
        ("ttbar-delphes",),
        "top-quark pairs from PYTHIA 8 and a toy detector in the format of Delphes",
        "events are yours; PYTHIA is GPL-2",
        "nothing to fetch, a minute to generate, 36 MB on disk",
        needs=cure("pythia8mc"),
    ),
}
"""By the name on the command line."""


def write(name: str, data: Path) -> list[Path]:
    """Write a substitute below a folder, unless it exists; return its folders."""
    found = SUBSTITUTES[name]
    paths = [data / folder for folder in found.folders]
    if not all((path / NOTE).exists() for path in paths):
        import_module(f"{__name__}.{found.module}").write(data)
    return paths


def finish(folder: Path, **what: object) -> None:
    """Write the note on the origin of a folder's data, as the last of its files."""
    write_json(folder / NOTE, {"note": "not the data of this name, but others in its format", **what})


def about(folder: Path) -> dict[str, object]:
    """Return the note of a folder."""
    return dict(json.loads((folder / NOTE).read_text(encoding="utf-8")))

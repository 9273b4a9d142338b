"""Data that anybody can have, written in the formats of data that only some have, so that the same readers read them.

Each module has a function `write` that takes the folder data/ and a function that is told what happens, and returns
the folders that it wrote. What is there already is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from swift_hyperband.base.files import write_json

Tell = Callable[[str], None]

NOTE = "where-from.json"
"""What a folder is, written last: one that has it is complete."""


@dataclass(frozen=True)
class Substitute:
    """What can be had.

    Attributes
    ----------
    module : str
        In this package.
    folders : tuple of str
        What it writes, below data/.
    what, licence, size : str
        For people.
    needs : str
        What must be installed besides; empty for nothing.
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
        needs="pip install 'pythia8mc==8.317.2' --only-binary=:all:",
    ),
}
"""By the name that the command takes."""


def write(name: str, data: Path, tell: Tell) -> list[Path]:
    """Write a substitute below a folder, unless it is there; return its folders."""
    found = SUBSTITUTES[name]
    paths = [data / folder for folder in found.folders]
    if not all((path / NOTE).exists() for path in paths):
        import_module(f"{__name__}.{found.module}").write(data, tell)
    return paths


def finish(folder: Path, **what: object) -> None:
    """Note what a folder holds, as the last of its files."""
    write_json(folder / NOTE, {"note": "not the data of this name, but others in its format", **what})


def about(folder: Path) -> dict[str, object]:
    """Return what is noted of a folder."""
    return dict(json.loads((folder / NOTE).read_text(encoding="utf-8")))

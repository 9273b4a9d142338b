"""Readers for the files that users of the paper's targets have on disk. NumPy alone; nothing is downloaded here.

`substitutes` writes freely available data in the same formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.base.errors import UserError


@dataclass(frozen=True)
class Images:
    """Images and their classes.

    Attributes
    ----------
    pixels : array of uint8, shape (n, channels, height, width)
    classes : array of int64, shape (n,)
    """

    pixels: NDArray[np.uint8]
    classes: NDArray[np.int64]


def folder(options: Mapping[str, Any], default: str) -> Path:
    """Return where a target's data lie: its option `data`, relative to the working directory, or data/<default>.

    Raises
    ------
    UserError
        If there is no such folder.
    """
    path = Path(str(options.get("data", f"data/{default}")))
    if not path.is_dir():
        raise UserError(
            f"target.options.data: must be the folder with the data, found no folder {path}; put them there, or "
            "'swift-hyperband data' fetches free data"
        )
    return path


def existing(path: Path) -> Path:
    """Return the path of a file, which must exist."""
    if not path.is_file():
        raise UserError(f"target.options.data: {path.parent} must hold {path.name}, found no such file")
    return path

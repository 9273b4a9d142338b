"""IDX files, compressed with gzip, as MNIST and Fashion-MNIST are published."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets import existing


def read(path: Path) -> NDArray[np.uint8]:
    """Return the array of bytes in a file.

    Raises
    ------
    UserError
        If the file is missing or damaged, or has another type than bytes.
    """
    try:
        with gzip.open(existing(path)) as file:
            content = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: must be a whole gzip file, found: {error}; fetch it again") from None
    # two zeros, the type (8: unsigned bytes), the number of axes, and the length of each
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise UserError(f"{path}: must be an IDX file of bytes, found one that begins with {content[:4]!r}")
    axes = content[3]
    shape = tuple(int(length) for length in np.frombuffer(content[4 : 4 + 4 * axes], ">i4"))
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * axes)
    if len(values) != math.prod(shape):
        raise UserError(f"{path}: must hold {math.prod(shape)} bytes for the shape {shape}, found {len(values)}")
    return values.reshape(shape)

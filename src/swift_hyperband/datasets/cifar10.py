"""CIFAR-10 as its authors publish it for Python: cifar-10-batches-py/data_batch_1 ... data_batch_5 and test_batch.

Each is a pickle of Python 2, a dict with b"data", shape (n, 3072), uint8: 1024 red, 1024 green and 1024 blue values a
row, and b"labels", a list. A file may have any number of images.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets import Images, existing
from swift_hyperband.datasets.unpickling import load

BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
CLASSES = 10


def read(folder: Path, names: tuple[str, ...] = BATCHES) -> Images:
    """Return the images of some of the files, in their order.

    Parameters
    ----------
    folder : Path
        The folder of the files, or the one that contains cifar-10-batches-py.
    names : tuple of str

    Raises
    ------
    UserError
        If a file is missing, damaged or not in the format of CIFAR-10.
    """
    inner = folder / "cifar-10-batches-py"
    parts = [_read(existing((inner if inner.is_dir() else folder) / name)) for name in names]
    return Images(np.concatenate([part.pixels for part in parts]), np.concatenate([part.classes for part in parts]))


def _read(path: Path) -> Images:
    with path.open("rb") as file:
        content = load(file, path, encoding="bytes")
    if not isinstance(content, dict) or not {b"data", b"labels"} <= content.keys():
        found = ", ".join(map(repr, content)) if isinstance(content, dict) else type(content).__name__
        raise UserError(f"{path}: must be a dict with data and labels, found {found}")
    data, labels = np.asarray(content[b"data"]), np.asarray(content[b"labels"])
    if data.ndim != 2 or data.shape[1] != 3072 or data.dtype != np.uint8:
        raise UserError(f"{path}: data must be n rows of 3072 bytes, found {data.shape} of {data.dtype}")
    if labels.shape != (len(data),) or not len(data) or labels.min() < 0 or labels.max() >= CLASSES:
        raise UserError(f"{path}: labels must be {len(data)} classes from 0 to 9, found {labels.shape} or others")
    return Images(data.reshape(-1, 3, 32, 32), labels.astype(np.int64))

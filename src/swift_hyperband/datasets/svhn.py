"""SVHN, cropped digits, as its authors publish it: train_32x32.mat and test_32x32.mat (MATLAB, version 5).

X has the shape (32, 32, 3, n), uint8; y has n labels, and label 10 is the digit 0.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.io import loadmat

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets import Images, existing

TRAINING, TEST = "train_32x32.mat", "test_32x32.mat"


def read(folder: Path, name: str = TRAINING) -> Images:
    """Return the images of a file.

    Raises
    ------
    UserError
        If the file is missing, damaged or not in the format of SVHN.
    """
    path = existing(folder / name)
    try:
        content = loadmat(path)
    except Exception as error:
        # the type of the error depends on the place of the damage
        found = " ".join(f"{type(error).__name__} {error}".split())
        raise UserError(f"{path}: must be a whole MATLAB file of version 5, found: {found}; fetch it again") from None
    if not {"X", "y"} <= content.keys():
        raise UserError(f"{path}: must hold X and y, found {', '.join(key for key in content if key[0] != '_')}")
    pixels, labels = content["X"], content["y"].ravel()
    if pixels.ndim != 4 or pixels.shape[:3] != (32, 32, 3) or pixels.dtype != np.uint8:
        raise UserError(f"{path}: X must have the shape (32, 32, 3, n), uint8, found {pixels.shape} of {pixels.dtype}")
    if len(labels) != pixels.shape[3] or not len(labels) or labels.min() < 0 or labels.max() > 10:
        raise UserError(f"{path}: y must be {pixels.shape[3]} labels from 1 to 10, found {labels.shape} or others")
    return Images(np.ascontiguousarray(pixels.transpose(3, 2, 0, 1)), labels.astype(np.int64) % 10)

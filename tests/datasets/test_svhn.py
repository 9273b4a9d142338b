"""SVHN is read as it is published; a broken file is told in a line with its name."""

import numpy as np
import pytest
from scipy.io import savemat

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets import svhn

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (20, 3, 32, 32), dtype=np.uint8)
LABELS = RANDOM.integers(0, 10, 20)


def told(function, *arguments):
    with pytest.raises(UserError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def test_svhn_is_read_and_its_label_10_is_the_digit_0(tmp_path):
    labels = np.where(LABELS == 0, 10, LABELS)
    savemat(tmp_path / "train_32x32.mat", {"X": PIXELS.transpose(2, 3, 1, 0), "y": labels[:, None]})
    found = svhn.read(tmp_path)
    assert np.array_equal(found.pixels, PIXELS)
    assert np.array_equal(found.classes, LABELS)


def test_files_that_are_none_of_svhn_are_told(tmp_path):
    path = tmp_path / "train_32x32.mat"
    assert "must hold train_32x32.mat" in told(svhn.read, tmp_path)
    path.write_bytes(b"nothing of the kind")
    assert "must be a whole MATLAB file of version 5" in told(svhn.read, tmp_path)
    savemat(path, {"X": PIXELS, "y": LABELS})
    assert "X must have the shape (32, 32, 3, n), uint8, found (20, 3, 32, 32)" in told(svhn.read, tmp_path)
    savemat(path, {"Z": PIXELS})
    assert "must hold X and y, found Z" in told(svhn.read, tmp_path)

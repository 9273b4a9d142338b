"""IDX files, of which a damaged one is told in a line with its name."""

import gzip
import struct

import numpy as np
import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets import folder, idx

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 3, 32, 32), dtype=np.uint8)


def told(function, *arguments):
    with pytest.raises(UserError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def test_idx_files_have_the_shape_that_they_say(tmp_path):
    path = tmp_path / "images.gz"
    grey = PIXELS[:, 0]
    path.write_bytes(gzip.compress(struct.pack(">HBBiii", 0, 8, 3, *grey.shape) + grey.tobytes()))
    assert np.array_equal(idx.read(path), grey)
    path.write_bytes(gzip.compress(struct.pack(">HBBiii", 0, 8, 3, *grey.shape) + grey.tobytes()[:-1]))
    assert "must hold 20480 bytes for the shape (20, 32, 32), found 20479" in told(idx.read, path)
    path.write_bytes(gzip.compress(b"text"))
    assert "must be an IDX file of bytes" in told(idx.read, path)
    path.write_bytes(gzip.compress(grey.tobytes())[:100])
    assert "must be a whole gzip file" in told(idx.read, path)


def test_a_missing_folder_is_told_with_what_fetches_data(tmp_path):
    message = told(folder, {"data": str(tmp_path / "none")}, "cifar-10")
    assert "target.options.data: must be the folder with the data, found no folder" in message
    assert "'swift-hyperband data'" in message

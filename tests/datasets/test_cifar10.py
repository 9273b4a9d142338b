"""CIFAR-10 is read as it is published; a broken file is told in a line with its name."""

import pickle

import numpy as np
import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets import cifar10

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (20, 3, 32, 32), dtype=np.uint8)
LABELS = RANDOM.integers(0, 10, 20)


def told(function, *arguments):
    with pytest.raises(UserError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def write_cifar10(path, pixels=PIXELS, labels=LABELS, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {b"data": pixels.reshape(len(pixels), -1), b"labels": list(map(int, labels)), **more}
    path.write_bytes(pickle.dumps(content, 2))


def test_cifar10_batches_follow_one_another(tmp_path):
    for number, name in enumerate(cifar10.BATCHES):
        write_cifar10(tmp_path / "cifar-10-batches-py" / name, PIXELS[number::5], LABELS[number::5])
    found = cifar10.read(tmp_path)
    order = [row for number in range(5) for row in range(20)[number::5]]
    assert type(found.pixels) is type(found.classes) is np.ndarray
    assert np.array_equal(found.pixels, PIXELS[order])
    assert np.array_equal(found.classes, LABELS[order])
    inner = cifar10.read(tmp_path / "cifar-10-batches-py", ("data_batch_2",))
    assert np.array_equal(inner.pixels, PIXELS[1::5])


@pytest.mark.parametrize(
    ("pixels", "labels", "needed"),
    [
        (PIXELS[:, :1], LABELS, "data must be n rows of 3072 bytes, found (20, 1024) of uint8"),
        (PIXELS.astype(float), LABELS, "data must be n rows of 3072 bytes, found (20, 3072) of float64"),
        (PIXELS, LABELS[:3], "labels must be 20 classes from 0 to 9"),
        (PIXELS, LABELS + 5, "labels must be 20 classes from 0 to 9"),
    ],
)
def test_a_file_that_is_none_of_cifar10_is_told(tmp_path, pixels, labels, needed):
    write_cifar10(tmp_path / "data_batch_1", pixels, labels)
    message = told(cifar10.read, tmp_path, ("data_batch_1",))
    assert f"{tmp_path}/data_batch_1: " in message
    assert needed in message


def test_missing_and_torn_files_of_cifar10_are_told(tmp_path):
    assert f"{tmp_path} must hold data_batch_1, found no such file" in told(cifar10.read, tmp_path)
    write_cifar10(tmp_path / "data_batch_1")
    whole = (tmp_path / "data_batch_1").read_bytes()
    (tmp_path / "data_batch_1").write_bytes(whole[: len(whole) // 2])
    assert "data_batch_1: must be a whole pickle, found: " in told(cifar10.read, tmp_path, ("data_batch_1",))

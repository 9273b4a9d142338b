"""Published files are read; broken ones are reported in one line with their name."""

import gzip
import os
import pickle
import struct

import numpy as np
import pytest
from scipy.io import savemat

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets import cifar10, folder, idx, svhn
from swift_hyperband.datasets.unpickling import load

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (20, 3, 32, 32), dtype=np.uint8)
LABELS = RANDOM.integers(0, 10, 20)


def told(function, *arguments):
    with pytest.raises(UserError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


# --- pickles -----------------------------------------------------------------------------------------------------


class Evil:
    def __reduce__(self):
        return os.system, ("touch owned",)


def test_a_pickle_that_would_run_code_runs_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil"
    path.write_bytes(pickle.dumps({b"data": Evil()}))
    with path.open("rb") as file:
        message = told(load, file, path)
    assert message.startswith(f"{path}: must hold arrays and plain data only, found ")
    assert "system" in message
    assert not (tmp_path / "owned").exists()


def test_arrays_numbers_and_plain_data_come_back(tmp_path):
    content = {"a": np.arange(6.0).reshape(2, 3), "b": [1, "x", None], "c": np.float32(2.5), "d": np.array([[1], [2]])}
    for protocol in (2, pickle.HIGHEST_PROTOCOL):
        (tmp_path / "plain").write_bytes(pickle.dumps(content, protocol))
        with (tmp_path / "plain").open("rb") as file:
            found = load(file, tmp_path / "plain")
        assert found["b"] == content["b"]
        assert found["c"] == 2.5
        assert np.array_equal(found["a"], content["a"])


class Called:
    """An object that a pickle makes by a call and then gives a state."""

    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


RECONSTRUCT, SCALAR = np._core.multiarray._reconstruct, np._core.multiarray.scalar
ADDRESS = b"\0" * 8
# each claims to have no objects
OBJECTS = Called(np.dtype, ("O8", False, True), (3, "|", None, None, None, -1, -1, 0))
FIELD_OF_OBJECTS = Called(np.dtype, ("V8", False, True), (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0))


def array_of(shape, dtype, content):
    return Called(RECONSTRUCT, (np.ndarray, (0,), b"b"), (1, shape, dtype, False, content))


@pytest.mark.parametrize(
    ("forged", "found"),
    [
        (Called(np.ndarray, ((1,), np.dtype("O"), ADDRESS)), "arrays and plain data only, found a call of numpy.nd"),
        (array_of((1,), FIELD_OF_OBJECTS, ADDRESS), "arrays and plain data only, found an array of dtype V8"),
        (Called(SCALAR, (FIELD_OF_OBJECTS, ADDRESS)), "arrays and plain data only, found an array of dtype V8"),
        (array_of((1,), OBJECTS, ADDRESS), "a whole pickle, found: "),
        (Called(SCALAR, (np.dtype("i8"), b"")), "a whole pickle, found: "),
        (array_of((500,), np.dtype("O"), [1]), "a whole pickle, found: ValueError an array of shape (500,) without"),
        (array_of((-1, -1), np.dtype("O"), [1]), "a whole pickle, found: ValueError an array of shape (-1, -1) with"),
        (array_of((np.int8(100), np.int8(100)), np.dtype("O"), [1] * 16), "a whole pickle, found: ValueError an array"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 5])
def test_arrays_of_forged_addresses_are_refused(tmp_path, forged, found, protocol):
    path = tmp_path / "forged"
    path.write_bytes(pickle.dumps({b"data": forged}, protocol))
    with path.open("rb") as file:
        assert told(load, file, path).startswith(f"{path}: must {'hold' if 'only' in found else 'be'} {found}")


ARRAYS = {
    "in columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "a slice": np.arange(20, dtype=np.float32).reshape(4, 5)[::2, 1:],
    "of the other byte order": np.arange(6, dtype=">i4"),
    "of bytes": PIXELS[:1],
    "of texts": np.array(["a", "bcd"]),
    "of bytes with a length": np.array([b"a", b"bcd"]),
    "of truth values": np.array([True, False]),
    "empty": np.zeros((0, 12)),
    "of no axis": np.array(3.5),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_ordinary_arrays_come_back_as_they_were(tmp_path, name, protocol):
    array = ARRAYS[name]
    (tmp_path / "array").write_bytes(pickle.dumps([array, array.ravel()[:1]], protocol))
    with (tmp_path / "array").open("rb") as file:
        found = np.asarray(load(file, tmp_path / "array")[0])
    assert type(found) is np.ndarray
    assert np.array_equal(found, array)
    # numpy converts to the machine's byte order
    assert (found.dtype.newbyteorder("="), found.shape) == (array.dtype.newbyteorder("="), array.shape)
    assert found.flags.f_contiguous == array.flags.f_contiguous


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_of_arrays_and_lists_of_arrays_come_back(tmp_path, protocol):
    parts = [np.ones((2, 3), np.float32), np.zeros((1, 3), np.float32)]
    objects = np.empty(2, object)
    objects[:] = parts
    (tmp_path / "arrays").write_bytes(pickle.dumps({"list": parts, "objects": objects}, protocol))
    with (tmp_path / "arrays").open("rb") as file:
        found = load(file, tmp_path / "arrays")
    for parts_found in found.values():
        assert len(parts_found) == 2
        for part, part_found in zip(parts, parts_found, strict=True):
            assert np.array_equal(part, np.asarray(part_found, np.float32))


def test_arrays_that_python_2_wrote_come_back(tmp_path):
    """As in CIFAR-10: texts and the names of dtypes are bytes."""
    text = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x03\x85cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89U\x03\x01\x80\xfftb."
    )
    (tmp_path / "old").write_bytes(text)
    with (tmp_path / "old").open("rb") as file:
        assert load(file, tmp_path / "old", encoding="bytes").tolist() == [1, 128, 255]


def test_modules_of_numpy_1_are_those_of_numpy_2(tmp_path):
    text = pickle.dumps(np.arange(3), 2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    (tmp_path / "old").write_bytes(text)
    with (tmp_path / "old").open("rb") as file:
        assert load(file, tmp_path / "old").tolist() == [0, 1, 2]


# --- CIFAR-10 ----------------------------------------------------------------------------------------------------


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


# --- SVHN --------------------------------------------------------------------------------------------------------


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


# --- IDX ---------------------------------------------------------------------------------------------------------


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

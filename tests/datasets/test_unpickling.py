"""Pickles of data sets: arrays and plain data come back, and nothing else is run or made."""

import os
import pickle

import numpy as np
import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.datasets.unpickling import load


def told(function, *arguments):
    with pytest.raises(UserError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


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
    "of bytes": np.arange(256, dtype=np.uint8).reshape(4, 8, 8),
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

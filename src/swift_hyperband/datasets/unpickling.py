"""Safe reading of pickles: arrays and plain data only. An ordinary pickle may run any code when it is read."""

from __future__ import annotations

import codecs
import math
import pickle
import re
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from swift_hyperband.base.errors import UserError

_MULTIARRAY, _NUMERIC = (import_module(f"numpy._core.{name}") for name in ("multiarray", "numeric"))


class _Array(np.ndarray[Any, Any]):
    """An array that a pickle may fill. It checks what NumPy trusts, since false values would become forged pointers."""

    __slots__ = ()

    def __new__(cls, *_: Any, **__: Any) -> NoReturn:
        """Refuse direct calls, as with a dtype of objects and bytes as their addresses; no honest pickle makes them."""
        raise _refusal("a call of numpy.ndarray")

    def __setstate__(self, state: Any) -> None:
        version, shape, dtype, in_columns, data = state
        lengths = [int(length) for length in shape]
        # NumPy would read beyond the end of a list that is too short
        if min(lengths, default=0) < 0 or (isinstance(data, list) and len(data) != math.prod(lengths)):
            raise ValueError(f"an array of shape {shape} without as many values")
        super().__setstate__((version, shape, dtype.plain(), in_columns, data))


class _Dtype:
    """A dtype that a pickle may describe: numbers, texts or objects, whatever its fields and flags.

    A pickled dtype can deny its objects; NumPy would then take bytes for their addresses.
    """

    def __init__(self, code: str | bytes, *_: Any) -> None:
        # Python 2 wrote bytes
        self._code = code.decode() if isinstance(code, bytes) else code
        self._order = "="
        if not re.fullmatch(r"[biufcSUO]\d+", self._code, re.ASCII):
            raise _refusal(f"an array of dtype {self._code}")

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        self._order = order.decode() if isinstance(order, bytes) else order
        if self._order not in ("<", ">", "=", "|"):
            raise ValueError(f"the byte order {self._order}")

    def plain(self) -> np.dtype[Any]:
        return np.dtype(self._order + self._code)


def _scalar(dtype: _Dtype, *data: Any) -> Any:
    return _MULTIARRAY.scalar(dtype.plain(), *data)


def _frombuffer(buffer: Any, dtype: _Dtype, *shape_and_order: Any) -> NDArray[Any]:
    found: NDArray[Any] = _NUMERIC._frombuffer(buffer, dtype.plain(), *shape_and_order)
    return found


READ: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy._core.multiarray", "_reconstruct"): _MULTIARRAY._reconstruct,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy._core.numeric", "_frombuffer"): _frombuffer,
    ("_codecs", "encode"): codecs.encode,
    # protocol 2 writes the bytes of an empty array so
    ("__builtin__", "bytes"): lambda: b"",
}
"""The allowed constructors of NumPy's arrays and numbers, also under the module names of NumPy 1 (numpy.core)."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy.core.", "numpy._core.")
        if (module, name) not in READ:
            raise _refusal(f"{module}.{name}")
        return READ[module, name]


def _refusal(found: str) -> UserError:
    return UserError(f"must hold arrays and plain data only, found {found}, which is not read")


def load(file: IO[bytes], path: Path, encoding: str = "ASCII") -> Any:
    """Return the content of a pickle. Its arrays may be of a subclass: `numpy.asarray` makes them plain.

    Parameters
    ----------
    file : binary file
    path : Path
        Named in errors.
    encoding : str
        Encoding of texts from Python 2; "bytes" leaves them as bytes.

    Raises
    ------
    UserError
        If it is damaged, or has anything but plain data and arrays of numbers, texts or such data.
    """
    try:
        return _Unpickler(file, encoding=encoding).load()
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except Exception as error:
        # the type of the error depends on the place of the damage
        found = " ".join(f"{type(error).__name__} {error}".split())
        raise UserError(f"{path}: must be a whole pickle, found: {found}; fetch it again") from None

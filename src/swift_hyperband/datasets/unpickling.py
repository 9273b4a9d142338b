"""Pickles from the internet: arrays and plain data only. An ordinary pickle may run any code when it is read."""

from __future__ import annotations

import pickle
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from swift_hyperband.errors import UserError

ALLOWED = {
    *(("numpy", name) for name in ("ndarray", "dtype")),
    *(("numpy._core.multiarray", name) for name in ("_reconstruct", "scalar")),
    ("numpy._core.numeric", "_frombuffer"),
    ("_codecs", "encode"),
}
"""What is made of NumPy's arrays and numbers; of numpy 1, whose modules were called numpy.core, too."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy.core.", "numpy._core.")
        if (module, name) not in ALLOWED:
            raise UserError(f"must hold arrays and plain data only, found {module}.{name}, which is not read")
        return getattr(import_module(module), name)


def load(file: IO[bytes], path: Path, encoding: str = "ASCII") -> Any:
    """Return what a pickle holds.

    Parameters
    ----------
    file : binary file
    path : Path
        Named in errors.
    encoding : str
        Of texts that Python 2 wrote; "bytes" leaves them as they are.

    Raises
    ------
    UserError
        If it holds anything but arrays and plain data, or is damaged.
    """
    try:
        return _Unpickler(file, encoding=encoding).load()
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except Exception as error:
        # which errors a damaged file raises depends on where it is damaged
        found = " ".join(f"{type(error).__name__} {error}".split())
        raise UserError(f"{path}: must be a whole pickle, found: {found}; fetch it again") from None

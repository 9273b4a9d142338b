"""Files of runs: rows by seed and their definition, so that no run is repeated."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from swift_hyperband.base.parquet import open_table, write_table

logger = logging.getLogger(__name__)

Row = dict[str, Any]

_KEY = b"swift-hyperband"
"""Of our part of the metadata of a parquet file."""


def digest(definition: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what defines the rows of a file, in JSON's types."""
    return sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


def read(path: Path, digest: str) -> dict[int, Row]:
    """Return the rows of a file by seed: none if there is no such file, or if it holds those of another definition."""
    try:
        # read_table would import pandas, where it is installed
        with open_table(path) as file:
            table = file.read()
        if json.loads(table.schema.metadata[_KEY])["digest"] != digest:
            return {}
        return {row["seed"]: row for row in table.to_pylist()}
    except FileNotFoundError:
        return {}
    except (OSError, pyarrow.ArrowException, KeyError, TypeError, ValueError) as error:
        found = " ".join(str(error).split())[:200]
        logger.warning(f"{path}: is damaged or none of ours, and made anew ({found})")
        return {}


def schema(columns: Mapping[str, type]) -> pyarrow.Schema:
    """Return the schema of columns of whole numbers, floats, text and truth values."""
    types = {int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string(), bool: pyarrow.bool_()}
    return pyarrow.schema([(name, types[type_]) for name, type_ in columns.items()])


def write(path: Path, rows: Mapping[int, Row], columns: Mapping[str, type], definition: Mapping[str, Any]) -> None:
    """Write rows in the order of their seeds, with their definition; the file is replaced as a whole."""
    told = json.dumps({"digest": digest(definition), "definition": definition})
    ordered = [rows[seed] for seed in sorted(rows)]
    write_table(path, pyarrow.Table.from_pylist(ordered, schema(columns).with_metadata({_KEY: told.encode()})))

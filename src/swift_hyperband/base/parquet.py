"""Parquet tables, written whole."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet


def open_table(path: Path) -> pyarrow.parquet.ParquetFile:
    """Open a table to read it; a page that does not fit its checksum raises an OSError when it is read."""
    return pyarrow.parquet.ParquetFile(path, page_checksum_verification=True)


def write_table(path: Path, table: pyarrow.Table) -> None:
    """Write a table (parquet, zstd, checksums) by temporary file and rename; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}.tmp")
    try:
        pyarrow.parquet.write_table(table, temporary, compression="zstd", write_page_checksum=True)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)

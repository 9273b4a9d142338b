"""Parquet tables, written whole."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet

from swift_hyperband.base.files import whole


def open_table(path: Path) -> pyarrow.parquet.ParquetFile:
    """Open a table to read it; a page that does not fit its checksum raises an OSError when it is read."""
    return pyarrow.parquet.ParquetFile(path, page_checksum_verification=True)


def write_table(path: Path, table: pyarrow.Table) -> None:
    """Write a table whole (parquet, zstd, checksums)."""
    with whole(path) as temporary:
        pyarrow.parquet.write_table(table, temporary, compression="zstd", write_page_checksum=True)

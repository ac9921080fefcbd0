"""What is in a file that was written, as text that can be searched."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq


def texts(path: Path) -> Iterator[str]:
    """Everything in a file as text: the cells of tables, the values of databases, and the bytes themselves."""
    yield path.read_bytes().decode("utf-8", "replace")
    if path.suffix == ".parquet":
        for name, column in pq.read_table(path).to_pydict().items():
            yield from (f"{name} {cell}" for cell in column)
    elif path.suffix == ".db":
        with sqlite3.connect(path) as database:
            tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
            for table in tables:
                for row in database.execute(f'select * from "{table}"'):
                    yield from (_value(value) for value in row)


def _value(value: object) -> str:
    if isinstance(value, bytes):
        try:
            value = zlib.decompress(value)
        except zlib.error:
            return value.decode("utf-8", "replace")
        return value.decode("utf-8", "replace")
    return str(value)

"""Tables cut by person: a bucket holds every row of its people, whatever the table, and no row of others.

What a query says of a person who shares no row with others is then the same, to the last bit, from a bucket as from the
whole. How many buckets there are decides how much is worked on at a time, and nothing else.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ROW = "_row"  # in a part of a table: where in the whole each of its rows stood


class Bucket(NamedTuple):
    """One of some buckets; they are numbered from 0."""

    number: int
    of: int


def buckets(number: int) -> list[Bucket]:
    """All of so many buckets."""
    return [Bucket(one, number) for one in range(number)]


def numbers_of(tokens: pa.Array | pa.ChunkedArray, number: int) -> np.ndarray:
    """The bucket of each token: the same in every table and on every machine. What has no token lies in the first."""
    whole = pa.chunked_array(tokens) if isinstance(tokens, pa.Array) else tokens
    encoded = whole.cast(pa.string()).combine_chunks().dictionary_encode()
    of_token = [0 if token is None else zlib.crc32(token.encode()) % number for token in encoded.dictionary.to_pylist()]
    places = encoded.indices.fill_null(len(of_token)).to_numpy(zero_copy_only=False)
    return np.array([*of_token, 0], dtype=np.int64)[places]


def rows_of_bucket(rows: pa.Table, column: str, bucket: Bucket | None) -> pa.Table:
    """The rows of the people of one bucket, in their order; all of them where there is none."""
    if bucket is None:
        return rows
    return rows.filter(pa.array(numbers_of(rows[column], bucket.of) == bucket.number))


def cut(rows: pa.Table, column: str, number: int) -> list[pa.Table]:
    """A table in parts, one for each bucket, from which `whole_of` makes it again."""
    there = rows.append_column(ROW, pa.array(np.arange(rows.num_rows), pa.int64()))
    numbers = numbers_of(rows[column], number)
    return [there.filter(pa.array(numbers == one)) for one in range(number)]


def part_of(part: pa.Table) -> pa.Table:
    """The rows of a part as they are in the table."""
    return part.drop_columns([ROW])


def whole_of(parts: Sequence[pa.Table]) -> pa.Table:
    """The table that was cut into parts, its rows in their order."""
    rows = pa.concat_tables(parts)
    return part_of(rows.take(pc.sort_indices(rows[ROW])))

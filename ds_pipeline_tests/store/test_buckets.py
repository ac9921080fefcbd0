"""A bucket holds all rows of its people and no others, and the parts make the very table that was cut."""

from __future__ import annotations

import pyarrow as pa

from ds_pipeline.store.buckets import Bucket, buckets, cut, numbers_of, part_of, rows_of_bucket, whole_of
from ds_pipeline.store.snapshots import encode

# crc32 by zlib's own documentation: b"a" is 3904355907, b"b" 1908338681, b"d" 2564639436.
TOKENS = pa.array(["a", "b", None, "a", "d", "b"])
ROWS = pa.table({"token": TOKENS, "value": pa.array([1.5, float("nan"), 3.0, None, 5.0, 6.0])})


def test_a_token_lies_in_the_same_bucket_everywhere_and_nobody_in_the_first() -> None:
    in_pieces = pa.chunked_array([TOKENS[:2], TOKENS[2:]])

    assert numbers_of(TOKENS, 16).tolist() == numbers_of(in_pieces, 16).tolist() == [3, 9, 0, 3, 12, 9]
    assert numbers_of(TOKENS, 1).tolist() == [0] * 6


def test_the_buckets_of_a_table_hold_each_row_once_in_its_order() -> None:
    found = [rows_of_bucket(ROWS, "token", bucket)["value"].to_pylist()[-1:] for bucket in buckets(16)]

    assert rows_of_bucket(ROWS, "token", Bucket(3, 16)).to_pylist() == [
        {"token": "a", "value": 1.5},
        {"token": "a", "value": None},
    ]
    assert [number for number, rows in enumerate(found) if rows] == [0, 3, 9, 12]


def test_the_parts_make_the_table_again_to_the_last_byte() -> None:
    for number in (2, 16):
        parts = cut(ROWS, "token", number)

        assert encode(whole_of(parts)) == encode(ROWS)
        assert [encode(part_of(part)) for part in parts] == [
            encode(rows_of_bucket(ROWS, "token", one)) for one in buckets(number)
        ]  # bytes: NaN is no equal of NaN


def test_a_table_without_rows_has_empty_parts() -> None:
    parts = cut(ROWS.slice(0, 0), "token", 2)

    assert [part.num_rows for part in parts] == [0, 0]
    assert whole_of(parts).schema == ROWS.schema

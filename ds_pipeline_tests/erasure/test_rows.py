"""Rows are found by token in any text column, and by identifier in a list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ds_pipeline.erasure.rows import listed_rows, read_csv, rows_of, tokens_in, without, write_csv

ANN, BOB, CAT = "a" * 32, "b" * 32, "c" * 32


def test_a_row_is_found_by_a_token_in_any_text_column() -> None:
    table = pa.table(
        {
            "spend": [1.0, 2.0, 3.0, 4.0],
            "customer_token": [ANN, BOB, None, BOB],
            "referred_by": pa.array([BOB, BOB, BOB, CAT], pa.large_string()),
            "kind": pa.array([CAT, "x", "x", "x"]).dictionary_encode(),
        }
    )
    assert rows_of(table, {ANN}).tolist() == [True, False, False, False]
    assert rows_of(table, {CAT}).tolist() == [True, False, False, True]
    assert rows_of(table, {ANN, BOB}).tolist() == [True, True, True, True]
    assert rows_of(table, {"d" * 32}).tolist() == [False, False, False, False]


def test_the_other_rows_stay_in_their_order_in_one_piece() -> None:
    table = pa.concat_tables([pa.table({"n": [1, 2]}), pa.table({"n": [3, 4]})])

    left = without(table, np.array([False, True, False, False]))

    assert left["n"].to_pylist() == [1, 3, 4]
    assert left["n"].num_chunks == 1


def test_tokens_are_told_from_other_texts() -> None:
    table = pa.table({"token": [ANN, BOB, None], "text": ["a" * 31, "q" * 32, f"see {CAT}"], "n": [1, 2, 3]})

    assert tokens_in(table) == {ANN, BOB}


def test_a_listed_text_is_found_behind_the_apostrophe_of_a_spreadsheet() -> None:
    def is_listed(values: Sequence[object]) -> np.ndarray:
        return np.array([value in ("=7", "'x", "a\n;=7", 17850) for value in values])

    assert listed_rows(["'=7", "=7", "'x", "x", "7"], is_listed).tolist() == [True, True, True, False, False]
    assert listed_rows(["a␊;'=7", "a␊;=8"], is_listed).tolist() == [True, False]
    assert listed_rows([17850, 178], is_listed).tolist() == [True, False]
    assert listed_rows([], is_listed).tolist() == []


def test_the_other_lines_of_a_csv_list_stay_byte_for_byte() -> None:
    content = b'id,note,score\n1,"a, b",0.10\n2,"two\nlines",0.2\n3,"say ""x""",\n'

    lines = read_csv(content)

    assert write_csv(lines) == content
    assert write_csv([lines[0], lines[2]]) == b'id,note,score\n2,"two\nlines",0.2\n'

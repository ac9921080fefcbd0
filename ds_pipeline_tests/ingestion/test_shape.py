"""What is said when a source has other columns or types than before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.read import read_source, source_shape
from ds_pipeline.ingestion.shape import drift_of, merged, shape_of
from ds_pipeline.use_case.sources import Table

ROWS = pa.table({"payment": [1], "amount": [1.5], "note": ["x"], "paid_at": pa.array([0], pa.timestamp("us"))})


def test_columns_that_came_went_or_changed_their_type_are_named() -> None:
    before = {"payment": "int64", "amount": "double", "note": "string"}
    now = {"payment": "string", "amount": "double", "iban": "string"}

    assert drift_of(before, now) == [
        "added: iban (string)",
        "gone: note (string)",
        "changed type: payment (int64 to string)",
    ]
    assert drift_of(before, dict(reversed(before.items()))) == []


def test_a_name_that_may_be_a_cell_is_called_by_its_position() -> None:
    assert shape_of([("payment", pa.int64()), ("anna@example.org", pa.string())]) == {
        "payment": "int64", "column 2": "string"
    }  # fmt: skip


def test_the_field_names_of_a_nested_type_are_left_out() -> None:
    assert shape_of([("note", pa.struct([("anna", pa.string())]))]) == {"note": "struct"}


def test_the_shape_of_many_files_has_the_columns_and_types_of_all() -> None:
    assert merged([{"a": "int64"}, {"a": "double", "b": "string"}]) == {"a": "double or int64", "b": "string"}


def test_an_added_column_is_left_unread_where_that_is_declared(declare: Callable[..., Table], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    pq.write_table(ROWS.append_column("iban", ROWS["note"]), tmp_path / "data" / "payments.parquet")
    table = declare(added_columns="warn")

    assert "iban" not in read_source(table, name="payments", project=tmp_path).column_names
    assert source_shape(table, name="payments", project=tmp_path)["iban"] == "string"
    with pytest.raises(SourceError, match="not declared: iban"):
        read_source(declare(), name="payments", project=tmp_path)


def test_a_column_that_is_gone_stops_the_run_wherever_others_were_added(
    declare: Callable[..., Table], tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    renamed = ROWS.rename_columns(["payment", "amount", "remark", "paid_at"])
    pq.write_table(renamed, tmp_path / "data" / "payments.parquet")

    with pytest.raises(SourceError, match="missing: note; not declared: remark"):
        read_source(declare(added_columns="warn"), name="payments", project=tmp_path)

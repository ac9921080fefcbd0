"""What a source without a header row, or with a cell that nothing can hold, says to the user: never a cell."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.boundary.cross import values_stay_inside
from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.cast import cast_columns
from ds_pipeline.ingestion.read import read_source
from ds_pipeline.masking.columns.treatments import age_band
from ds_pipeline.use_case.sources import Table

Declare = Callable[..., Table]


def assert_stands_alone(error: Exception) -> None:
    """Neither a cause nor a context: Dagster writes both into its event log, cell and all."""
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_the_first_record_of_a_file_without_a_header_is_not_shown(tmp_path: Path, declare: Declare) -> None:
    """The names of undeclared columns were shown; without a header row they were a customer."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "payments.csv").write_text("Patel,anna@example.org,07700900375,2011-03-01\n")
    with pytest.raises(SourceError, match="is there a header row") as error:
        read_source(declare(path="data/payments.csv", format="csv"), name="payments", project=tmp_path)
    assert not any(part in str(error.value) for part in ("Patel", "anna", "07700900375"))
    assert "column 1" in str(error.value)


def test_the_field_names_of_a_nested_column_are_not_shown(tmp_path: Path, declare: Declare) -> None:
    table = declare()
    (tmp_path / "data").mkdir()
    rows = {name: [{"jane@example.org": "x"}] for name in table.columns}
    pq.write_table(pa.table(rows), tmp_path / "data" / "payments.parquet")
    with pytest.raises(SourceError, match=r"found struct[;.]") as error:
        read_source(table, name="payments", project=tmp_path)
    assert "jane" not in str(error.value)


def test_what_a_library_says_of_a_cell_stays_inside() -> None:
    expected = pytest.raises(SourceError, match=r"clients: a cell cannot be handled \(ValueError")
    with expected as error, values_stay_inside("clients"):
        raise ValueError("cannot parse anna@example.org")
    assert "anna" not in str(error.value)
    assert_stands_alone(error.value)


def test_a_birth_date_that_nothing_can_hold_is_not_quoted_by_a_chained_error() -> None:
    with pytest.raises(SourceError) as error:
        age_band(
            pd.Series([date(1601, 7, 13)], dtype=pd.ArrowDtype(pa.date32())),
            at=pd.Series([pd.Timestamp("2011-03-01", tz="UTC")]),
        )
    assert "1601" not in str(error.value)
    assert_stands_alone(error.value)


def test_a_blank_identifier_is_a_missing_one(declare: Declare) -> None:
    table = declare(
        {"client": {"type": "string", "identifies": "direct", "treatment": "token", "token_domain": "client"}}
    )
    raw = pa.table({"client": ["", "  ", " c1 "], "paid_at": pa.array([None] * 3, pa.timestamp("us"))})
    assert cast_columns(raw, table)[0]["client"].to_pylist() == [None, None, "c1"]

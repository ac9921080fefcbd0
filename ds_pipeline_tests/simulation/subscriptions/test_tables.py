"""Claims about the tables that are written."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from ds_pipeline.simulation.subscriptions.tables import SCHEMAS, TRUTH, path_of, schema_of


def test_the_truth_lies_in_a_folder_of_its_own() -> None:
    paths = {path_of(Path("data"), name) for name in SCHEMAS}

    assert path_of(Path("data"), TRUTH) == Path("data/truth/hazard.parquet")
    assert path_of(Path("data"), "users") == Path("data/users.parquet")
    assert len(paths) == len(SCHEMAS)


def test_a_schema_says_what_made_it_and_has_the_columns_in_order() -> None:
    schema = schema_of("payments", users=7, weeks=12, seed=3)

    assert schema.names == [name for name, _ in SCHEMAS["payments"]]
    assert schema.metadata == {
        b"synthetic": b"true", b"data_class": b"public", b"made_by": b"ds-pipeline simulate subscription_churn",
        b"seed": b"3", b"users": b"7", b"weeks": b"12",
    }  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_instant_has_a_zone_and_money_two_decimals(name: str) -> None:
    for column, kind in SCHEMAS[name]:
        if pa.types.is_timestamp(kind):
            assert kind.tz == "UTC", column
        if column.endswith("_eur"):
            assert (kind.precision, kind.scale) == (9, 2)

"""What serving takes, in a process of its own, and whether the list keeps its contract."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.dummy import DummyClassifier

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.checks.serving_cost import (
    contract_differences,
    differing_columns,
    measure_operations,
    serve,
)
from ds_pipeline.use_case.contract import Contract
from ds_pipeline.use_case.features import FeatureSet

FEATURES = FeatureSet.model_validate(
    {
        "features": {
            "visits": {
                "dtype": "int64", "unit": "x", "nullable": False, "meaning": "m", "role": "input", "minimum": 0,
                "maximum": 9,
            }
        }
    }
)  # fmt: skip
ROWS = pd.DataFrame({"customer_token": ["a", "b"], "visits": [1, 2]})
TYPES = {"number": ("identifier", "integer", 1), "day": ("scoring_date", "date", date(2011, 3, 7)),
         "chance": ("score", "double", 0.5), "version": ("model_version", "string", "v1")}  # fmt: skip
LIST = pa.table(
    {"number": [1, 2], "day": [date(2011, 3, 7)] * 2, "chance": [0.75, 0.5], "version": ["v1", "v1"]},
    schema=pa.schema({"number": pa.int64(), "day": pa.date32(), "chance": pa.float64(), "version": pa.string()}),
)


def model_bytes() -> bytes:
    buffer = io.BytesIO()
    joblib.dump(DummyClassifier().fit(np.zeros((2, 1)), [0, 1]), buffer)
    return buffer.getvalue()


@pytest.fixture
def contract() -> Contract:
    columns = {
        name: {"origin": origin, "type": kind, "is_pii": origin == "identifier", "meaning": "m", "example": example}
        for name, (origin, kind, example) in TYPES.items()
    }
    return Contract.model_validate(
        {
            "consumer": "crm", "format": ["csv"], "selection": "all", "top_share": 1.0, "columns": columns,
            "identifier": {"table": "t", "column": "id"}, "freshness_hours": 1, "failure_behaviour": "none",
            "cadence": {"day": "Monday", "time": "06:00"}, "sunset": "2030-01-01",
        }
    )  # fmt: skip


def test_the_model_is_loaded_and_asked_in_a_fresh_process() -> None:
    content = model_bytes()

    record, found = measure_operations({"model.joblib": content, "training.json": b"{}"}, ROWS, features=FEATURES)

    assert record is not None
    assert record.rows == 2
    assert record.bundle_mb == (len(content) + 2) / 1e6
    assert 20 < record.memory_mb < 2000  # Python with scikit-learn; that of this process does not count
    assert min(record.load_seconds, record.rows_per_second) > 0
    assert {name: one.value for name, one in found.items()} == record.model_dump(exclude={"rows"})


def test_a_model_that_cannot_be_loaded_is_a_problem_of_every_gate() -> None:
    record, found = measure_operations({"model.joblib": b"no model"}, ROWS, features=FEATURES)

    assert record is None
    assert {name: one.problem for name, one in found.items()} == dict.fromkeys(
        ("rows_per_second", "memory_mb", "bundle_mb", "load_seconds"), "a fresh process failed"
    )


def test_no_rows_are_a_problem() -> None:
    _, found = measure_operations({"model.joblib": b""}, ROWS.head(0), features=FEATURES)

    assert found["rows_per_second"].problem == "there are no rows to score"


def test_other_bytes_than_were_sent_are_not_loaded() -> None:
    with pytest.raises(EvaluationError, match="not the one that was sent"):
        serve(model_bytes(), digest_bytes(b"another"), ROWS, FEATURES)


def test_a_list_as_promised_has_no_differences(contract: Contract) -> None:
    found = contract_differences(LIST, contract)["contract_differences"]

    assert (found.value, found.note) == (0, None)


def gap(table: pa.Table) -> pa.Table:
    return table.set_column(2, "chance", pa.array([0.75, None], pa.float64()))


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        pytest.param(lambda one: one.drop_columns("version"), ["version"], id="a column is missing"),
        pytest.param(lambda one: one.append_column("more", [[1, 2]]), ["more"], id="a column too many"),
        pytest.param(lambda one: one.set_column(0, "number", [["1", "2"]]), ["number"], id="another type"),
        pytest.param(lambda one: one.set_column(2, "chance", one["chance"].cast("float32")), ["chance"], id="shorter"),
        pytest.param(gap, ["chance"], id="a missing value"),
        pytest.param(
            lambda one: one.rename_columns(["id", "day", "chance", "version"]), ["id", "number"], id="renamed"
        ),
        pytest.param(lambda one: one.select([1, 0, 2, 3]), ["number", "day"], id="another order"),
    ],
)
def test_a_column_that_is_not_as_promised_is_named(change: Any, differing: list[str], contract: Contract) -> None:
    table = change(LIST)

    assert differing_columns(table, contract) == differing
    found = contract_differences(table, contract)["contract_differences"]
    assert (found.value, found.note) == (len(differing), f"{', '.join(differing)}.")


def test_an_empty_list_promises_nothing(contract: Contract) -> None:
    assert contract_differences(LIST.slice(0, 0), contract)["contract_differences"].problem == "the list has no rows"

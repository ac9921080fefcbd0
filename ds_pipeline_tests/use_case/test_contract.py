"""The columns a consumer may ask for, and what a reason needs."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ds_pipeline.use_case.contract import Contract, ContractColumn
from ds_pipeline.use_case.load import UseCase

REASON = {
    "origin": "reason",
    "place": 1,
    "type": "string",
    "is_pii": False,
    "meaning": "m",
    "example": "raises: x (yes)",
}


def test_a_reason_has_a_place() -> None:
    assert ContractColumn.model_validate(REASON).place == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"place": None}, "place is for a column of origin reason, and is needed there", id="no-place"),
        pytest.param({"place": 4}, "less than or equal to 3", id="fourth"),
        pytest.param({"type": "integer", "example": 1}, "has the type string, not integer", id="type"),
        pytest.param(
            {"origin": "rank", "type": "integer", "example": 1},
            "place is for a column of origin reason",
            id="not-a-reason",
        ),
    ],
)
def test_a_column_that_is_no_reason_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ContractColumn.model_validate(REASON | changes)


def test_a_contract_without_reasons_asks_for_none(retail_lapse: UseCase) -> None:
    contract = retail_lapse.contract
    columns = {name: column for name, column in contract.columns.items() if column.origin != "reason"}

    assert contract.asks_for_reasons
    assert not Contract.model_validate(contract.model_dump() | {"columns": columns}).asks_for_reasons

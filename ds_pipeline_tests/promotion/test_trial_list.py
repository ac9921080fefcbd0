"""The list that a candidate would give is held against the contract before it is promoted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.errors import ScoringError
from ds_pipeline.evaluation.checks.material import Checked
from ds_pipeline.evaluation.checks.serving_cost import differing_columns
from ds_pipeline.monitoring.drift import make_reference
from ds_pipeline.promotion.trial_list import check_operations, listed
from ds_pipeline.training.fit import fit_calibrated, to_bytes
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.requirements import Operations
from ds_pipeline_tests.evaluation.checks.made_up import material

ASKED = Operations(min_rows_per_second=1, max_memory_mb=5000, max_bundle_mb=100, max_load_seconds=100, owner="ds")
PARAMETERS = {"max_iter": 3, "max_leaf_nodes": 4, "min_samples_leaf": 5}
WEEKS = [date(2011, 3, 7), date(2011, 3, 14)]


@pytest.fixture
def rows() -> pd.DataFrame:
    """Forty customers in two weeks; who comes seldom lapses."""
    one = pd.DataFrame(
        {"customer_token": [f"c{number:02d}" for number in range(40)], "visits_seen": np.arange(40) % 20}
    )
    one = one.assign(plan="gold", label=(one["visits_seen"] < 8).astype(int), score=np.linspace(0.9, 0.1, 40))
    return pd.concat([one.assign(scoring_date=day) for day in WEEKS], ignore_index=True)


@pytest.fixture
def model(shop: UseCase, rows: pd.DataFrame) -> Any:
    return fit_calibrated(rows, PARAMETERS, shop)


def reference(shop: UseCase, rows: pd.DataFrame) -> dict[str, Any]:
    return make_reference(rows, rows, shop.features, entity="customer_token")


def test_the_list_of_the_newest_week_keeps_the_contract(shop: UseCase, rows: pd.DataFrame, model: Any) -> None:
    """A tenth of forty customers; nobody's identifier is read, the contract's example stands for all."""
    table = listed(shop, rows, model=model, reference=reference(shop, rows))

    assert differing_columns(table, shop.contract) == []
    assert table["scoring_date"].to_pylist() == [WEEKS[1]] * 4
    assert set(table["customer_id"].to_pylist()) == {12345}
    assert all(one.startswith(("raises: made up (", "lowers: made up (")) for one in table["reason_1"].to_pylist())
    assert table["reason_2"].to_pylist() == ["no further reason"] * 4  # the shop has one input


def test_a_score_that_cannot_be_delivered_is_a_problem(shop: UseCase, rows: pd.DataFrame, model: Any) -> None:
    with pytest.raises(ScoringError):
        listed(shop, rows.assign(score=np.nan), model=model, reference=reference(shop, rows))


def test_nothing_is_measured_that_nobody_asks_for(shop: UseCase, rows: pd.DataFrame) -> None:
    case = replace(shop, requirements=shop.requirements.model_copy(update={"operations": None}))

    assert check_operations(material(use_case=case, holdout=rows)) == Checked()


def test_every_gate_of_operations_gets_its_measurement(shop: UseCase, rows: pd.DataFrame, model: Any) -> None:
    case = replace(shop, requirements=shop.requirements.model_copy(update={"operations": ASKED}))

    findings, found = check_operations(
        material(
            use_case=case,
            holdout=rows,
            files={"model.joblib": to_bytes(model)},
            model=model,
            reference=reference(shop, rows),
        )
    )

    assert findings["operations"].rows == 80
    assert found["contract_differences"].value == 0
    assert set(found) == {"rows_per_second", "memory_mb", "bundle_mb", "load_seconds", "contract_differences"}

"""The true probability of a simulated population, joined to the holdout by token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.errors import EvaluationError
from ds_pipeline.masking.columns.tokens import tokenize
from ds_pipeline.promotion.truth import true_probability
from ds_pipeline.use_case.problem import Truth
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS

FIRST, SECOND = date(2011, 9, 12), date(2011, 9, 19)
TRUTH = Truth(path="data/truth/hazard.parquet", entity="name", scoring_date="monday", probability="chance")
CHANCES = [0.1, 0.2, 0.3, 0.4, 0.5]
Write = Callable[..., Path]


@pytest.fixture
def simulated(bench: Workbench) -> Workbench:
    """The shop, with a truth declared."""
    problem = bench.use_case.problem.model_copy(update={"truth": TRUTH})
    return replace(bench, use_case=replace(bench.use_case, problem=problem))


@pytest.fixture
def write(simulated: Workbench) -> Write:
    """The truth of all five customers on two dates, ten times as likely on the second, or other columns."""

    def write(**columns: Any) -> Path:
        path = simulated.project.root / TRUTH.path
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = {
            "name": CUSTOMERS * 2,
            "monday": pa.array([FIRST] * 5 + [SECOND] * 5, pa.date32()),
            "chance": [chance / 10 for chance in CHANCES] + CHANCES,
        } | columns
        pq.write_table(pa.table(whole), path)
        return path

    return write


def rows(bench: Workbench, *pairs: tuple[date, str]) -> pd.DataFrame:
    """Rows of a holdout, with an index that is not 0, 1, 2."""
    days, names = zip(*pairs, strict=True)
    tokens = tokenize(pd.Series(names), key=bench.key, domain="customer")
    return pd.DataFrame({"scoring_date": days, "customer_token": tokens}).set_axis(np.arange(len(pairs)) * 7 + 3)


def test_each_row_gets_the_probability_of_its_entity_on_its_date(simulated: Workbench, write: Write) -> None:
    write()
    asked = rows(simulated, (SECOND, CUSTOMERS[2]), (FIRST, CUSTOMERS[0]), (SECOND, CUSTOMERS[0]))

    found = true_probability(simulated, asked)

    assert found is not None
    assert found.tolist() == [0.3, 0.01, 0.1]
    assert found.index.tolist() == asked.index.tolist()


def test_dates_may_come_as_timestamps_and_numbers_as_floats_of_another_size(simulated: Workbench, write: Write) -> None:
    write(
        monday=pa.array([datetime(2011, 9, 12)] * 5 + [datetime(2011, 9, 19)] * 5, pa.timestamp("us")),
        chance=pa.array([0.0] * 5 + [0.5] * 5, pa.float32()),
    )
    found = true_probability(simulated, rows(simulated, (SECOND, CUSTOMERS[0])))
    assert found is not None
    assert found.tolist() == [0.5]


def test_a_use_case_without_a_truth_has_none(bench: Workbench) -> None:
    assert true_probability(bench, rows(bench, (FIRST, CUSTOMERS[0]))) is None


def test_a_missing_file_says_how_it_is_made(simulated: Workbench) -> None:
    with pytest.raises(
        EvaluationError, match=r"the file is not there. Make it anew.*ds-pipeline simulate shop"
    ) as found:
        true_probability(simulated, rows(simulated, (FIRST, CUSTOMERS[0])))
    assert str(simulated.project.root) not in str(found.value)


def test_a_row_that_the_truth_does_not_hold_is_an_error(simulated: Workbench, write: Write) -> None:
    """The tables were simulated anew and the truth was not, or the other way round."""
    write()
    asked = rows(simulated, (FIRST, CUSTOMERS[0]), (FIRST, "Somebody Else"))
    with pytest.raises(EvaluationError, match="1 of 2 rows of the holdout have no probability there") as found:
        true_probability(simulated, asked)
    assert "Somebody" not in str(found.value)


def test_a_row_that_is_there_twice_is_an_error(simulated: Workbench, write: Write) -> None:
    write(monday=pa.array([FIRST] * 10, pa.date32()))
    with pytest.raises(EvaluationError, match="1 rows of the holdout are there twice"):
        true_probability(simulated, rows(simulated, (FIRST, CUSTOMERS[0])))


def test_a_column_that_is_not_there_is_named(simulated: Workbench, write: Write) -> None:
    path = write()
    pq.write_table(pq.read_table(path).rename_columns(["name", "monday", "risk"]), path)
    with pytest.raises(EvaluationError, match=r"there is no column chance. Correct problem.yaml"):
        true_probability(simulated, rows(simulated, (FIRST, CUSTOMERS[0])))


@pytest.mark.parametrize(
    "columns",
    [{"chance": ["likely"] * 10}, {"monday": ["never"] * 10}],
    ids=["probabilities that are words", "dates that are words"],
)
def test_columns_of_another_kind_are_an_error_that_shows_no_value(
    columns: dict[str, Any], simulated: Workbench, write: Write
) -> None:
    write(**columns)
    with pytest.raises(EvaluationError, match="monday holds dates and chance numbers") as found:
        true_probability(simulated, rows(simulated, (FIRST, CUSTOMERS[0])))
    assert "likely" not in str(found.value)
    assert "never" not in str(found.value)


def test_a_file_that_is_no_parquet_is_an_error_without_its_folder(simulated: Workbench, write: Write) -> None:
    write().write_text("name,monday,chance")
    with pytest.raises(EvaluationError, match="cannot be read as one") as found:
        true_probability(simulated, rows(simulated, (FIRST, CUSTOMERS[0])))
    assert str(simulated.project.root) not in str(found.value)

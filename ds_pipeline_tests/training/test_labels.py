"""Labels are those of the features' population, one for each member, and 0 or 1."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from ds_pipeline.asof import AsOfTables, ReadWeek
from ds_pipeline.errors import TrainingError
from ds_pipeline.training.labels import assign_labels, labels_schema
from ds_pipeline.use_case.load import UseCase

D = date(2011, 3, 14)
AT_D = datetime(2011, 3, 14, tzinfo=UTC)
VISITS = [(token, 1, at, at) for token, at in (("b", AT_D + timedelta(days=1)), ("stranger", AT_D + timedelta(days=1)))]
EACH = "select customer_token, {} as label from population"


def assign(use_case: UseCase, read_week: ReadWeek, population: list[str]) -> pa.Table:
    with AsOfTables(use_case, read_week) as tables:
        return assign_labels(tables, D, pa.chunked_array([population]))


def test_every_member_of_the_given_population_is_labelled_and_nobody_else(
    make_shop: Callable[..., UseCase], weeks_of: Callable[..., ReadWeek]
) -> None:
    """Neither of them has a visit before D, so that the population of population.sql would be empty."""
    turned = make_shop(label_sql=make_shop().label_sql + " order by customer_token desc")

    labels = assign(turned, weeks_of(VISITS), ["c", "b", "a"])

    assert labels.schema == labels_schema("customer_token")
    assert labels.to_pydict() == {
        "scoring_date": [D] * 3, "customer_token": ["a", "b", "c"], "label": [0, 1, 0]
    }  # fmt: skip


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(EACH.format("2"), id="two"),
        pytest.param(EACH.format("null::int"), id="null"),
        pytest.param(EACH.format("1") + " where customer_token <> 'a'", id="a-member-is-missing"),
        pytest.param(EACH.format("1") + " union all select 'stranger', 1", id="a-stranger"),
        pytest.param(EACH.format("1") + " union all select 'a', 0", id="a-member-twice"),
        pytest.param("select 'a' as customer_token, 1 as label from population", id="one-for-another"),
    ],
)
def test_anything_but_one_label_each_is_refused(
    make_shop: Callable[..., UseCase], weeks_of: Callable[..., ReadWeek], sql: str
) -> None:
    with pytest.raises(TrainingError, match=r"label\.sql at 2011-03-14: expected one label, 0 or 1, for each of the 2"):
        assign(make_shop(label_sql=sql), weeks_of(VISITS), ["a", "b"])


def test_a_label_may_be_a_boolean_or_a_sum(
    make_shop: Callable[..., UseCase], weeks_of: Callable[..., ReadWeek]
) -> None:
    for sql in (EACH.format("customer_token = 'b'"), EACH.format("sum((customer_token = 'b')::int)") + " group by all"):
        assert assign(make_shop(label_sql=sql), weeks_of(VISITS), ["a", "b"])["label"].to_pylist() == [0, 1]

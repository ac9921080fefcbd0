"""Labels are those of the features' population, one for each member: 0, 1 or undecided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from ds_pipeline.errors import TrainingError
from ds_pipeline.store.asof import AsOfTables, ReadWeek
from ds_pipeline.training.labels import assign_labels, count_ways, labels_schema, positives, treated, undecided
from ds_pipeline.use_case.load import UseCase

D = date(2011, 3, 14)
AT_D = datetime(2011, 3, 14, tzinfo=UTC)
VISITS = [(token, 1, at, at) for token, at in (("b", AT_D + timedelta(days=1)), ("stranger", AT_D + timedelta(days=1)))]
EACH = "select customer_token, {} as label from population"


def assign(use_case: UseCase, read_week: ReadWeek, population: list[str]) -> pa.Table:
    with AsOfTables(use_case, read_week) as tables:
        return assign_labels(tables, D, pa.chunked_array([population], pa.string()))


def test_of_nobody_there_are_no_labels(shop: UseCase, weeks_of: Callable[..., ReadWeek]) -> None:
    labels = assign(shop, weeks_of(VISITS), [])

    assert (labels.num_rows, labels.schema) == (0, labels_schema("customer_token"))


def test_every_member_of_the_given_population_is_labelled_and_nobody_else(
    make_shop: Callable[..., UseCase], weeks_of: Callable[..., ReadWeek]
) -> None:
    """Neither of them has a visit before D, so that the population of population.sql would be empty."""
    turned = make_shop(label_sql=make_shop().label_sql + " order by customer_token desc")

    labels = assign(turned, weeks_of(VISITS), ["c", "b", "a"])

    assert labels.schema == labels_schema("customer_token")
    assert labels.to_pydict() == {
        "scoring_date": [D] * 3, "customer_token": ["a", "b", "c"], "label": [0, 1, 0], "decided_by": [None] * 3,
        "is_treated": [False] * 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        pytest.param(EACH.format("2"), "found 2 labels that are neither 0, 1 nor null", id="two"),
        pytest.param(
            EACH.format("1") + " where customer_token <> 'a'", "found 1 members without a row", id="a-member-is-missing"
        ),
        pytest.param(EACH.format("1") + " union all select 'stranger', 1", "found 1 entities", id="a-stranger"),
        pytest.param(
            EACH.format("1") + " union all select 'a', 0", "found 1 members with more than one", id="a-member-twice"
        ),
        pytest.param(
            "select 'a' as customer_token, 1 as label from population",
            "found 1 members with more than one row .*; 1 members without a row", id="one-for-another",
        ),
    ],
)  # fmt: skip
def test_anything_but_one_label_each_is_refused(
    make_shop: Callable[..., UseCase], weeks_of: Callable[..., ReadWeek], sql: str, found: str
) -> None:
    """A label of 2 and a missing member were told with the same words."""
    with pytest.raises(
        TrainingError, match=rf"label\.sql at 2011-03-14: expected one label, 0, 1 or null, for each of the 2.*{found}"
    ):
        assign(make_shop(label_sql=sql), weeks_of(VISITS), ["a", "b"])


def test_a_label_may_be_a_boolean_or_a_sum(
    make_shop: Callable[..., UseCase], weeks_of: Callable[..., ReadWeek]
) -> None:
    for sql in (EACH.format("customer_token = 'b'"), EACH.format("sum((customer_token = 'b')::int)") + " group by all"):
        assert assign(make_shop(label_sql=sql), weeks_of(VISITS), ["a", "b"])["label"].to_pylist() == [0, 1]


def test_an_undecided_label_is_kept_as_such_with_how_it_was_decided_and_who_was_treated(
    make_shop: Callable[..., UseCase], weeks_of: Callable[..., ReadWeek]
) -> None:
    sql = """
        select
            customer_token,
            case customer_token when 'a' then 1 when 'b' then null else 0 end as label,
            if(customer_token = 'b', 'too recent', 'on record') as decided_by,
            customer_token = 'c' as is_treated
        from population
    """

    labels = assign(make_shop(label_sql=sql), weeks_of(VISITS), ["a", "b", "c"])

    assert labels["label"].to_pylist() == [1, None, 0]
    assert labels["decided_by"].to_pylist() == ["on record", "too recent", "on record"]
    assert labels["is_treated"].to_pylist() == [False, False, True]
    assert (undecided(labels), positives(labels), treated(labels)) == (1, 1, 1)
    assert count_ways(labels) == {"on record": 2, "too recent": 1}


def test_counts_of_no_labels_are_zero() -> None:
    none = labels_schema("customer_token").empty_table()

    assert (undecided(none), positives(none), treated(none), count_ways(none)) == (0, 0, 0, {})


def test_who_is_treated_is_never_left_open(
    make_shop: Callable[..., UseCase], weeks_of: Callable[..., ReadWeek]
) -> None:
    sql = "select customer_token, 1 as label, nullif(customer_token = 'b', false) as is_treated from population"

    with pytest.raises(TrainingError, match="is_treated is null in 1 of 2 rows"):
        assign(make_shop(label_sql=sql), weeks_of(VISITS), ["a", "b"])


def test_ways_to_decide_are_no_cells(make_shop: Callable[..., UseCase], weeks_of: Callable[..., ReadWeek]) -> None:
    """They are shown in the UI."""
    sql = "select customer_token, 1 as label, 'secret ' || customer_token as decided_by from population"

    with pytest.raises(TrainingError, match="at most 20 different values of decided_by, found 21") as caught:
        assign(make_shop(label_sql=sql), weeks_of(VISITS), [f"c{number}" for number in range(21)])

    assert "secret" not in str(caught.value)


EVENT_HAPPENS = """
    select customer_token, (count(f.visited_at) > 0)::int as label
    from population left join future.visits as f using (customer_token) group by customer_token
"""
NO_EVENT_HAPPENS = EVENT_HAPPENS.replace("> 0", "= 0")
# The newest version that began to hold within the horizon, or else the one that held before.
STATE_AT_THE_END = """
    select customer_token, (arg_max(plan, changed_at) = 'basic')::int as label
    from population
    left join (from plans union all from future.plans) using (customer_token)
    group by customer_token
"""


def test_a_target_may_be_that_an_event_happens(
    make_shop: Callable[..., UseCase], weeks_of: Callable[..., ReadWeek]
) -> None:
    """Of a the visit lies a day after the horizon of 30 days, of c before it; d never comes."""
    visits = [
        (token, 1, at, at)
        for token, at in (
            ("a", AT_D + timedelta(days=31)), ("b", AT_D + timedelta(days=29)), ("c", AT_D - timedelta(days=1)),
        )
    ]  # fmt: skip
    labels = assign(make_shop(label_sql=EVENT_HAPPENS), weeks_of(visits), ["a", "b", "c", "d"])

    assert labels["label"].to_pylist() == [0, 1, 0, 0]


def test_a_target_may_be_that_no_event_happens(
    make_shop: Callable[..., UseCase], weeks_of: Callable[..., ReadWeek]
) -> None:
    labels = assign(make_shop(label_sql=NO_EVENT_HAPPENS), weeks_of(VISITS), ["a", "b"])

    assert labels["label"].to_pylist() == [1, 0]


def test_a_target_may_be_the_state_at_the_end_of_the_horizon(
    make_shop: Callable[..., UseCase], weeks_of: Callable[..., ReadWeek]
) -> None:
    """a goes down and up again, b goes down and stays, c was down already, d goes down after the horizon; one version
    of e is known too late to count."""
    before, inside, later = AT_D - timedelta(days=3), AT_D + timedelta(days=9), AT_D + timedelta(days=20)
    after = AT_D + timedelta(days=40)
    plans = [
        ("a", "gold", before, before), ("a", "basic", inside, inside), ("a", "gold", later, later),
        ("b", "gold", before, before), ("b", "basic", later, later),
        ("c", "basic", before, before),
        ("d", "gold", before, before), ("d", "basic", after, after),
        ("e", "gold", before, before), ("e", "basic", after, inside),
    ]  # fmt: skip

    labels = assign(make_shop(label_sql=STATE_AT_THE_END), weeks_of([], plans), ["a", "b", "c", "d", "e"])

    assert labels["label"].to_pylist() == [0, 1, 1, 0, 0]

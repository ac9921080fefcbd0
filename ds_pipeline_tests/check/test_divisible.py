"""A file that says of a person what others decide is found, whatever way it says it; one that does not is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from ds_pipeline.check.divisible import undivided_files
from ds_pipeline.errors import FeatureError
from ds_pipeline.store.asof import ReadWeek
from ds_pipeline.use_case.load import UseCase
from ds_pipeline_tests.conftest import FEATURE_SQL, SOURCES

D, SEEN, LATER = date(2011, 3, 7), datetime(2011, 3, 1, 12, tzinfo=UTC), datetime(2011, 3, 20, 12, tzinfo=UTC)
PEOPLE = ["a", "b", "c", "d"]  # d is in one half, the others in the other
VISITS = [(one, Decimal("1.5"), SEEN, SEEN) for one in "aabcd"] + [("c", Decimal("2.5"), LATER, LATER)]
PLANS = [(one, "gold", SEEN, SEEN) for one in PEOPLE]


@pytest.fixture
def read_week(weeks_of: Callable[..., ReadWeek]) -> ReadWeek:
    return weeks_of(VISITS, PLANS)


def found(use_case: UseCase, read_week: ReadWeek) -> list[str]:
    return undivided_files(use_case, read_week, D, pa.table({"customer_token": PEOPLE}))


def test_files_that_group_by_the_person_may_be_divided(shop: UseCase, read_week: ReadWeek) -> None:
    assert found(shop, read_week) == []


def test_rows_of_people_of_another_bucket_are_not_used_and_no_difference(
    make_shop: Callable[..., UseCase], read_week: ReadWeek
) -> None:
    """Plans are versions of a plan here, so that each bucket is given all of them and says something of everybody."""
    plans = SOURCES["plans"] | {"entity": ["plan"]}
    sql = "select customer_token, any_value(plan) as plan from plans_versions group by all"

    assert (
        found(
            make_shop(tables=SOURCES | {"plans": plans}, feature_sql=FEATURE_SQL | {"features/plans.sql": sql}),
            read_week,
        )
        == []
    )


def test_a_value_that_is_no_number_is_the_same_as_itself(
    make_shop: Callable[..., UseCase], read_week: ReadWeek
) -> None:
    sql = "select customer_token, 'nan'::double as slope from visits group by all"
    number = {"dtype": "float64", "unit": "1", "nullable": True, "role": "input", "minimum": 0, "maximum": 1}
    case = make_shop(feature_sql={"features/visits.sql": sql}, features={"slope": number})

    assert found(case, read_week) == []


@pytest.mark.parametrize(
    ("file", "sql"),
    [
        pytest.param(
            "features/visits.sql",
            "select customer_token, rank() over (order by count(*)) as visits_seen from visits group by customer_token",
            id="a-rank",
        ),
        pytest.param(
            "features/visits.sql",
            "select customer_token, (select count(*) from visits) as visits_seen from population",
            id="a-total",
        ),
        pytest.param(
            "population.sql",
            "select customer_token from visits group by 1 having count(*) >= (select max(n) from "
            "(select count(*) as n from visits group by customer_token))",
            id="who-comes-most",
        ),
        pytest.param(
            "label.sql",
            "select customer_token, (customer_token = (select max(customer_token) from population))::int as label "
            "from population",
            id="a-label-of-one",
        ),
    ],
)
def test_a_file_that_needs_everyone_is_named_with_what_to_do(
    shop: UseCase, read_week: ReadWeek, file: str, sql: str
) -> None:
    case = changed(shop, file, sql)

    (warning,) = found(case, read_week)
    assert warning.startswith(f"{file}: other rows at 2011-03-07")
    assert f"in features.yaml: scope: {{{file}: everyone}}." in warning

    with pytest.raises(FeatureError, match=f"^{file}: other rows"):
        found(replace(case, sources=case.sources.model_copy(update={"buckets": 2})), read_week)

    scope = case.features.model_copy(update={"scope": {file: "everyone"}})
    assert found(replace(case, features=scope), read_week) == []


def changed(case: UseCase, file: str, sql: str) -> UseCase:
    if file == "population.sql":
        return replace(case, population_sql=sql)
    if file == "label.sql":
        return replace(case, label_sql=sql)
    return replace(case, feature_sql=dict(case.feature_sql) | {file: sql})

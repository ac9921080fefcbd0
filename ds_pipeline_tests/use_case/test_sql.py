"""The SQL of a use case is checked before any data is read: against the tables, features.yaml and each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from ds_pipeline.errors import ConfigError
from ds_pipeline.sql import sandbox
from ds_pipeline.use_case.load import load_use_case
from ds_pipeline.use_case.sql import masked_schema

Change = Callable[[str, str, str], None]
Problems = Callable[[], list[str]]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        pytest.param(
            "features.yaml",
            "  overdue_ratio:",
            "  overdue_share:",
            "features/rhythm.sql: overdue_ratio is not in features.yaml. Declare it there or do not select it.",
            id="made-but-not-declared",
        ),
        pytest.param(
            "features.yaml",
            "  overdue_ratio:",
            "  overdue_share:",
            "features.yaml: overdue_share: no SQL file makes it. Select it or remove it.",
            id="declared-but-not-made",
        ),
        pytest.param(
            "features/profile.sql",
            "    age_band",
            "    age_band, 1 as refund_lines_90d",
            "features/profile.sql: refund_lines_90d is already made by features/basket.sql.",
            id="made-twice",
        ),
        pytest.param(
            "features/profile.sql",
            "    age_band",
            "    age_band, country as region",
            "features/profile.sql: the column region is there twice.",
            id="twice-in-one-file",
        ),
        pytest.param(
            "features/profile.sql",
            "    customer_token,",
            "    ",
            "features/profile.sql: the column customer_token is missing; each file returns one row per customer_token.",
            id="no-entity",
        ),
        pytest.param(
            "features/profile.sql",
            "    customer_token,",
            "    1 as customer_token,",
            "features/profile.sql: customer_token is a token, a VARCHAR; found INTEGER.",
            id="entity-of-another-type",
        ),
        pytest.param(
            "features/profile.sql",
            "from customers",
            "from custmers",
            "features/profile.sql:6: table custmers is not there; known: customers, customers_versions, population, "
            "transactions.",
            id="unknown-table",
        ),
        pytest.param(
            "features/profile.sql",
            "from customers",
            "from future.transactions",
            "features/profile.sql:6: table future.transactions is not there: only label.sql sees what comes after the "
            "scoring date; known: customers, customers_versions, population, transactions.",
            id="the-future-in-a-feature",
        ),
        pytest.param(
            "population.sql",
            "from transactions",
            "from population",
            "population.sql:3: table population is not there; known: customers, customers_versions, transactions.",
            id="population-of-itself",
        ),
        pytest.param(
            "population.sql",
            "select customer_token",
            "select customer_token, 1 as one",
            "population.sql: expected the columns customer_token, found: customer_token, one.",
            id="population-with-more",
        ),
        pytest.param(
            "label.sql",
            "as label",
            "as lapsed",
            "label.sql: expected the columns customer_token and label (and, if you like, decided_by and is_treated), "
            "found: customer_token, lapsed.",
            id="no-label",
        ),
        pytest.param(
            "label.sql",
            "::int as label",
            "::varchar as label",
            "label.sql: label must be 0, 1 or null (undecided), an integer or a boolean; found VARCHAR. "
            "Cast it: ...::int.",
            id="label-of-text",
        ),
        pytest.param(
            "label.sql",
            "::int as label",
            "::double as label",
            "label.sql: label must be 0, 1 or null (undecided), an integer or a boolean; found DOUBLE. "
            "Cast it: ...::int.",
            id="label-of-a-fraction",
        ),
        pytest.param(
            "features/rhythm.sql",
            "count(*) as purchase_days_90d",
            "count(*)::double as purchase_days_90d",
            "features/rhythm.sql: purchase_days_90d comes as DOUBLE, but features.yaml says int64. Cast it "
            "or declare it "
            "so.",
            id="fraction-as-int64",
        ),
        pytest.param(
            "features/rhythm.sql",
            "count(*) as purchase_days_90d",
            "null as purchase_days_90d",
            'features/rhythm.sql: purchase_days_90d comes as "NULL", but features.yaml says int64. Cast it '
            "or declare it "
            "so.",
            id="never-set",
        ),
        pytest.param(
            "features/profile.sql",
            "    age_band",
            "    age_bnd",
            'features/profile.sql:5: Binder Error: Referenced column "age_bnd" not found in FROM clause! Candidate '
            'bindings: "age_band", "service_note". customers has customer_token, age_band, country, service_note, '
            "updated_at.",
            id="unknown-column-with-its-line",
        ),
        pytest.param(
            "features/profile.sql",
            "    age_band",
            "    random()::varchar as age_band",
            "features/profile.sql:5: the function random is not allowed: it does not give the same answer "
            "every time, or "
            "it reads outside the tables. Use $scoring_at for the present.",
            id="random-feature",
        ),
    ],
)
def test_a_fault_is_named(change: Change, problems: Problems, file: str, old: str, new: str, message: str) -> None:
    change(file, old, new)

    assert message in problems()


def test_sql_without_an_end_is_a_fault_of_its_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "CHECK_SECONDS", 0.2)
    recursion = "with recursive r as (select 1 as i union all select i + 1 from r)"
    sql = f"{recursion} select max(i)::varchar as customer_token from r"
    (folder / "population.sql").write_text(sql)

    with pytest.raises(ConfigError, match=r"population\.sql: the query was stopped after 0\.2 seconds"):
        load_use_case(folder)


def test_the_faults_of_all_files_are_listed_together(change: Change, problems: Problems) -> None:
    change("population.sql", "select customer_token", "select customer_token, now()")
    change("label.sql", "::int as label", "::varchar as label")
    change("features/profile.sql", "    age_band", "    age_bnd")
    change("features/rhythm.sql", "count(*) as purchase_days_90d", "count(*)::double as purchase_days_90d")
    change("requirements.yaml", "weeks: 8", "weks: 8")

    assert [text.split(":")[0] for text in problems()] == [
        "requirements.yaml",
        "requirements.yaml",
        "population.sql",
        "features/profile.sql",
        "label.sql",
        "features/rhythm.sql",
    ]


@pytest.mark.parametrize(
    ("expression", "dtype"),
    [
        pytest.param("sum(gap_days)", "int64", id="HUGEINT-is-the-sum-of-integers"),
        pytest.param("sum(gap_days)", "float64", id="HUGEINT-as-float64"),
        pytest.param("max(gap_days)::smallint", "int64", id="SMALLINT"),
        pytest.param("max(gap_days)::decimal(18, 3)", "float64", id="DECIMAL-as-float64"),
        pytest.param("max(gap_days)::float", "float64", id="FLOAT"),
    ],
)
def test_types_that_fit_a_dtype(folder: Path, change: Change, expression: str, dtype: str) -> None:
    change("features/rhythm.sql", "max(gap_days) as", f"{expression} as")
    change("features.yaml", "max_gap_days_90d:\n    {dtype: int64", f"max_gap_days_90d:\n    {{dtype: {dtype}")

    load_use_case(folder)


@pytest.mark.parametrize("label", ["(count(f.invoiced_at) = 0)", "count(*)", "sum(1)", "1::utinyint"])
def test_a_label_may_be_an_integer_or_a_boolean(folder: Path, change: Change, label: str) -> None:
    change("label.sql", "(count(f.invoiced_at) = 0)::int", label)

    load_use_case(folder)


def test_a_masked_column_is_text_and_a_dropped_one_is_not_there(folder: Path) -> None:
    schema = masked_schema(load_use_case(folder).sources.tables["customers"])

    assert "email" not in schema.names
    assert schema.field("age_band").type == schema.field("customer_token").type == pa.string()
    assert schema.field("updated_at").type == pa.timestamp("us", tz="UTC")

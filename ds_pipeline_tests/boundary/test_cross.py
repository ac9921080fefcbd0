"""Across the boundary: weeks come out masked and counted, and what a library says of a cell stays inside."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.boundary.cross import MaskedWeek, count_reasons, identifiers_of, masked_weeks, values_stay_inside
from ds_pipeline.boundary.withhold import WITHHELD
from ds_pipeline.errors import SourceError
from ds_pipeline.masking.columns.tokens import tokenize
from ds_pipeline.use_case.contract import IdentifierSource
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS, Declare

FIRST, SECOND = date(2011, 3, 7), date(2011, 3, 14)


def assert_stands_alone(error: Exception) -> None:
    """Neither a cause nor a context: Dagster writes both into its event log, cell and all."""
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_what_a_library_says_of_a_cell_stays_inside() -> None:
    expected = pytest.raises(SourceError, match=r"clients: a cell cannot be handled \(ValueError")
    with expected as error, values_stay_inside("clients"):
        raise ValueError("cannot parse anna@example.org")
    assert "anna" not in str(error.value)
    assert_stands_alone(error.value)


@pytest.mark.parametrize(
    "error",
    [TypeError("anna"), KeyError("anna"), OverflowError("anna"), pa.ArrowInvalid("anna")],
    ids=lambda one: type(one).__name__,
)
def test_whatever_a_library_raises_over_a_cell_is_told_by_its_kind_alone(error: Exception) -> None:
    with pytest.raises(SourceError, match=type(error).__name__) as told, values_stay_inside("clients"):
        raise error

    assert "anna" not in str(told.value)
    assert_stands_alone(told.value)


def test_an_error_of_ours_gets_out_as_it_is() -> None:
    with pytest.raises(SourceError, match="as it is"), values_stay_inside("clients"):
        raise SourceError("as it is")


def rows_of(*reasons: str) -> pa.Table:
    return pa.table({"_reason": pa.array(reasons, pa.string())})


def test_reasons_are_counted_the_most_frequent_first_and_ties_by_name() -> None:
    assert list(count_reasons(rows_of("b", "a", "c", "c")).items()) == [("c", 2), ("a", 1), ("b", 1)]
    assert count_reasons(rows_of()) == {}


def test_texts_that_were_withheld_are_counted_in_both_parts() -> None:
    kept = pa.table({"note": [WITHHELD, "fine", None], "other": ["x", WITHHELD, WITHHELD], "n": [1, 2, 3]})
    aside = pa.table({"note": [WITHHELD, None], "_reason": ["a", "b"]})

    assert MaskedWeek(FIRST, "s", 5, 5, kept, aside).withheld == 4
    assert MaskedWeek(FIRST, "s", 0, 0, kept.slice(0, 0), aside.slice(0, 0)).withheld == 0


def add(bench: Workbench, name: str, **columns: list[Any]) -> None:
    """Put rows behind those of a source."""
    path = bench.project.root / "data" / f"{name}.parquet"
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, pa.table(columns).select(table.column_names).cast(table.schema)]), path)


def later(*customers: str, at: datetime = datetime(2011, 3, 9, 12)) -> dict[str, list[Any]]:
    size = len(customers)
    return {
        "customer_token": list(customers), "spend_gbp": [2.5] * size, "visited_at": [at] * size,
        "known_at": [at] * size,
    }  # fmt: skip


def test_each_row_is_in_the_week_in_which_it_became_known_and_nobody_is_named(bench: Workbench) -> None:
    add(bench, "visits", **later(CUSTOMERS[0]))

    first, second = masked_weeks(bench, "visits", [FIRST, SECOND])

    assert [(week.day, week.read, week.kept.num_rows) for week in (first, second)] == [(FIRST, 5, 5), (SECOND, 1, 1)]
    assert (first.source_rows, first.suppressed, first.drift) == (6, 0, ())
    assert second.kept["customer_token"].to_pylist() == first.kept["customer_token"].to_pylist()[:1]
    assert not set(CUSTOMERS) & set(first.kept["customer_token"].to_pylist())
    assert set(first.shape) == {"customer_token", "spend_gbp", "visited_at", "known_at"}


def test_the_order_of_a_source_is_not_that_of_its_masked_rows(declare: Declare) -> None:
    """A file sorted by what came later gave every week that order, and SQL could count by it."""
    bench = declare(visits={"max_quarantine_share": 0.9})
    add(bench, "visits", **later(*CUSTOMERS) | {"spend_gbp": [5.0, 4.0, None, 2.0, 1.0]})
    add(bench, "visits", **later(CUSTOMERS[2], CUSTOMERS[2], at=datetime(2011, 3, 2)))
    before = {name: masked_weeks(bench, name, [FIRST, SECOND]) for name in ("visits", "plans")}

    for name, weeks in before.items():
        path = bench.project.root / "data" / f"{name}.parquet"
        rows = pq.read_table(path)
        pq.write_table(rows.take(list(reversed(range(rows.num_rows)))), path)

        assert [week.kept for week in masked_weeks(bench, name, [FIRST, SECOND])] == [week.kept for week in weeks]
    assert [week.kept.num_rows for week in before["visits"]] == [6, 4]  # one repeated exactly, one without spend


def test_a_source_that_is_cut_does_not_know_what_came_later(bench: Workbench) -> None:
    add(bench, "visits", **later(CUSTOMERS[0]))
    cut = datetime(2011, 3, 9, 11, 59, tzinfo=UTC)

    assert masked_weeks(bench, "visits", [FIRST], before=cut)[0].read == 5
    with pytest.raises(SourceError, match="no row became known in the week before 2011-03-14"):
        masked_weeks(bench, "visits", [FIRST, SECOND], before=cut)


def test_rows_with_a_fault_are_set_aside_with_their_reason_and_counted(declare: Declare) -> None:
    bench = declare(visits={"max_quarantine_share": 0.9})
    add(bench, "visits", **later(CUSTOMERS[0], CUSTOMERS[1], at=datetime(2011, 3, 2)) | {"spend_gbp": [None, 1.0]})

    (week,) = masked_weeks(bench, "visits", [FIRST])

    assert (week.read, week.kept.num_rows, week.quarantined.num_rows) == (7, 6, 1)
    assert week.by_reason == {"missing:spend_gbp": 1}
    assert week.quarantined["_row_number"].to_pylist() == [5]


def with_identifiers(bench: Workbench) -> Workbench:
    asked = IdentifierSource(table="visits", column="customer_token")
    contract = bench.use_case.contract.model_copy(update={"identifier": asked})
    return replace(bench, use_case=replace(bench.use_case, contract=contract))


def test_identifiers_come_back_for_the_tokens_that_are_asked_for_and_for_no_other(bench: Workbench) -> None:
    token = masked_weeks(bench, "visits", [FIRST])[0].kept["customer_token"].to_pylist()[1]

    named = identifiers_of(with_identifiers(bench), {token, "a" * 32}, FIRST)

    assert named is not None
    assert list(named.index) == [token]
    assert tokenize(pd.Series(named.tolist()), key=bench.key, domain="customer").tolist() == [token]


def test_who_became_known_later_has_no_identifier_yet(bench: Workbench) -> None:
    add(bench, "visits", **later("Late Comer"))
    bench = with_identifiers(bench)
    tokens = set(masked_weeks(bench, "visits", [SECOND])[0].kept["customer_token"].to_pylist())

    early, late = (identifiers_of(bench, tokens, day) for day in (FIRST, SECOND))

    assert early is not None
    assert early.empty
    assert late is not None
    assert late.tolist() == ["Late Comer"]


def test_a_contract_without_identifiers_gets_none(bench: Workbench) -> None:
    contract = bench.use_case.contract.model_copy(update={"identifier": None})

    assert identifiers_of(replace(bench, use_case=replace(bench.use_case, contract=contract)), {"x"}, FIRST) is None


def test_a_repetition_in_a_database_is_known_by_what_lies_before_its_week(
    declare: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the rows of a week are fetched; a visit that was delivered again two weeks later counted twice."""
    third = date(2011, 3, 21)
    monkeypatch.setenv("SHOP_DATABASE", "sqlite:///shop.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE visits (customer_token, spend_gbp, visited_at, known_at)")
        for day, spend in ((1, 1.5), (9, 1.5), (15, 1.5), (16, 2.5)):
            values = (CUSTOMERS[0], spend, "2011-03-01 12:00:00", f"2011-03-{day:02d} 12:00:00")
            connection.execute("INSERT INTO visits VALUES (?, ?, ?, ?)", values)
        connection.commit()
    bench = declare(visits={
        "path": "", "format": "query", "query": "SELECT * FROM visits", "connection_env": "SHOP_DATABASE",
        "key": ["customer_token", "spend_gbp"], "max_quarantine_share": 1.0,
    })  # fmt: skip

    together = masked_weeks(bench, "visits", [FIRST, SECOND, third])

    assert [(week.read, week.kept.num_rows, week.by_reason) for week in together] == [
        (1, 1, {}), (1, 0, {"repeated_key": 1}), (2, 1, {"repeated_key": 1}),
    ]  # fmt: skip
    for week in together:
        (alone,) = masked_weeks(bench, "visits", [week.day])
        assert (alone.kept, alone.quarantined) == (week.kept, week.quarantined)

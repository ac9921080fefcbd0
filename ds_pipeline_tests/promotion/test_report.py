"""The counts that stand on the page of an evaluation."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from ds_pipeline.evaluation.measure.walk_forward import WEEK_COLUMNS
from ds_pipeline.promotion import report
from ds_pipeline.promotion.report import row_counts, rows_to_come
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline.workbench import Workbench

FIRST, SECOND, THIRD = date(2011, 3, 7), date(2011, 3, 14), date(2011, 3, 21)


def put(bench: Workbench, name: str, day: date, *, kept: int, **info: Any) -> None:
    schema = masked_schema(bench.use_case.sources.tables[name])
    rows = schema.empty_table().from_pylist([{}] * kept, schema=schema)
    counts = {"read": kept, "quarantined": {}, "source_rows": 0} | info
    bench.datasets.store.put(rows, dataset=bench.datasets.masked(name), partition=str(day), info=counts)


@pytest.fixture
def stored(bench: Workbench) -> Workbench:
    put(bench, "visits", FIRST, kept=2, read=6, quarantined={"missing:plan": 1, "range:spend": 3}, source_rows=30)
    put(bench, "visits", SECOND, kept=1, read=4, quarantined={"missing:plan": 2}, suppressed=1, source_rows=40)
    put(bench, "visits", THIRD, kept=9, read=9, source_rows=50)
    put(bench, "plans", FIRST, kept=3, source_rows=3)
    return bench


def test_rows_are_counted_over_all_weeks_up_to_the_date(stored: Workbench) -> None:
    tables, _ = row_counts(stored, SECOND)

    assert tables == [
        {"table": "visits", "read": 10, "kept": 3, "suppressed": 1},
        {"table": "plans", "read": 3, "kept": 3, "suppressed": 0},
    ]


def test_reasons_are_told_the_most_frequent_first_and_ties_by_name(stored: Workbench) -> None:
    _, quarantine = row_counts(stored, SECOND)

    assert [(row["reason"], row["rows"], row["share"]) for row in quarantine] == [
        ("missing:plan", 3, 0.3), ("range:spend", 3, 0.3),
    ]  # fmt: skip


def test_before_anything_is_stored_there_are_no_rows(bench: Workbench) -> None:
    tables, quarantine = row_counts(bench, SECOND)

    assert [(one["table"], one["read"], one["kept"]) for one in tables] == [("visits", 0, 0), ("plans", 0, 0)]
    assert quarantine == []
    assert rows_to_come(bench, SECOND) == {}


def test_what_is_to_come_is_the_rest_of_the_source_as_it_was_last_seen(stored: Workbench) -> None:
    assert rows_to_come(stored, SECOND) == {"visits": 30, "plans": 0}
    assert rows_to_come(stored, THIRD) == {"visits": 31, "plans": 0}


def backtest_path(bench: Workbench) -> Path:
    path = bench.project.reports / "shop" / "backtest" / str(THIRD) / "backtest.csv"
    path.parent.mkdir(parents=True)
    return path


def test_the_backtest_of_the_date_is_read_with_its_days(bench: Workbench) -> None:
    week = dict.fromkeys(WEEK_COLUMNS, 1) | {"scoring_date": FIRST, "trained_as_of": FIRST}
    pd.DataFrame([week]).to_csv(backtest_path(bench), index=False)

    weeks = report._backtest(bench, THIRD)

    assert weeks is not None
    assert weeks["scoring_date"].tolist() == [FIRST]
    assert report._backtest(bench, SECOND) is None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("a,b\n1,2\n", id="other-columns"),
        pytest.param("scoring_date\n2011-03-07\n", id="too-few-columns"),
        pytest.param("scoring_date\nsoon\n", id="no-date"),
        pytest.param('scoring_date\n"2011', id="broken"),
    ],
)
def test_a_backtest_that_cannot_be_read_is_none(bench: Workbench, content: str) -> None:
    backtest_path(bench).write_text(content)

    assert report._backtest(bench, THIRD) is None


def test_a_promotion_names_the_version_on_the_page_that_is_there(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is lost, or that an evaluation has left of another decision, is made again first."""
    decision: Any = SimpleNamespace(digest="0d", gates=[], passed=True)
    page = "<strong>✓ Passed</strong><code>{}</code><td>version</td><td><code>not promoted</code></td>"
    path = bench.report_path(THIRD)
    path.parent.mkdir(parents=True)
    monkeypatch.setattr(report, "require_clean_files", lambda *_, **__: None)
    made = []

    def write_report(*_: Any) -> None:
        made.append(path.exists())
        path.write_text(page.format("0d"), encoding="utf-8")

    monkeypatch.setattr(report, "write_report", write_report)

    def named(version: str) -> str:
        report.name_version(bench, THIRD, None, decision, version=version)  # type: ignore[arg-type]
        return path.read_text(encoding="utf-8")

    first = named("v0001")
    assert first == (
        "<strong>✓ Promoted as v0001: it reaches all 0 gates.</strong><code>0d</code><td>version</td>"
        "<td><code>v0001</code></td>"
    )
    assert named("v0002") == first.replace("v0001", "v0002")
    assert made == [False]
    path.write_text(page.format("0e"), encoding="utf-8")
    assert named("v0001") == first
    assert made == [False, True]

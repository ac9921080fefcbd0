"""Labelled rows as they lie in the store."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from ds_pipeline.clock import WEEK
from ds_pipeline.errors import HistoryError
from ds_pipeline.training.labelled import labelled_rows, matured_rows, matured_weeks, rows_seen
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import matured_week


def put_features(bench: Workbench, *, people: str = "abcd", plan: str = "gold") -> None:
    """Features of the first scoring date."""
    first = bench.use_case.clock.first
    rows = {"scoring_date": [first] * len(people), "customer_token": list(people), "plan": [plan] * len(people)}
    inputs = bench.datasets.inputs_digests(first)
    bench.datasets.put_weeks(bench.datasets.features, {first: pa.table(rows)}, inputs=inputs)


@pytest.fixture
def day(bench: Workbench) -> date:
    """The date at which the labels of the first scoring date are known."""
    return matured_week(bench, labels=[1, 0, None, 0], treated=[False, True, False, False])


def test_rows_have_features_and_a_label_and_the_undecided_are_counted(bench: Workbench, day: date) -> None:
    put_features(bench)

    found = labelled_rows(bench, [bench.use_case.clock.first], until=day)

    assert found.rows[["customer_token", "label", "is_treated", "plan"]].to_numpy().tolist() == [
        ["a", 1, False, "gold"], ["b", 0, True, "gold"], ["d", 0, False, "gold"],
    ]  # fmt: skip
    assert found.undecided == 1


def test_the_digest_follows_features_and_labels(bench: Workbench, day: date) -> None:
    first = [bench.use_case.clock.first]
    put_features(bench)
    before = labelled_rows(bench, first, until=day).digest
    again = labelled_rows(bench, first, until=day).digest

    put_features(bench, plan="basic")
    other_features = labelled_rows(bench, first, until=day).digest
    matured_week(bench, labels=[0, 0, None, 0], treated=[False, True, False, False])
    other_labels = labelled_rows(bench, first, until=day).digest

    assert before == again
    assert len({before, other_features, other_labels}) == 3


def test_what_is_seen_of_a_week_is_named_by_digest(bench: Workbench, day: date) -> None:
    first = bench.use_case.clock.first
    put_features(bench)
    before = rows_seen(bench, [first], until=day)
    matured_week(bench, labels=[0, 0, None, 0], treated=[False, True, False, False])
    after = rows_seen(bench, [first], until=day)

    features, labels = f"{bench.datasets.features}/{first}", f"{bench.datasets.labels}/{day}"
    assert before.keys() == {first}
    assert before[first].keys() == {features, labels}
    assert [name for name in before[first] if before[first][name] != after[first][name]] == [labels]


def test_weeks_that_are_not_there_are_named(bench: Workbench) -> None:
    clock = bench.use_case.clock

    with pytest.raises(HistoryError, match=str(clock.first)):
        labelled_rows(bench, [clock.first], until=clock.first + clock.lag)


def test_what_has_matured_ends_a_lag_before_the_date(bench: Workbench, day: date) -> None:
    clock = bench.use_case.clock
    put_features(bench)

    assert matured_weeks(clock, day) == [clock.first]
    assert matured_weeks(clock, day - WEEK) == []
    assert matured_weeks(clock, day + WEEK) == [clock.first, clock.first + WEEK]
    assert matured_rows(bench, day).rows["customer_token"].tolist() == ["a", "b", "d"]
    with pytest.raises(HistoryError):
        matured_rows(bench, day + WEEK)

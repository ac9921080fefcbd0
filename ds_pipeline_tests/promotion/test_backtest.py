"""What a backtest says and writes; how its weeks come about is tested where they are planned and measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ds_pipeline.evaluation.measure.walk_forward import FIGURES
from ds_pipeline.promotion import backtest as module
from ds_pipeline.promotion.backtest import Backtest, show_backtest, write_backtest
from ds_pipeline.training.labels import labels_schema
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline.workbench import Workbench

DAY = date(2011, 12, 5)


def week(number: int, **figures: float) -> dict[str, Any]:
    names = [f"{rival}{name}" for rival in ("", "baseline_", "prior_") for name in FIGURES]
    return {
        "scoring_date": date(2011, 9, 5) + timedelta(weeks=number), "trained_as_of": date(2011, 9, 5),
        "trained_until": date(2011, 6, 6), "age_weeks": number, "rows": 1_200, "undecided": 0, "positives": 30,
        "base_rate": 0.025, **dict.fromkeys(names, 0.5), **figures,
    }  # fmt: skip


def found(*weeks: dict[str, Any], asked: int = 2) -> Backtest:
    return Backtest(pd.DataFrame(weeks), [], "those of v0001 for every model", every=4, asked=asked)


def test_each_week_is_a_line_and_the_mean_stands_below_the_same_columns() -> None:
    lines = list(show_backtest(found(week(0, precision=0.25), week(1, precision=0.75, prior_recall=0.125))))

    _, head, first, second, mean, blank, last = lines
    assert first.split() == ["2011-09-05", "2011-09-05", "0", "1,200", "30", "0.250", *["0.500"] * 8]
    assert second.split()[5:11] == ["0.750", "0.500", "0.500", "0.500", "0.500", "0.125"]
    assert mean.split()[:2] == ["mean", "0.500"]
    assert len(first) == len(second) == len(mean) == len(head)
    assert first.index("0.250") == head.index("model", 20) == mean.index("0.500")
    assert blank == ""
    assert last.startswith("Hyperparameters: those of v0001 for every model.")


def test_what_cannot_be_told_is_left_out_of_the_mean() -> None:
    lines = list(show_backtest(found(week(0, precision=np.nan), week(1, precision=0.75))))

    assert lines[2].split()[5] == "nan"
    assert lines[4].split()[1] == "0.750"


def test_fewer_weeks_than_asked_for_are_said() -> None:
    assert "1 of 26 weeks: earlier ones have too little to train on." in list(show_backtest(found(week(0), asked=26)))


def test_the_page_and_the_weeks_are_written_below_the_reports_and_replaced(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "render_backtest", lambda weeks, *, problem, facts: str(facts["hyperparameters"]))
    for weeks in ([week(0)], [week(0), week(1)]):
        paths = write_backtest(bench, DAY, found(*weeks))

    assert [bench.project.shown(path) for path in paths] == [
        "data/reports/shop/backtest/2011-12-05/backtest.csv", "data/reports/shop/backtest/2011-12-05/backtest.html",
    ]  # fmt: skip
    assert pd.read_csv(paths[0])["age_weeks"].tolist() == [0, 1]
    assert "those of v0001 for every model" in paths[1].read_text()
    assert sorted(path.name for path in paths[0].parent.iterdir()) == ["backtest.csv", "backtest.html"]


def test_without_a_version_in_force_each_model_is_searched_for(bench: Workbench) -> None:
    parameters, said = module._parameters(bench)

    assert parameters is None
    assert said == f"searched for each model, {bench.use_case.training.trials} trials: no version is in force"


def put_labels(bench: Workbench, counts: list[tuple[int, int, int]]) -> date:
    """Labels of weeks in a row: positives, negatives and undecided; the date at which all are known."""
    clock, schema = bench.use_case.clock, labels_schema("customer_token")
    known = [clock.first + clock.lag + timedelta(weeks=number) for number in range(len(counts))]
    for day in clock.dates_until(known[-1]):
        for name, table in bench.use_case.sources.tables.items():
            empty_week = masked_schema(table).empty_table()
            bench.datasets.store.put(empty_week, dataset=bench.datasets.masked(name), partition=str(day))
    made = {}
    for day, (positive, negative, unknown) in zip(known, counts, strict=True):
        labels = [1] * positive + [0] * negative + [None] * unknown
        columns = {"label": labels, "customer_token": [str(number) for number in range(len(labels))]}
        empty = [None] * len(labels)
        made[day] = pa.table(
            {field.name: pa.array(columns.get(field.name, empty), field.type) for field in schema}
        )  # fmt: skip
    inputs = bench.datasets.inputs_digests(known[-1])
    bench.datasets.put_weeks(bench.datasets.labels, made, inputs=inputs)
    return known[-1]


def test_a_model_needs_as_many_weeks_as_hold_the_rows_and_positives_that_are_asked_for(
    bench: Workbench,
) -> None:
    day = put_labels(bench, [(1, 9, 5), (1, 9, 0), (3, 7, 0), (9, 9, 0)])
    requirements = bench.use_case.requirements
    minimums = requirements.data_minimums

    def least(rows: int, positives: int, *, searches: bool = False) -> int:
        asked = minimums.model_copy(update={"training_rows": rows, "training_positives": positives})
        changed = requirements.model_copy(update={"data_minimums": asked})
        other = replace(bench, use_case=replace(bench.use_case, requirements=changed))
        return module._least_weeks(other, day, searches=searches)

    assert least(10, 1) == 1
    assert least(11, 1) == 2  # the undecided do not count
    assert least(10, 3) == 3
    assert least(20, 2) == 2
    clock, training = bench.use_case.clock, bench.use_case.training
    assert least(10, 1, searches=True) == training.validation_weeks + clock.lag_weeks

"""The step of the training: what it signs, and what stops it before anything is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from unittest import mock

import pandas as pd
import pyarrow as pa
import pytest

from ds_pipeline.errors import TrainingError
from ds_pipeline.store.snapshots import write_file
from ds_pipeline.training import candidate
from ds_pipeline.training.candidate import sign_candidate
from ds_pipeline.training.labels import labels_schema
from ds_pipeline.use_case.features import LABEL
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.requirements import Leakage
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.training.conftest import WEEKS

ENTITY = "customer_token"
DAY = WEEKS[-1] + timedelta(weeks=3)  # two weeks of holdout and the embargo, each a week behind the other


@pytest.fixture
def ready(bench: Workbench, case: UseCase, rows: pd.DataFrame) -> Workbench:
    """Ten weeks of features and labels in the store, whose masked tables are empty."""
    case = replace(case, name=bench.use_case.name, sources=bench.use_case.sources)
    for name, content in case.files.items():
        write_file(bench.project.configs / case.name / name, content, replace=True)
    bench.datasets.use_case = case
    for name, table in case.sources.tables.items():
        for day in case.clock.dates_until(DAY):
            empty = masked_schema(table).empty_table()
            bench.datasets.store.put(empty, dataset=bench.datasets.masked(name), partition=str(day))
    put(ready := replace(bench, use_case=case), rows)
    return ready


def put(bench: Workbench, rows: pd.DataFrame) -> None:
    """Rows as features of their dates, and as labels one week later."""
    datasets, inputs = bench.datasets, bench.datasets.inputs_digests(DAY)
    weeks: dict[date, pd.DataFrame] = {day: week for day, week in rows.groupby("scoring_date", sort=True)}
    features = {
        day: pa.Table.from_pandas(week.drop(columns=LABEL), preserve_index=False) for day, week in weeks.items()
    }
    labels = {
        day + bench.use_case.clock.lag: pa.Table.from_pandas(
            week[["scoring_date", ENTITY, LABEL]].assign(decided_by=None, is_treated=False),
            schema=labels_schema(ENTITY),
            preserve_index=False,
        )
        for day, week in weeks.items()
    }
    datasets.put_weeks(datasets.features, features, inputs=inputs)
    datasets.put_weeks(datasets.labels, labels, inputs=inputs)


def signed(bench: Workbench) -> dict[str, object]:
    found: dict[str, object] = json.loads(bench.documents.get(kind="candidate", day=DAY).files["training.json"])
    return found


def test_the_candidate_is_signed_with_what_it_was_made_from(ready: Workbench, rows: pd.DataFrame) -> None:
    made = sign_candidate(ready, DAY)

    says = signed(ready)
    assert (says["rows"], says["positives"]) == (400, int(rows[LABEL].sum()))
    assert says["weeks"] == [str(week) for week in WEEKS]
    assert ready.lineage_of(DAY, made.digest)  # raises where it is of another candidate
    assert [entry.says.kind for entry in ready.ledger.entries(known={})] == ["declared"]
    assert made.summary == f"400 rows of 10 weeks, {says['positives']} positives; candidate {made.digest[:12]}"


def test_the_same_weeks_give_the_same_candidate(ready: Workbench) -> None:
    assert sign_candidate(ready, DAY).digest == sign_candidate(ready, DAY).digest


def test_the_search_is_told_at_its_end(ready: Workbench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="ds_pipeline.progress"):
        sign_candidate(ready, DAY)

    assert [record.getMessage() for record in caplog.records] == ["candidate: search: trial 3 of 3"]


def test_an_input_that_tells_the_outcome_stops_it_before_the_search(ready: Workbench, rows: pd.DataFrame) -> None:
    put(ready, rows.assign(days_away=rows[LABEL] * 90))
    leakage = Leakage(max_single_feature_auc=0.9, owner="ds")
    requirements = ready.use_case.requirements.model_copy(update={"leakage": leakage})
    gated = replace(ready, use_case=replace(ready.use_case, requirements=requirements))

    with (
        mock.patch.object(candidate, "train_candidate", side_effect=AssertionError("it was trained")),
        pytest.raises(TrainingError, match="days_away"),
    ):
        sign_candidate(gated, DAY)
    assert not ready.documents.days("candidate")


def test_a_file_that_is_edited_while_it_trains_leaves_no_candidate(ready: Workbench) -> None:
    train: Callable[..., object] = candidate.train_candidate

    def edited_meanwhile(*arguments: object, **named: object) -> object:
        (ready.project.configs / "shop" / "label.sql").write_text("select 1")
        return train(*arguments, **named)

    with (
        mock.patch.object(candidate, "train_candidate", edited_meanwhile),
        pytest.raises(TrainingError, match=r"label\.sql changed while this run was at work"),
    ):
        sign_candidate(ready, DAY)
    assert not ready.documents.days("candidate")

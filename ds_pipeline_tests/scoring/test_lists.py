"""The list of a date is what was recorded for it, and beside it stands what it is."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from ds_pipeline.errors import ScoringError
from ds_pipeline.features.weeks import make_features
from ds_pipeline.scoring.lists import deliver
from ds_pipeline.scoring.serve import score_day
from ds_pipeline.store.datasets import KEY, SCORES
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS, SERVED

FIRST, DAYS = SERVED[0], SERVED


def test_the_list_is_what_was_recorded(ready: Workbench) -> None:
    week = score_day(ready, FIRST)

    delivery = deliver(ready, FIRST)

    assert delivery.rows == week.chosen
    assert delivery.summary == f"1 rows: {', '.join(delivery.files)}"
    assert [ready.project.root / name for name in delivery.files] == ready.delivery_paths(FIRST)
    listed = pd.read_csv(ready.delivery_paths(FIRST)[0])
    assert listed["score"].tolist() == [week.scores["score"].max()]
    assert set(listed["customer_id"]) < set(CUSTOMERS)


def test_a_week_that_is_not_scored_has_no_list(ready: Workbench) -> None:
    with pytest.raises(ScoringError, match="2011-03-14 is not scored"):
        deliver(ready, DAYS[1])


def test_scores_under_another_key_are_not_delivered(ready: Workbench) -> None:
    scores = ready.datasets.store.read(ready.datasets.store.get(SCORES, str(score_day(ready, FIRST).day)))
    ready.datasets.store.put(
        scores, dataset=SCORES, partition=str(DAYS[1]), info={"model_version": "v0001", KEY: "another"}
    )

    with pytest.raises(ScoringError, match="recorded under the pseudonym key another"):
        deliver(ready, DAYS[1])


def test_a_week_with_nobody_in_scope_has_an_empty_list(ready: Workbench) -> None:
    """A shop that was closed for a week stopped that Monday: nobody had come in the week before it."""
    sql = "select distinct customer_token from visits where visited_at >= $scoring_at - interval 7 days"
    closed = replace(ready, use_case=replace(ready.use_case, population_sql=sql))

    made = make_features(closed, DAYS)
    week, again = score_day(closed, DAYS[1]), score_day(closed, DAYS[1])
    delivery = deliver(closed, DAYS[1])

    assert [made.weeks[day].rows for day in DAYS] == [len(CUSTOMERS), 0]
    assert "nobody in scope at 2011-03-14" in made.summary
    assert week.summary == "nobody was in scope for 2011-03-14: nobody scored, and an empty list"
    assert (week.is_new, again.is_new, again.features_have_changed) == (True, False, False)
    assert delivery.rows == 0
    header, *rows = closed.delivery_paths(DAYS[1])[0].read_text().splitlines()
    assert (header.split(",")[0], rows) == ("customer_id", [])
    assert len(score_day(closed, FIRST).scores) == len(CUSTOMERS)


def test_beside_a_list_stands_what_it_is(ready: Workbench) -> None:
    score_day(ready, FIRST)

    deliver(ready, FIRST)

    path = ready.delivery_paths(FIRST)[0]
    assert json.loads((path.parent / "manifest.json").read_text()) == {
        "use_case": "shop",
        "scoring_date": "2011-03-07",
        "model_version": "v0001",
        "scores": ready.datasets.store.get(SCORES, str(FIRST)).digest,
        "files": ["campaign_list.csv", "campaign_list.parquet"],
        "rows": 1,
        "left_out": 0,
        "replaces": None,
    }
    assert pd.read_csv(path)["replaces"].tolist() == ["none"]

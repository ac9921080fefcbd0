"""The steps of a Monday: a week is scored once, by the version in force, and its list is what was recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

from ds_pipeline.errors import LeakError, ScoringError
from ds_pipeline.features.weeks import make_features
from ds_pipeline.scoring import serve
from ds_pipeline.scoring.serve import deliver, score_day
from ds_pipeline.store.datasets import KEY, SCORES
from ds_pipeline.use_case.contract import IdentifierSource
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS, Declare, put_in_force, put_masked

FIRST = date(2011, 3, 7)
DAYS = [FIRST, FIRST + timedelta(weeks=1)]
MODEL = LogisticRegression().fit(pd.DataFrame({"visits_seen": [0.0, 1.0, 2.0, 3.0]}), [0, 0, 1, 1])


@pytest.fixture
def ready(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """Two weeks of features, and a version of the first; the use case of its bundle is that of the workbench.

    The consumer's own identifiers are the names of the customers.
    """
    bench = declare(visits={"allow_silent_weeks": True})
    contract = bench.use_case.contract
    columns = {name: column for name, column in contract.columns.items() if column.origin != "reason"}
    columns["customer_id"] = columns["customer_id"].model_copy(update={"type": "string"})
    identifier = IdentifierSource(table="plans", column="customer_token")
    contract = contract.model_copy(update={"identifier": identifier, "columns": columns})
    bench = replace(bench, use_case=replace(bench.use_case, contract=contract))
    put_masked(bench, DAYS)
    make_features(bench, DAYS)
    monkeypatch.setattr(serve, "use_case_of", lambda *_: bench.use_case)
    put_in_force(bench, MODEL, as_of=FIRST)
    return bench


def test_a_week_is_scored_once_and_read_from_then_on(ready: Workbench) -> None:
    new, again = score_day(ready, FIRST), score_day(ready, FIRST)

    assert (new.is_new, again.is_new) == (True, False)
    assert again.scores["score"].tolist() == new.scores["score"].tolist()
    assert new.chosen == 1  # a tenth of five, and never nobody
    assert new.summary == "5 scored for 2011-03-07 by v0001; 1 for the campaign"
    assert again.summary == "5 scored for 2011-03-07 by v0001 (recorded earlier, unchanged); 1 for the campaign"


def test_a_week_stays_as_it_was_scored_though_its_features_change(ready: Workbench) -> None:
    new = score_day(ready, FIRST)
    stored = ready.datasets.require_features([FIRST], until=FIRST)[0]
    fewer = ready.datasets.store.read(stored).slice(1)
    inputs = ready.datasets.inputs_digests(FIRST)
    ready.datasets.put_weeks(ready.datasets.features, {FIRST: fewer}, inputs=inputs)

    again = score_day(ready, FIRST)

    assert again.features_have_changed
    assert len(again.scores) == len(new.scores) == len(CUSTOMERS)
    assert "(recorded earlier and final, although the features have changed since)" in again.summary


def test_before_the_first_version_nothing_is_scored(bench: Workbench) -> None:
    with pytest.raises(ScoringError, match="no version is in force for 2011-03-07"):
        score_day(bench, FIRST)


def test_scores_are_checked_for_identifiers_before_they_are_recorded(
    ready: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = serve.score_week
    monkeypatch.setattr(
        serve, "score_week", lambda *given, **named: score(*given, **named).assign(decision=CUSTOMERS[0])
    )

    with pytest.raises(LeakError, match="'decision'"):
        score_day(ready, FIRST)
    assert ready.datasets.store.find(SCORES, str(FIRST)) is None


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


def test_scores_that_the_version_does_not_give_are_not_delivered_whoever_signed_them(ready: Workbench) -> None:
    """Their signature is genuine here: what is delivered must also follow from the features and the bundle."""
    store = ready.datasets.store
    scores = score_day(ready, FIRST).scores
    changes = {
        "5 of 5 scores": {"score": scores["score"] / 2},
        "the ranks or decisions": {"decision": scores["decision"].to_numpy()[::-1]},
    }
    for said, change in changes.items():
        table = pa.Table.from_pandas(scores.assign(**change), preserve_index=False)
        store.put(table, dataset=SCORES, partition=str(FIRST), info=store.get(SCORES, str(FIRST)).info)

        for step in (score_day, deliver):
            with pytest.raises(ScoringError, match=f"{said} recorded for 2011-03-07 are not what v0001 gives"):
                step(ready, FIRST)
    assert not any(path.exists() for path in ready.delivery_paths(FIRST))


def test_a_date_whose_list_went_out_by_another_version_is_not_scored_again(ready: Workbench) -> None:
    score_day(ready, FIRST)
    deliver(ready, FIRST)
    (file,) = [one for one in ready.datasets.store.files() if one.dataset == SCORES]
    ready.datasets.store.remove_file(file)
    assert score_day(ready, FIRST).is_new  # the same version gives the same scores

    ready.datasets.store.remove_file(file)
    put_in_force(ready, MODEL, as_of=FIRST, candidate="another")
    with pytest.raises(ScoringError, match=r"a list of 2011-03-07 by v0001 was delivered, .* v0002 is in force now"):
        score_day(ready, FIRST)

"""The steps of a Monday: a week is scored once, by the version in force, and its list is what was recorded."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ds_pipeline.errors import LeakError, ScoringError
from ds_pipeline.scoring import serve
from ds_pipeline.scoring.lists import deliver
from ds_pipeline.scoring.serve import score_day
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS, MODEL, SERVED, put_in_force

FIRST, DAYS = SERVED[0], SERVED


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

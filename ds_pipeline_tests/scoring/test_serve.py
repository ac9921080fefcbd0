"""The steps of a Monday: a week is scored once, by the version in force, and its list is what was recorded."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pytest

from ds_pipeline.digests import canonical_json
from ds_pipeline.errors import LeakError, RegistryError, ScoringError
from ds_pipeline.registry.ledger import Rebuilt, Scored
from ds_pipeline.scoring import serve
from ds_pipeline.scoring.lists import deliver
from ds_pipeline.scoring.serve import make_scores, score_day
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.workbench import Workbench, now
from ds_pipeline_tests.workbenches import CUSTOMERS, MODEL, SERVED, in_buckets, put_in_force

FIRST, DAYS = SERVED[0], SERVED


def test_a_week_is_scored_once_and_read_from_then_on(ready: Workbench) -> None:
    new, again = score_day(ready, FIRST), score_day(ready, FIRST)

    assert (new.is_new, again.is_new) == (True, False)
    assert again.scores["score"].tolist() == new.scores["score"].tolist()
    assert new.chosen == 1  # a tenth of five, and never nobody
    assert new.summary == "5 scored for 2011-03-07 by v0001; 1 for the campaign"
    assert again.summary == "5 scored for 2011-03-07 by v0001 (recorded earlier, unchanged); 1 for the campaign"


def test_scores_have_the_same_bytes_in_any_number_of_buckets(ready: Workbench) -> None:
    made = {number: make_scores(in_buckets(ready, number), FIRST) for number in (1, 2, 16)}

    assert made[1].digest == made[2].digest == made[16].digest
    assert made[16].scores["rank"].tolist() == [1, 2, 3, 4, 5]


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
        put = store.put(table, dataset=SCORES, partition=str(FIRST), info=store.get(SCORES, str(FIRST)).info)
        serve._note(ready, FIRST, version="v0001", scores=put.digest)

        for step in (score_day, deliver):
            with pytest.raises(ScoringError, match=f"{said} recorded for 2011-03-07 are not what v0001 gives"):
                step(ready, FIRST)
    assert not any(path.exists() for path in ready.delivery_paths(FIRST))


def test_an_older_state_of_the_log_is_not_delivered(ready: Workbench) -> None:
    """Its signature is genuine; the ledger knows what was recorded."""
    index = ready.datasets.store.root / SCORES / "index.json"
    score_day(ready, DAYS[1])
    older = index.read_bytes()
    score_day(ready, FIRST)
    scores = ready.datasets.store.read(ready.datasets.store.get(SCORES, str(FIRST)))
    index.write_bytes(older)
    before = len(ready.ledger.read())

    put_in_force(ready, MODEL, as_of=FIRST, candidate="another")
    with pytest.raises(
        ScoringError, match=r"ledger/000002.json says that 2011-03-07 was scored, and .* restore scores/"
    ):
        score_day(ready, FIRST)
    ready.datasets.store.put(scores.slice(1), dataset=SCORES, partition=str(FIRST), info={"model_version": "v0001"})
    for step in (score_day, deliver):
        with pytest.raises(ScoringError, match=r"are not those of ledger/000002.json, .* an older state"):
            step(ready, FIRST)
    assert len(ready.ledger.read()) == before
    assert not any(path.exists() for path in ready.delivery_paths(FIRST))


def test_scores_of_a_run_that_was_killed_before_its_note_are_noted_by_the_next(
    ready: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(serve, "_note", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            score_day(ready, FIRST)
    assert ready.ledger.read() == []

    assert not score_day(ready, FIRST).is_new
    (entry,) = ready.ledger.read()
    assert entry.says == Scored(version="v0001", scores=ready.datasets.store.get(SCORES, str(FIRST)).digest)
    assert not score_day(ready, FIRST).is_new
    assert len(ready.ledger.read()) == 1


@pytest.mark.parametrize("is_scored", [False, True], ids=["never scored", "scored"])
def test_a_ledger_that_is_gone_is_not_begun_anew_by_a_score(ready: Workbench, is_scored: bool) -> None:
    """The next score wrote 000001.json, and what was replaced or rolled back before had never been."""
    entry = ready.ledger.add(Rebuilt(), as_of=FIRST, actor="me", reason="an entry", at=now(), known={})[-1]
    judged = {"ledger": {"entry": entry.number, "entry_digest": entry.digest}}
    put_in_force(ready, MODEL, as_of=FIRST, candidate="judged", evaluation=canonical_json(judged))
    if is_scored:
        score_day(ready, FIRST)
    logged = ready.datasets.store.find(SCORES, str(FIRST))

    shutil.rmtree(ready.ledger.folder)
    ready.ledger.newest_path.unlink()

    for step in (score_day, deliver) if is_scored else (score_day,):
        with pytest.raises(RegistryError, match=r"ledger/: 000001\.json is missing, but was made\. .*from a backup"):
            step(ready, FIRST)
    assert ready.datasets.store.find(SCORES, str(FIRST)) == logged
    assert not any(path.exists() for path in ready.delivery_paths(FIRST))
    assert not ready.ledger.newest_path.exists()
    assert not list(ready.ledger.folder.glob("*.json"))

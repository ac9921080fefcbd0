"""Which candidates had seen rows that were erased."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.boundary.erasures import Affected, Change, Erasure
from ds_pipeline.boundary.suppress import erasures_of
from ds_pipeline.digests import SHORT, canonical_json, digest_bytes
from ds_pipeline.erasure import exposure
from ds_pipeline.erasure.exposure import candidates_affected, erasures_since, retraining_is_due
from ds_pipeline.store.chain import next_link
from ds_pipeline.store.snapshots import make_folder
from ds_pipeline.workbench import Workbench

FEATURES = "f" * 64
DAY = date(2011, 9, 5)
WEEKS = [date(2011, 3, 7), date(2011, 3, 14)]
AT = datetime(2011, 9, 5, tzinfo=UTC)


@pytest.fixture
def bench(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """With a key, and a version that was trained on two weeks, which are stored."""
    monkeypatch.setattr(exposure, "use_case_of", lambda *_: bench.use_case)
    make_folder(bench.datasets.root)
    bench.prepare_to_sign()
    for week in [*WEEKS, *bench.use_case.clock.holdout(DAY)]:
        bench.datasets.store.put(
            pa.table({"n": [1]}), dataset=f"features/{FEATURES[:SHORT]}", partition=str(week)
        )  # fmt: skip
    facts = {"as_of": str(DAY), "weeks": [str(week) for week in WEEKS], "features": FEATURES}
    bench.registry.promote(
        {"model.joblib": b"m", "lineage.json": b"{}", "training.json": canonical_json(facts)},
        as_of=DAY, candidate_digest=digest_bytes(b"c"), decision_digest=digest_bytes(b"d"), actor="ann",
        reason="all gates passed", at=AT,
    )  # fmt: skip
    return bench


def change(dataset: str, day: date, *, rows: int = 1) -> Change:
    return Change(dataset=dataset, partition=str(day), rows=rows, old="o", new="n")


def features(day: date, **more: Any) -> Change:
    return change(f"features/{FEATURES[:SHORT]}", day, **more)


def affected(bench: Workbench, *changes: Change) -> list[tuple[str | None, int]]:
    return [(one.version, one.rows) for one in candidates_affected(bench, changes)]


def test_rows_of_its_weeks_and_of_their_labels_are_what_it_had_seen(bench: Workbench) -> None:
    clock = bench.use_case.clock
    holdout = clock.holdout(DAY)[0]

    assert affected(bench, features(WEEKS[0], rows=2)) == [("v0001", 2)]
    assert affected(bench, features(holdout, rows=3)) == [("v0001", 3)]
    assert affected(bench, change("labels/x", WEEKS[1] + clock.lag, rows=4)) == [("v0001", 4)]
    assert affected(bench, features(WEEKS[0], rows=5), features(WEEKS[1]), features(WEEKS[0], rows=2)) == [("v0001", 6)]


def test_what_it_had_not_seen_does_not_count(bench: Workbench) -> None:
    week_between = WEEKS[-1] + timedelta(weeks=1)

    assert affected(bench) == []
    assert affected(bench, features(week_between)) == []
    assert affected(bench, change("features/other", WEEKS[0])) == []
    assert affected(bench, change("labels/x", WEEKS[0])) == []
    assert affected(bench, change("scores", DAY), change("masked/visits/x", WEEKS[0])) == []


def test_a_model_that_was_fitted_again_has_seen_every_matured_week(bench: Workbench) -> None:
    training = bench.use_case.training.model_copy(update={"refit": "matured"})
    bench = replace(bench, use_case=replace(bench.use_case, training=training))
    between = WEEKS[-1] + timedelta(weeks=1)
    newest = DAY - bench.use_case.clock.lag

    assert _seen(bench, between) == 2
    assert _seen(bench, newest) == 2
    assert _seen(bench, newest + timedelta(weeks=1)) is None


def _seen(bench: Workbench, week: date) -> int | None:
    facts = {"as_of": str(DAY), "weeks": [str(week) for week in WEEKS], "features": FEATURES}
    found = exposure._affected(bench, bench.use_case, facts, "c", "v0001", [features(week, rows=2)])
    return found.rows if found else None


def test_where_its_weeks_are_gone_it_cannot_be_ruled_out(bench: Workbench) -> None:
    store = bench.datasets.store
    for file in [file for file in store.files() if file.partition == str(WEEKS[0])]:
        store.remove_file(file)

    (found,) = candidates_affected(bench, [change("masked/visits/x", DAY)])

    assert (found.version, found.rows) == ("v0001", 0)
    assert found.cause == "1 of its weeks are not stored any more, so it cannot be ruled out"
    assert affected(bench, change("scores", DAY)) == []


def test_a_version_that_does_not_verify_counts(bench: Workbench) -> None:
    (bench.datasets.root / "registry" / "versions" / "v0001" / "bundle" / "training.json").write_text("{}")

    (found,) = candidates_affected(bench, [change("scores", DAY)])

    assert (found.version, found.cause) == ("v0001", "its bundle does not verify, so it cannot be ruled out")


def test_a_candidate_that_may_still_be_promoted_counts_with_every_week_up_to_its_date(bench: Workbench) -> None:
    facts = {"as_of": "2011-10-03", "weeks": [str(WEEKS[1])], "features": "e" * 64}
    bench.documents.put({"training.json": json.dumps(facts).encode()}, kind="candidate", day=date(2011, 10, 3))

    inside, outside = (change(f"features/{'e' * SHORT}", day) for day in (date(2011, 9, 26), WEEKS[0]))

    assert affected(bench, inside) == [(None, 1)]
    assert affected(bench, outside) == []


def erase(bench: Workbench, candidate: bytes, *, found: int) -> None:
    record = erasures_of(bench)
    seen = Affected(candidate=digest_bytes(candidate), as_of=DAY, version="v0001", rows=1, cause="seen")
    events = record.read()
    record.append(
        next_link(
            Erasure, events, use_case="shop", actor="ann", reason="asked for", at=AT, request=f"r{len(events)}",
            people=9, found=found, listed=1, changes=[], affected=[seen],
        )
    )  # fmt: skip


def test_retraining_is_due_where_the_champion_had_seen_somebody(bench: Workbench) -> None:
    assert (erasures_since(bench), retraining_is_due(bench)) == (None, None)

    erase(bench, b"another", found=5)
    assert retraining_is_due(bench) is None

    erase(bench, b"c", found=1)
    assert retraining_is_due(bench) == "retraining is due: 1 person was erased since v0001 was trained"

    erase(bench, b"c", found=2)
    assert retraining_is_due(bench) == "retraining is due: 3 people were erased since v0001 was trained"

"""A version made again: what makes that impossible, and what is said of the environment."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import joblib
import pyarrow as pa
import pytest

from ds_pipeline.digests import SHORT, canonical_json, digest_bytes, digest_json
from ds_pipeline.errors import HistoryError, RegistryError
from ds_pipeline.lineage import lineage
from ds_pipeline.promotion import reproduce as module
from ds_pipeline.promotion.reproduce import Verdict, reproduce
from ds_pipeline.store.snapshots import make_folder
from ds_pipeline.workbench import Workbench

FIRST = date(2011, 3, 7)
DAY = date(2011, 12, 5)


def put_weeks(bench: Workbench, *, people: str = "ab") -> str:
    """Features and labels of one week; the digest that a training on them notes."""
    case, store = bench.use_case, bench.datasets.store
    rows = pa.table({"customer_token": list(people)})
    places = [
        (f"features/{case.features_digest[:SHORT]}", FIRST),
        (f"labels/{case.labels_digest[:SHORT]}", FIRST + case.clock.lag),
    ]
    stored = [store.put(rows, dataset=dataset, partition=str(day)) for dataset, day in places]
    return digest_json([[one.dataset, one.partition, one.digest] for one in stored])


@pytest.fixture
def promote(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a version in force that was trained on one week; the use case of its bundle is that of the workbench."""
    monkeypatch.setattr(module, "use_case_of", lambda *_: bench.use_case)

    def put(data: str, **lineage_says: Any) -> None:
        make_folder(bench.datasets.root)
        bench.prepare_to_sign()
        sink = io.BytesIO()
        joblib.dump("model", sink)
        bench.registry.promote(
            {
                "model.joblib": sink.getvalue(),
                "lineage.json": canonical_json(lineage(bench.project.root) | lineage_says),
                "training.json": canonical_json({"weeks": [str(FIRST)], "data": data}),
            },
            as_of=DAY, candidate_digest=digest_bytes(b"c"), decision_digest=digest_bytes(b"d"), actor="ann",
            reason="all gates passed", at=datetime(2011, 12, 5, tzinfo=UTC),
        )  # fmt: skip

    return put


def test_before_the_first_promotion_there_is_nothing_to_reproduce(bench: Workbench) -> None:
    with pytest.raises(HistoryError, match="shop: no version was ever promoted"):
        reproduce(bench, None)


def test_an_unknown_version_names_the_known_ones(bench: Workbench, promote: Callable[..., None]) -> None:
    promote("x")

    with pytest.raises(RegistryError, match=r"v0009: no such version\. Known: v0001"):
        reproduce(bench, "v0009")


def test_weeks_that_are_not_stored_any_more_are_counted(bench: Workbench, promote: Callable[..., None]) -> None:
    promote("x")

    found = reproduce(bench, None)

    assert (found.version, found.verdict) == ("v0001", Verdict.IMPOSSIBLE)
    assert found.why == [
        f"missing weeks: features or labels of 2 are not stored any more, the first {FIRST}"
    ]  # fmt: skip


def test_weeks_that_were_built_again_from_something_else_are_told_apart(
    bench: Workbench, promote: Callable[..., None]
) -> None:
    promote(put_weeks(bench))
    put_weeks(bench, people="abc")

    found = reproduce(bench, "v0001")

    assert found.verdict == Verdict.IMPOSSIBLE
    assert found.why[0].startswith("rebuilt history")


class Made:
    """What a training gives, as far as it is looked at."""

    def __init__(self, content: bytes) -> None:
        self.content, self.rows, self.weeks, self.model = content, 1200, [FIRST], "model"


def test_the_same_bytes_are_the_same_model(
    bench: Workbench, promote: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(put_weeks(bench))
    content = bench.registry.open("v0001").read("model.joblib")
    monkeypatch.setattr(module, "_train", lambda *_: Made(content))

    found = reproduce(bench, None)

    assert found.verdict == Verdict.SAME
    assert found.why == [
        f"1,200 rows of 1 weeks, model {digest_bytes(content)[:SHORT]}", "no scores of it are stored",
    ]  # fmt: skip


def test_other_bytes_are_told_with_what_is_different_here(
    bench: Workbench, promote: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(put_weeks(bench), code="other", lock="other")
    monkeypatch.setattr(module, "_train", lambda *_: Made(b"other"))

    found = reproduce(bench, None)

    assert found.verdict == Verdict.DIFFERS
    assert found.why[2:] == [
        "another code than it was trained under", "another lock than it was trained under",
        "no scores of it are stored",
    ]  # fmt: skip


def test_labels_lie_a_lag_after_their_week(bench: Workbench) -> None:
    case = bench.use_case
    put_weeks(bench)

    stored = module._stored(bench, case, [FIRST])

    assert not isinstance(stored, str)
    assert [one.partition for one in stored] == [str(FIRST), str(FIRST + case.clock.lag)]
    assert isinstance(module._stored(bench, case, [FIRST, FIRST + timedelta(weeks=1)]), str)

"""Files of the store that hold a token: what is to change, the change, and the proof."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.erasure.stored import apply_changes, other_keys_changes, require_gone, stored_changes
from ds_pipeline.errors import ErasureError, ErasureRefused, StoreError
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import elsewhere, in_buckets

ANN, BOB, CAT = ("a" * 32, "b" * 32, "c" * 32)
WEEK = "2011-03-07"
HER = frozenset({ANN})


def put(bench: Workbench, dataset: str, *people: str, **info: Any) -> str:
    """A table of these people; its digest."""
    rows = {"customer_token": pa.array(people, pa.string()), "n": pa.array(range(len(people)), pa.int64())}
    if dataset.startswith("quarantine/"):
        rows |= {name: pa.array(["missing:n"] * len(people), pa.string()) for name in ("_reason", "_reasons")}
    return bench.datasets.store.put(pa.table(rows), dataset=dataset, partition=WEEK, info=dict(info)).digest


def people(bench: Workbench, dataset: str) -> list[str]:
    store = bench.datasets.store
    return list(store.read(store.get(dataset, WEEK))["customer_token"].to_pylist())


def test_a_current_file_is_filtered_and_a_superseded_one_deleted(bench: Workbench) -> None:
    first = put(bench, "features/x", ANN, BOB, ANN)
    put(bench, "features/x", BOB, ANN)
    put(bench, "labels/x", BOB)
    seen: set[str] = set()

    changes = {one.old: one for one in stored_changes(bench, HER | {CAT}, seen=seen)}

    assert sorted((one.rows, one.new is None) for one in changes.values()) == [(1, False), (2, True)]
    assert changes[first].new is None
    assert seen == HER

    apply_changes(bench, list(changes.values()), HER)
    assert people(bench, "features/x") == [BOB]
    assert list(stored_changes(bench, HER)) == []
    assert {one.new for one in changes.values() if one.new} <= {file.digest for file in bench.datasets.store.files()}


def test_of_a_week_in_buckets_only_the_parts_of_the_erased_are_rewritten(bench: Workbench) -> None:
    rows = pa.table({"customer_token": [ANN, BOB, CAT, ANN], "n": [0, 1, 2, 3]})
    week, info = bench.use_case.clock.first, {"read": 4}
    weeks = {number: in_buckets(elsewhere(bench, f"store-{number}"), number) for number in (1, 16)}
    for one in weeks.values():
        one.datasets.put_masked("visits", {week: (rows, info)})

    for one in weeks.values():
        apply_changes(one, list(stored_changes(one, HER | {CAT})), HER | {CAT})

    whole, cut = (one.datasets.store.get(one.datasets.masked("visits"), WEEK) for one in weeks.values())
    assert (cut.digest, cut.rows, cut.info) == (whole.digest, 1, info)
    assert weeks[16].datasets.store.read(cut).to_pylist() == [{"customer_token": BOB, "n": 1}]
    assert len(set(cut.parts)) == 2  # his, and what is left of the others: nothing
    assert not list(stored_changes(weeks[16], HER | {CAT}))


def test_applied_again_nothing_more_is_done(bench: Workbench) -> None:
    put(bench, "features/x", BOB, ANN)
    changes = list(stored_changes(bench, HER))
    for _ in range(2):
        apply_changes(bench, changes, HER)

    assert people(bench, "features/x") == [BOB]


def test_scores_say_how_many_rows_were_erased_in_all(bench: Workbench) -> None:
    put(bench, SCORES, ANN, BOB, CAT, model_version="v0001", erased=2)

    apply_changes(bench, list(stored_changes(bench, HER)), HER)

    assert bench.datasets.store.get(SCORES, WEEK).info == {"model_version": "v0001", "erased": 3}


def test_the_counts_of_a_week_add_up_again_with_both_parts(bench: Workbench) -> None:
    masked, aside = bench.datasets.masked("visits"), bench.datasets.quarantine("visits")
    info = {"read": 6, "quarantined": {"missing:n": 3}, "suppressed": 0}
    put(bench, masked, ANN, BOB, CAT, **info)
    put(bench, aside, ANN, ANN, BOB, **info)

    apply_changes(bench, list(stored_changes(bench, HER)), HER)

    for dataset in (masked, aside):
        assert bench.datasets.store.get(dataset, WEEK).info == {
            "read": 6, "quarantined": {"missing:n": 1}, "suppressed": 3,
        }  # fmt: skip


def test_files_of_another_key_refuse_unless_they_are_to_be_dropped(bench: Workbench) -> None:
    put(bench, bench.datasets.masked("visits"), ANN, BOB)
    put(bench, "features/x", ANN, BOB)
    put(bench, "features/y", "d" * 32, "e" * 32)
    put(bench, SCORES, "d" * 32)

    with pytest.raises(ErasureRefused, match=r"made under another pseudonym key(.|\n)*features/y: 1 files"):
        list(other_keys_changes(bench, [bench.key], HER, drop=False))

    changes = {one.dataset: one for one in other_keys_changes(bench, [bench.key], HER, drop=True)}
    assert {name: (one.rows, one.new is None) for name, one in changes.items()} == {
        "features/y": (2, True), SCORES: (1, False),
    }  # fmt: skip
    apply_changes(bench, list(changes.values()), HER)
    assert people(bench, SCORES) == []
    assert bench.datasets.store.find("features/y", WEEK) is None
    assert people(bench, "features/x") == [ANN, BOB]


def test_a_file_without_any_token_is_of_no_key(bench: Workbench) -> None:
    put(bench, bench.datasets.masked("visits"), ANN)
    put(bench, "features/x")

    assert list(other_keys_changes(bench, [bench.key], HER, drop=False)) == []


@pytest.mark.parametrize(
    ("name", "write"),
    [
        pytest.param("note.txt", lambda path: path.write_text(f"see {ANN}"), id="text"),
        pytest.param("x.parquet", lambda path: pq.write_table(pa.table({"t": [ANN]}), path), id="table"),
    ],
)
def test_a_token_that_is_left_anywhere_is_an_error_that_names_the_file(bench: Workbench, name: str, write: Any) -> None:
    spared = bench.datasets.root / "pending.json"
    spared.parent.mkdir(parents=True)
    spared.write_text(ANN)
    (spared.parent / "broken.parquet").write_bytes(b"PAR1")
    require_gone(bench, HER, spared=spared)

    write(spared.parent / name)

    with pytest.raises(ErasureError, match=rf"still in 1 files: data/store/shop/{name}\. The pipeline did not"):
        require_gone(bench, HER, spared=spared)


def test_a_report_that_names_her_is_found_and_many_files_are_told_in_part(bench: Workbench, tmp_path: Path) -> None:
    folder = bench.project.reports / bench.use_case.name
    folder.mkdir(parents=True)
    for number in range(8):
        (folder / f"{number}.html").write_text(ANN)

    with pytest.raises(ErasureError, match=r"in 8 files: .*5\.html and more\."):
        require_gone(bench, HER, spared=tmp_path / "none")


def test_a_current_file_that_is_damaged_is_not_passed_over(bench: Workbench) -> None:
    put(bench, "features/x", BOB)
    next(path for path in bench.datasets.root.rglob("*.parquet")).write_bytes(b"damaged")

    with pytest.raises(StoreError, match="features/x"):
        list(stored_changes(bench, HER))

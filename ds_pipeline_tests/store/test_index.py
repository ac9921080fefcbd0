"""What is stored is signed: no pointer is changed, moved, added or taken out without the key."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import RegistryError, StoreError
from ds_pipeline.registry.signing import SigningKeys
from ds_pipeline.store.index import Pointer, seal, unseal
from ds_pipeline.store.snapshots import Store, encode
from ds_pipeline_tests.workbenches import signer

LABELS, MONDAY, LATER = "labels/x", "2011-03-07", "2011-03-14"
HONEST, FLIPPED = pa.table({"label": [1, 0, 0]}), pa.table({"label": [0, 1, 1]})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", signer(tmp_path), use_case="shop", final={"scores"})


def path(store: Store, dataset: str = LABELS) -> Path:
    return store.root / dataset / "index.json"


def lay(store: Store, table: pa.Table, dataset: str = LABELS) -> str:
    """A snapshot file as the store would lay it, and nothing that points at it."""
    digest = digest_bytes(encode(table))
    (store.root / dataset / MONDAY / f"{digest}.parquet").write_bytes(encode(table))
    return digest


def test_an_index_is_read_back_where_it_belongs_and_nowhere_else(tmp_path: Path) -> None:
    keys, pointer = signer(tmp_path), Pointer(digest="a" * 64, rows=3, info={"read": 3})
    content = seal({MONDAY: pointer}, keys, use_case="shop", dataset=LABELS)

    assert unseal(content, keys, use_case="shop", dataset=LABELS) == {MONDAY: pointer}
    for use_case, dataset in (("mill", LABELS), ("shop", "labels/y")):
        with pytest.raises(RegistryError, match="the signature does not fit"):
            unseal(content, keys, use_case=use_case, dataset=dataset)


def test_what_a_partition_pointed_at_before_is_kept() -> None:
    one, two = (Pointer(digest=letter * 64, rows=1, info={}) for letter in "ab")

    assert one.follow(None).versions == [one.digest]
    assert one.follow(one).versions == [one.digest]
    assert one.follow(two.follow(one)).versions == [one.digest, two.digest, one.digest]


CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "another digest": lambda index: index["partitions"][MONDAY].update(digest=digest_bytes(encode(FLIPPED))),
    "another number of rows": lambda index: index["partitions"][MONDAY].update(rows=2),
    "another fact": lambda index: index["partitions"][MONDAY]["info"].update(inputs="another"),
    "a past of its own": lambda index: index["partitions"][MONDAY].update(before=["b" * 64]),
    "one week more": lambda index: index["partitions"].update({LATER: index["partitions"][MONDAY]}),
    "one week less": lambda index: index["partitions"].pop(MONDAY),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_an_index_that_was_changed_is_refused(store: Store, change: Callable[[dict[str, Any]], None]) -> None:
    """188 labels were flipped by laying another file and pointing at it."""
    store.put(HONEST, dataset=LABELS, partition=MONDAY, info={"inputs": "these"})
    lay(store, FLIPPED)
    index = json.loads(path(store).read_bytes())
    change(index)
    path(store).write_text(json.dumps(index))

    for read in (store.find, store.get, store.versions):
        with pytest.raises(StoreError, match=r"changed after signing.* ds-pipeline history shop --rebuild"):
            read(LABELS, MONDAY)
    with pytest.raises(StoreError, match="changed after signing"):
        store.put(HONEST, dataset=LABELS, partition=LATER)
    with pytest.raises(StoreError, match="changed after signing"):
        store.verify()


def test_an_index_of_another_signer_is_refused(store: Store, tmp_path: Path) -> None:
    store.put(HONEST, dataset=LABELS, partition=MONDAY)
    thief = SigningKeys(tmp_path / "elsewhere")
    thief.create_if_first(registry_is_empty=True)
    forged = Pointer(digest=lay(store, FLIPPED), rows=3, info={})
    path(store).write_bytes(seal({MONDAY: forged}, thief, use_case="shop", dataset=LABELS))

    with pytest.raises(StoreError, match="unknown signer"):
        store.get(LABELS, MONDAY)


def test_an_index_of_another_dataset_is_refused(store: Store) -> None:
    store.put(HONEST, dataset=LABELS, partition=MONDAY)
    store.put(FLIPPED, dataset="labels/y", partition=MONDAY)
    shutil.copytree(store.root / "labels/y", store.root / LABELS, dirs_exist_ok=True)

    with pytest.raises(StoreError, match="changed after signing"):
        store.get(LABELS, MONDAY)


def test_another_file_under_the_signed_digest_is_refused(store: Store) -> None:
    digest = store.put(HONEST, dataset=LABELS, partition=MONDAY).digest
    (store.root / LABELS / MONDAY / f"{digest}.parquet").write_bytes(encode(FLIPPED))

    with pytest.raises(StoreError, match="the file was changed after it was written"):
        store.read(store.get(LABELS, MONDAY))
    with pytest.raises(StoreError, match="the file was changed after it was written"):
        store.verify()


def unsigned(store: Store, dataset: str) -> None:
    """A week as a version stored it that signed nothing."""
    (store.root / dataset / MONDAY).mkdir(parents=True)
    pointer = {"digest": lay(store, HONEST, dataset), "rows": 3, "info": {}}
    (store.root / dataset / MONDAY / "current.json").write_text(json.dumps(pointer))


def test_a_store_from_before_is_refused_and_built_again(store: Store) -> None:
    unsigned(store, LABELS)

    with pytest.raises(StoreError, match=r"found pointers of a version that signed nothing.* history shop --rebuild"):
        store.find(LABELS, MONDAY)

    store.begin_again()
    assert store.find(LABELS, MONDAY) is None
    assert store.read(store.put(HONEST, dataset=LABELS, partition=MONDAY)).equals(HONEST)


def test_scores_from_before_are_refused_and_no_rebuild_takes_them_over(store: Store) -> None:
    unsigned(store, "scores")
    store.begin_again()

    with pytest.raises(StoreError, match=r"signed nothing.* Move scores/ out of the store of shop"):
        store.find("scores", MONDAY)


def test_a_rebuild_forgets_what_was_forged_and_keeps_what_is_signed(store: Store) -> None:
    for dataset in (LABELS, "features/x", "scores"):
        store.put(HONEST, dataset=dataset, partition=MONDAY)
    for dataset in (LABELS, "scores"):
        path(store, dataset).write_bytes(path(store, "features/x").read_bytes())

    store.begin_again()

    assert (store.find(LABELS, MONDAY), store.versions(LABELS, MONDAY)) == (None, [])
    assert store.get("features/x", MONDAY).rows == 3
    with pytest.raises(StoreError, match=r"It is never made anew: restore scores/ in the store of shop from a backup"):
        store.find("scores", MONDAY)


def test_many_weeks_are_signed_at_once_and_a_file_is_read_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    for name in ("sign", "verify"):
        ours = getattr(store.keys, name)
        monkeypatch.setattr(store.keys, name, lambda *a, _o=ours, _n=name, **k: (counted.append(_n), _o(*a, **k))[1])

    store.put_all({f"2011-03-{day:02d}": (HONEST, {}) for day in range(1, 29)}, dataset=LABELS)
    for day in range(1, 29):
        store.get(LABELS, f"2011-03-{day:02d}")

    assert counted == ["sign", "verify"]


def test_the_first_thing_that_is_stored_makes_the_key_and_a_rebuild_goes_on_under_a_new_one(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path / ".keys")
    prepare = partial(keys.create_if_first, registry_is_empty=True)
    store = Store(tmp_path / "store", keys, use_case="shop", prepare=prepare)
    assert store.read(store.put(HONEST, dataset=LABELS, partition=MONDAY)).equals(HONEST)

    shutil.rmtree(keys.folder)
    lost = Store(tmp_path / "store", keys, use_case="shop", prepare=prepare)
    with pytest.raises(StoreError, match=r"the pinned public key is missing.* Or rebuild it"):
        lost.find(LABELS, MONDAY)
    lost.begin_again()
    assert lost.read(lost.put(HONEST, dataset=LABELS, partition=MONDAY)).equals(HONEST)

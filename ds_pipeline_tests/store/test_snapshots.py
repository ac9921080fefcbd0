"""Snapshots and pointers: whole or not at all, private, immutable, and checked when read."""

from __future__ import annotations

import itertools
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import StoreError
from ds_pipeline.store.buckets import cut
from ds_pipeline.store.snapshots import (
    LEFTOVER_SECONDS,
    WRITING,
    Store,
    encode,
    make_folder,
    remove_half_written,
    write_file,
)
from ds_pipeline_tests.workbenches import signer

DAY = "2011-03-07"
TABLE = pa.table({"token": ["a", "b"], "spend_gbp": [1.5, 2.5]})
OTHER = pa.table({"token": ["c"], "spend_gbp": [9.0]})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "new" / "store", signer(tmp_path), use_case="shop", final={"scores"})


def put(store: Store, table: pa.Table = TABLE, **more: object) -> None:
    store.put(table, dataset="masked/customers", partition=DAY, **more)  # type: ignore[arg-type]


def index(store: Store) -> Path:
    return store.root / "masked" / "customers" / "index.json"


def partition(store: Store) -> Path:
    return index(store).parent / DAY


def snapshot_path(store: Store) -> Path:
    return next(partition(store).glob("*.parquet"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_put_is_read_back(store: Store) -> None:
    put(store, info={"weeks": 1})

    snapshot = store.get("masked/customers", DAY)

    assert store.read(snapshot).equals(TABLE)
    assert (snapshot.rows, snapshot.info) == (2, {"weeks": 1})
    assert store.partitions("masked/customers") == [DAY]


def test_nothing_stored_is_none_or_an_error_that_says_what_to_do(store: Store) -> None:
    assert store.find("masked/customers", DAY) is None
    with pytest.raises(StoreError, match=r"masked/customers 2011-03-07: nothing is stored. Build the partition first"):
        store.get("masked/customers", DAY)


def test_a_table_in_parts_has_the_digest_it_has_in_one_piece(store: Store) -> None:
    store.put_all({DAY: (TABLE, {})}, dataset="masked/whole")
    store.put_all({DAY: (TABLE, {})}, dataset="masked/customers", cut=partial(cut, column="token", number=4))
    snapshot = store.get("masked/customers", DAY)

    assert snapshot.digest == store.get("masked/whole", DAY).digest
    assert encode(store.read(snapshot)) == encode(TABLE)
    assert [store.read_part(snapshot, number).num_rows for number in range(4)] == [0, 1, 0, 1]
    assert b'"parts"' not in (store.root / "masked" / "whole" / "index.json").read_bytes()  # as it always was
    assert {file.digest for file in store.files() if file.dataset == "masked/customers" and file.is_current} == {
        *snapshot.parts
    }


def test_a_part_that_was_changed_or_is_gone_is_refused(store: Store) -> None:
    store.put_all({DAY: (TABLE, {})}, dataset="masked/customers", cut=partial(cut, column="token", number=4))
    snapshot = store.get("masked/customers", DAY)
    part = partition(store) / f"{snapshot.parts[1]}.parquet"

    part.write_bytes(encode(OTHER))
    for read in (lambda: store.read_part(snapshot, 1), lambda: store.read(snapshot)):
        with pytest.raises(StoreError, match="the file was changed after it was written"):
            read()

    part.unlink()
    assert store.find("masked/customers", DAY) is None


def test_a_second_version_leaves_the_first_one_readable(store: Store) -> None:
    put(store)
    first = store.get("masked/customers", DAY)

    put(store, OTHER)

    assert store.read(first).equals(TABLE)
    assert store.read(store.get("masked/customers", DAY)).equals(OTHER)


def test_the_same_table_again_writes_no_new_content(store: Store) -> None:
    put(store)
    before = snapshot_path(store).stat().st_ino

    put(store)

    assert snapshot_path(store).stat().st_ino == before


def test_a_partition_of_one_writing_refuses_a_second(store: Store) -> None:
    put(store, once=True)

    with pytest.raises(FileExistsError):
        put(store, OTHER, once=True)

    assert store.read(store.get("masked/customers", DAY)).equals(TABLE)


def test_every_file_and_folder_is_private_parents_too(store: Store) -> None:
    """mkdir(parents=True, mode=0o700) made the parents 0755."""
    before = os.umask(0)
    try:
        put(store)
    finally:
        os.umask(before)

    made = [store.root.parent, *store.root.parent.rglob("*")]
    assert {mode(path) for path in made if path.is_dir()} == {0o700}
    assert {mode(path) for path in made if path.is_file()} == {0o600}


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    make_folder(tmp_path / "new")

    assert (mode(tmp_path), mode(tmp_path / "new")) == (0o755, 0o700)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[:-1], id="truncated"),
        pytest.param(lambda content: content[:20] + b"x" + content[21:], id="edited"),
        pytest.param(lambda content: b"", id="emptied"),
    ],
)
def test_a_damaged_snapshot_is_refused_and_building_it_again_repairs_it(store: Store, damage) -> None:  # type: ignore[no-untyped-def]
    """put() saw the name, not the content, so that a damaged snapshot stayed damaged for ever."""
    put(store)
    snapshot_path(store).write_bytes(damage(snapshot_path(store).read_bytes()))

    with pytest.raises(StoreError, match=r"the file was changed after it was written. Rebuild it"):
        store.read(store.get("masked/customers", DAY))

    put(store)
    assert store.read(store.get("masked/customers", DAY)).equals(TABLE)


def test_a_snapshot_that_is_gone_is_refused_and_its_week_counts_as_not_built(store: Store) -> None:
    put(store)
    before = store.get("masked/customers", DAY)
    snapshot_path(store).unlink()

    with pytest.raises(StoreError, match=r"is missing. Rebuild it"):
        store.read(before)
    assert (store.find("masked/customers", DAY), store.partitions("masked/customers")) == (None, [])
    put(store)
    assert store.versions("masked/customers", DAY) == [before.digest]


def test_scores_that_are_gone_are_missed_and_do_not_count_as_never_made(store: Store) -> None:
    store.put(TABLE, dataset="scores", partition=DAY, once=True)
    next((store.root / "scores" / DAY).iterdir()).unlink()

    with pytest.raises(StoreError, match=r"is missing. It is never made anew: restore scores/"):
        store.read(store.get("scores", DAY))
    with pytest.raises(FileExistsError):
        store.put(TABLE, dataset="scores", partition=DAY, once=True)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="truncated"),
        pytest.param(b"[]", id="a-list"),
        pytest.param(b"{}", id="no-keys"),
        pytest.param(b"\xff\xfe", id="no-text"),
    ],
)
def test_a_damaged_index_is_refused(store: Store, content: bytes) -> None:
    put(store)
    index(store).write_bytes(content)

    with pytest.raises(StoreError, match=r"its index is damaged.* Or rebuild it: ds-pipeline history shop --rebuild"):
        store.find("masked/customers", DAY)


@pytest.mark.parametrize(
    ("dataset", "partition"),
    [
        pytest.param("../other", DAY, id="parent"),
        pytest.param("masked/../../other", DAY, id="parent-inside"),
        pytest.param("/etc", DAY, id="absolute"),
        pytest.param("masked//customers", DAY, id="empty-part"),
        pytest.param("masked", "..", id="parent-as-partition"),
        pytest.param("masked", "a/b", id="slash-in-partition"),
        pytest.param("masked", "", id="no-partition"),
        pytest.param("masked", ".", id="dot"),
        pytest.param("mas\x00ked", DAY, id="nul"),
        pytest.param("masked\n", DAY, id="line-break"),
    ],
)
def test_a_name_cannot_leave_the_store(store: Store, dataset: str, partition: str) -> None:
    with pytest.raises(StoreError, match="cannot be part of a dataset's name"):
        store.put(TABLE, dataset=dataset, partition=partition)
    with pytest.raises(StoreError, match="cannot be part of a dataset's name"):
        store.find(dataset, partition)
    assert not store.root.exists()


def test_the_same_table_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import pyarrow as pa; from ds_pipeline.store.snapshots import encode;"
        "from ds_pipeline.digests import digest_bytes;"
        "print(digest_bytes(encode(pa.table({'token': ['a', 'b'], 'spend_gbp': [1.5, 2.5]}))))"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert found == digest_bytes(encode(TABLE))


def test_the_bytes_do_not_depend_on_how_the_rows_are_chunked() -> None:
    whole = pa.table({"n": range(1000)})

    assert encode(pa.concat_tables([whole.slice(0, 10), whole.slice(10)])) == encode(whole)


def test_a_full_disk_leaves_the_old_state(store: Store) -> None:
    put(store)
    big = pa.table({"noise": [os.urandom(1 << 16)]})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, hard))
    try:
        with pytest.raises(StoreError, match=r"cannot be written: .* What was there before is untouched"):
            put(store, big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert store.read(store.get("masked/customers", DAY)).equals(TABLE)
    assert list(partition(store).glob(".writing-*")) == []


def test_a_folder_in_the_place_of_a_file_is_an_error_without_a_path(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()

    with pytest.raises(StoreError, match=r"report.html cannot be written") as error:
        write_file(tmp_path / "report.html", b"x", replace=True)

    assert str(tmp_path) not in str(error.value)


def test_a_killed_writer_leaves_the_old_or_the_new_state(store: Store) -> None:
    tables = [pa.table({"n": [n] * 50_000}) for n in range(2)]
    put(store, tables[0], info={"n": 0})
    killed = 0
    for attempt in range(20):
        child = os.fork()
        if child == 0:  # writes for ever, and ends with the signal
            for n in itertools.cycle((1, 0)):
                put(store, tables[n], info={"n": n})
        time.sleep(0.001 * attempt)
        os.kill(child, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL

        snapshot = store.get("masked/customers", DAY)
        assert store.read(snapshot).equals(tables[snapshot.info["n"]])
    assert killed == 20


def test_what_a_killed_run_left_is_removed_when_it_is_old(store: Store) -> None:
    put(store)
    old, young = (partition(store) / f".writing-{name}" for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"half")
    past = time.time() - LEFTOVER_SECONDS - 60
    os.utime(old, (past, past))

    put(store, OTHER)

    assert (old.exists(), young.exists()) == (False, True)
    assert store.partitions("masked/customers") == [DAY]


def test_writers_at_the_same_time_leave_one_of_their_states(store: Store) -> None:
    tables = [pa.table({"n": [n] * 100}) for n in range(4)]
    threads = [threading.Thread(target=put, args=(store, table)) for table in tables for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert any(store.read(store.get("masked/customers", DAY)).equals(table) for table in tables)
    assert len(list(partition(store).iterdir())) == len(tables)
    assert len(store.versions("masked/customers", DAY)) >= len(tables)


def test_only_one_of_several_writers_gets_a_partition_of_one_writing(store: Store) -> None:
    outcomes: list[str] = []

    def write(n: int) -> None:
        try:
            put(store, pa.table({"n": [n]}), once=True)
            outcomes.append("written")
        except FileExistsError:
            outcomes.append("refused")

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["refused"] * 7 + ["written"]


def test_every_snapshot_file_is_listed_and_it_is_known_which_one_counts(store: Store) -> None:
    put(store)
    put(store, OTHER)
    (partition(store) / "notes.parquet").write_bytes(b"not a snapshot")

    found = {file.digest: (file.dataset, file.partition, file.is_current) for file in store.files()}

    assert found == {
        digest_bytes(encode(TABLE)): ("masked/customers", DAY, False),
        digest_bytes(encode(OTHER)): ("masked/customers", DAY, True),
    }


def test_a_superseded_file_is_read_and_a_damaged_one_is_none(store: Store) -> None:
    put(store)
    put(store, OTHER)
    superseded = next(file for file in store.files() if not file.is_current)

    assert store.read_file(superseded).equals(TABLE)
    (partition(store) / f"{superseded.digest}.parquet").write_bytes(b"damaged")
    assert store.read_file(superseded) is None


def test_a_superseded_file_is_removed_alone_and_the_current_one_with_its_pointer(store: Store) -> None:
    put(store)
    put(store, OTHER)
    superseded, current = sorted(store.files(), key=lambda file: file.is_current)

    store.remove_file(superseded)
    assert store.read(store.get("masked/customers", DAY)).equals(OTHER)

    store.remove_file(current)
    assert store.find("masked/customers", DAY) is None
    assert list(store.files()) == []


def test_other_facts_leave_the_snapshot_as_it_is(store: Store) -> None:
    put(store, info={"read": 2})
    before = store.get("masked/customers", DAY)

    store.relabel(before, info={"read": 2, "suppressed": 1})

    after = store.get("masked/customers", DAY)
    assert (after.digest, after.rows, after.info) == (before.digest, 2, {"read": 2, "suppressed": 1})


def test_what_was_half_written_is_removed_however_young_it_is(store: Store) -> None:
    put(store)
    left = partition(store) / f"{WRITING}abc"
    left.write_bytes(b"half")

    remove_half_written(store.root)

    assert not left.exists()
    assert store.read(store.get("masked/customers", DAY)).equals(TABLE)

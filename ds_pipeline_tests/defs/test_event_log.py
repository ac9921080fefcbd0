"""The event log of Dagster on connections that stay open: what it stores and when is as before."""

from __future__ import annotations

import os
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from ds_pipeline.defs.event_log import BATCH, in_one_commit, kept_open


def instance_with(events: Any) -> Any:
    """Of an instance only its event log is asked for."""
    return SimpleNamespace(event_log_storage=events)


def entry(message: str) -> EventLogEntry:
    return EventLogEntry(error_info=None, level=20, user_message=message, run_id="run", timestamp=1.0)


def messages(events: SqliteEventLogStorage) -> list[str]:
    return [one.user_message for one in events.get_logs_for_run("run")]


@pytest.fixture
def events(tmp_path: Path) -> SqliteEventLogStorage:
    return SqliteEventLogStorage(str(tmp_path))


def test_another_process_sees_what_is_stored_at_once_and_all_of_it_afterwards(
    events: SqliteEventLogStorage, tmp_path: Path
) -> None:
    events.store_event(entry("before"))
    other = SqliteEventLogStorage(str(tmp_path))

    with kept_open(instance_with(events)):
        events.store_event(entry("first"))
        assert messages(other) == ["before", "first"]
        events.store_event(entry("second"))
        assert messages(events) == messages(other) == ["before", "first", "second"]

    events.store_event(entry("after"))
    assert messages(other) == ["before", "first", "second", "after"]


def test_the_ui_is_told_of_each_event_meanwhile(events: SqliteEventLogStorage, tmp_path: Path) -> None:
    told: SimpleQueue[str] = SimpleQueue()
    events.store_event(entry("before"))
    watching = SqliteEventLogStorage(str(tmp_path))
    watching.watch("run", None, lambda one, _: told.put(one.user_message))
    try:
        with kept_open(instance_with(events)):
            for message in ("first", "second"):
                events.store_event(entry(message))
                while told.get(timeout=20) != message:
                    """Those before it may be told once more."""
    finally:
        watching.dispose()


def test_nothing_stays_open(events: SqliteEventLogStorage, tmp_path: Path) -> None:
    with kept_open(instance_with(events)):
        events.store_event(entry("first"))
        assert (tmp_path / "run.db-wal").exists()

    assert {path.suffix for path in tmp_path.iterdir()} == {".db"}  # SQLite deletes its journals with the last one


def test_an_event_that_cannot_be_stored_leaves_nothing_behind(events: SqliteEventLogStorage) -> None:
    def store_half() -> None:
        with events.run_connection("run") as connection:
            connection.execute(events.prepare_insert_event(entry("half")))
            raise ZeroDivisionError

    with kept_open(instance_with(events)):
        with pytest.raises(ZeroDivisionError):
            store_half()
        events.store_event(entry("whole"))

    assert messages(events) == ["whole"]


def test_threads_take_turns(events: SqliteEventLogStorage) -> None:
    with kept_open(instance_with(events)):
        threads = [Thread(target=events.store_event, args=[entry(str(number))]) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(messages(events)) == [str(number) for number in range(8)]


def test_events_in_one_commit_are_there_together(events: SqliteEventLogStorage, tmp_path: Path) -> None:
    other = SqliteEventLogStorage(str(tmp_path))
    instance = instance_with(events)

    with kept_open(instance):
        events.store_event(entry("before"))
        with in_one_commit(instance):
            for message in ("first", "second"):
                events.store_event(entry(message))
            assert messages(events) == ["before", "first", "second"]
            assert messages(other) == ["before"]
        assert messages(other) == ["before", "first", "second"]
        events.store_event(entry("after"))
        assert messages(other) == ["before", "first", "second", "after"]


def test_what_fails_commits_nothing_of_it(events: SqliteEventLogStorage) -> None:
    instance = instance_with(events)

    def store_half() -> None:
        with in_one_commit(instance):
            events.store_event(entry("half"))
            raise ZeroDivisionError

    with kept_open(instance):
        with pytest.raises(ZeroDivisionError):
            store_half()
        events.store_event(entry("whole"))

    assert messages(events) == ["whole"]


def test_where_the_log_is_not_kept_open_each_event_is_committed(events: SqliteEventLogStorage, tmp_path: Path) -> None:
    with in_one_commit(instance_with(events)):
        events.store_event(entry("first"))
        assert messages(SqliteEventLogStorage(str(tmp_path))) == ["first"]


@pytest.mark.parametrize("batch", [None, "7"])
def test_weeks_that_dagster_gives_together_are_committed_together(
    batch: str | None, events: SqliteEventLogStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = []
    monkeypatch.setattr("ds_pipeline.defs.event_log.os.utime", commits.append)
    monkeypatch.delenv(BATCH, raising=False)
    if batch:
        monkeypatch.setenv(BATCH, batch)

    with kept_open(instance_with(events)):
        assert os.environ[BATCH] == (batch or "1000")
        events.store_event_batch([entry("first"), entry("second"), entry("third")])

    assert messages(events) == ["first", "second", "third"]
    assert commits == [events.path_for_shard("run")]
    assert os.environ.get(BATCH) == batch


def test_an_event_log_that_is_not_in_files_is_left_alone() -> None:
    with dg.DagsterInstance.ephemeral() as instance, kept_open(instance):
        assert not {"run_connection", "index_connection"} & set(vars(instance.event_log_storage))

"""The event log of Dagster on connections that stay open: what it stores and when is as before."""

from __future__ import annotations

from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from ds_pipeline.defs.event_log import kept_open


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


def test_an_event_log_that_is_not_in_files_is_left_alone() -> None:
    with dg.DagsterInstance.ephemeral() as instance, kept_open(instance):
        assert not {"run_connection", "index_connection"} & set(vars(instance.event_log_storage))

"""Dagster's event log on connections that stay open, and events of many weeks in one commit.

Dagster opens, commits and closes a database for each event. Closing the last connection moves the journal of SQLite
into the database and deletes it, and what was compiled is forgotten: together most of what an event costs. Each commit
waits for the disk. What is stored is the same here.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

import dagster as dg
import sqlalchemy as db
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS

# So many of the weeks of an asset Dagster gives to the log together; where it says nothing, one by one.
BATCH = "DAGSTER_EVENT_BATCH_SIZE"
MOST = "1000"


@contextmanager
def kept_open(instance: dg.DagsterInstance) -> Iterator[None]:
    """Meanwhile the instance uses one connection per database of its event log, where that lies in SQLite."""
    events = instance.event_log_storage
    if not isinstance(events, SqliteEventLogStorage):
        yield
        return
    batch = os.environ.get(BATCH)
    with ExitStack() as closing:
        log = _OpenLog(events, closing)
        shadows = {
            "run_connection": log.connect,
            "index_connection": lambda: log.connect(INDEX_SHARD_NAME),
            "store_event_batch": log.store_together,
            "in_one_commit": log.in_one_commit,
        }
        vars(events).update(shadows)
        os.environ[BATCH] = batch or MOST
        try:
            yield
        finally:
            os.environ.pop(BATCH) if batch is None else os.environ.update({BATCH: batch})
            for name in shadows:
                del vars(events)[name]


def in_one_commit(instance: dg.DagsterInstance) -> AbstractContextManager[None]:
    """What is logged meanwhile is committed together at the end, where the log of the instance is kept open."""
    return vars(instance.event_log_storage).get("in_one_commit", nullcontext)()


class _OpenLog:
    """The connections of an event log, which threads use in turn."""

    def __init__(self, events: SqliteEventLogStorage, closing: ExitStack) -> None:
        self._events, self._closing = events, closing
        self._make = events.run_connection
        self._engines: dict[str, db.Engine] = {}
        self._begun: dict[str, db.Connection] = {}  # by in_one_commit
        self._commit: ExitStack | None = None
        self._lock = threading.RLock()

    @contextmanager
    def connect(self, shard: str) -> Iterator[db.Connection]:
        """A connection in a transaction: of its own, or that of in_one_commit."""
        with self._lock:
            if self._commit is None:
                with self._begin(shard) as connection:
                    yield connection
            else:
                if shard not in self._begun:
                    self._begun[shard] = self._commit.enter_context(self._begin(shard))
                yield self._begun[shard]

    @contextmanager
    def in_one_commit(self) -> Iterator[None]:
        with self._lock:
            if self._commit is not None:
                yield
                return
            try:
                with ExitStack() as self._commit:
                    yield
            finally:
                self._commit = None
                self._begun.clear()

    def store_together(self, entries: Sequence[EventLogEntry]) -> None:
        with self.in_one_commit():
            for entry in entries:
                self._events.store_event(entry)

    @contextmanager
    def _begin(self, shard: str) -> Iterator[db.Connection]:
        if shard not in self._engines:
            with self._make(shard):
                """Makes the tables of a new run."""
            self._engines[shard] = self._closing.enter_context(_engine(self._events.conn_string_for_shard(shard)))
        with self._engines[shard].begin() as connection:
            yield connection
        os.utime(self._events.path_for_shard(shard))  # what is new lies in the journal, and the UI watches the database


@contextmanager
def _engine(address: str) -> Iterator[db.Engine]:
    """An engine with one connection."""
    given = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    engine = db.create_engine(address, poolclass=db.StaticPool, connect_args=given)
    try:
        yield engine
    finally:
        engine.dispose()

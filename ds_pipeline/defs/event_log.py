"""Dagster's event log on connections that stay open.

Dagster opens, commits and closes a database for each event. Closing the last connection moves the journal of SQLite
into the database and deletes it, and what was compiled is forgotten: together most of what an event costs. What is
committed, and when, is the same here.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS


@contextmanager
def kept_open(instance: dg.DagsterInstance) -> Iterator[None]:
    """Meanwhile the instance uses one connection per database of its event log, where that lies in SQLite."""
    events = instance.event_log_storage
    if not isinstance(events, SqliteEventLogStorage):
        yield
        return
    opened: dict[str, db.Engine] = {}
    lock, make = threading.Lock(), events.run_connection

    @contextmanager
    def connect(shard: str) -> Iterator[db.Connection]:
        with lock:
            if shard not in opened:
                with make(shard):
                    """Makes the tables of a new run."""
                opened[shard] = closing.enter_context(_engine(events.conn_string_for_shard(shard)))
            with opened[shard].begin() as connection:
                yield connection
            os.utime(events.path_for_shard(shard))  # what is new lies in the journal, and the UI watches the database

    with ExitStack() as closing:
        vars(events).update(run_connection=connect, index_connection=lambda: connect(INDEX_SHARD_NAME))
        try:
            yield
        finally:
            for name in ("run_connection", "index_connection"):
                del vars(events)[name]


@contextmanager
def _engine(address: str) -> Iterator[db.Engine]:
    """An engine with one connection, which threads use in turn."""
    given = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    engine = db.create_engine(address, poolclass=db.StaticPool, connect_args=given)
    try:
        yield engine
    finally:
        engine.dispose()

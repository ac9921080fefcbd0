"""Nobody waits until a disk has what was written: a killed process loses nothing by that, only a machine would.

Dagster commits a thousand times in one run. The tests import this; Python itself does so at the start of a process that
has this folder on PYTHONPATH.
"""

import os
from sqlite3 import Connection, dbapi2
from typing import Any

synced = dbapi2.connect


def connect(*arguments: Any, **named: Any) -> Connection:
    connection = synced(*arguments, **named)
    connection.execute("PRAGMA synchronous = OFF").close()
    return connection


dbapi2.connect = connect
os.fsync = lambda _: None

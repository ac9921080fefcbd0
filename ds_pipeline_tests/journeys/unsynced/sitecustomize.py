"""For processes of the journeys: nobody waits until a disk has what was written.

A process that is killed loses nothing by that, only a machine would; and Dagster commits a thousand times in one run.
Python imports a module of this name at its start when it finds it on PYTHONPATH.
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

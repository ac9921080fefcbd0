"""The Dagster instance of a project: where runs, events and schedules are kept.

Apart from launch.py, because the UI needs the instance and not the assets, whose imports take seconds.
"""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from ds_pipeline.boundary.dagster_home import dagster_home
from ds_pipeline.project import Project


@contextmanager
def dagster_instance(project: Project) -> Iterator[dg.DagsterInstance]:
    """The instance of DAGSTER_HOME; where that is not set, the one of the project."""
    home = dagster_home(project)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Ctrl-C while a connection closes: SQLAlchemy would print a stack trace beside our one line.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    with (home / ".lock").open("w") as lock:
        # Two first runs at once would both make the database, and leave it with two heads for good.
        fcntl.flock(lock, fcntl.LOCK_EX)
        instance = dg.DagsterInstance.from_config(str(home))
        instance.get_runs_count()  # makes the database, if it is not there
        fcntl.flock(lock, fcntl.LOCK_UN)
    with instance:
        yield instance

"""Where Dagster keeps what it writes: the owner's alone, also what it made before it imported the definitions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ds_pipeline.project import OTHERS, Project

MADE_BEFORE = ("history", "schedules", "logs")  # databases of runs, events and schedules


def dagster_home(project: Project) -> Path:
    """Where Dagster keeps runs, events and logs."""
    return Path(os.environ.get("DAGSTER_HOME") or project.root / ".dagster")


def keep_private(project: Project) -> None:
    """Set the umask, and close to others what Dagster has made before anyone could set one."""
    os.umask(OTHERS)
    home = dagster_home(project)
    for path in _made_before(home):
        # A journal of SQLite may be gone by now; a file of somebody else is told by ds-pipeline scan.
        with suppress(FileNotFoundError, PermissionError):
            mode = path.stat().st_mode
            if mode & OTHERS and not path.is_symlink():
                path.chmod(mode & 0o700)


def _made_before(home: Path) -> Iterator[Path]:
    for name in MADE_BEFORE:
        yield home / name
        yield from (home / name).rglob("*")
    yield home / "storage"  # what lies in it is written by runs, which have the umask

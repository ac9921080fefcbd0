"""What Dagster has made before the definitions are imported is closed to others; nothing else is touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ds_pipeline.boundary.dagster_home import keep_private
from ds_pipeline.workbench import Workbench


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(root: Path) -> dict[str, int]:
    return {path.relative_to(root).as_posix(): path.stat().st_mode & 0o777 for path in sorted(root.rglob("*"))}


@pytest.mark.usefixtures("umask")
def test_databases_that_dagster_made_under_the_users_umask_become_private(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    for name in ("history/runs.db", "history/runs/index.db", "schedules/schedules.db", "storage/x", "samples/y"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("")
    (home / "history" / "kept").symlink_to(home / "samples" / "y")

    keep_private(bench.project)

    assert modes(home) == {
        "history": 0o700, "history/kept": 0o644, "history/runs": 0o700, "history/runs.db": 0o600,
        "history/runs/index.db": 0o600, "samples": 0o755, "samples/y": 0o644, "schedules": 0o700,
        "schedules/schedules.db": 0o600, "storage": 0o700, "storage/x": 0o644,
    }  # fmt: skip
    assert os.umask(0o022) == 0o077


@pytest.mark.usefixtures("umask")
def test_without_a_home_there_is_nothing_to_close(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "nowhere"))

    keep_private(bench.project)

    assert not (tmp_path / "nowhere").exists()

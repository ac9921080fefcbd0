"""Where the Dagster instance of a project lies."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import dagster as dg
import pytest

from ds_pipeline.defs.instance import dagster_instance
from ds_pipeline.workbench import Workbench


@pytest.mark.parametrize("is_set", [True, False])
def test_the_instance_lies_in_the_home_of_dagster_or_else_in_the_project(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_set: bool
) -> None:
    opened: list[str] = []

    class Instance(nullcontext[None]):
        """Stands in for the database, which takes a second to make."""

        def get_runs_count(self) -> int:
            return 0

    monkeypatch.setattr(dg.DagsterInstance, "from_config", lambda home: opened.append(home) or Instance())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home") if is_set else "")
    home = tmp_path / "home" if is_set else bench.project.root / ".dagster"

    with dagster_instance(bench.project):
        assert opened == [str(home)]

    assert home.stat().st_mode & 0o777 == 0o700

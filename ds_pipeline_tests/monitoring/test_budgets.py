"""Minutes and gigabytes against what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds_pipeline.monitoring.budgets import check_budgets
from ds_pipeline.use_case.requirements import Budgets

BUDGETS = Budgets(run_minutes=10, disk_gb=1e-6, owner="ds")  # a thousand bytes


def test_time_and_all_files_below_the_folder_count(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_bytes(b"x" * 600)
    (tmp_path / "file").write_bytes(b"x" * 400)

    minutes, disk = check_budgets(BUDGETS, minutes=10.0, folder=tmp_path)

    assert (minutes.name, minutes.used, minutes.allowed, minutes.is_kept) == ("run_minutes", 10.0, 10, True)
    assert (disk.name, disk.used, disk.is_kept) == ("disk_gb", pytest.approx(1e-6), True)


def test_what_is_beyond_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 1001)

    spent = check_budgets(BUDGETS, minutes=10.01, folder=tmp_path)

    assert [one.is_kept for one in spent] == [False, False]


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert check_budgets(BUDGETS, minutes=0, folder=tmp_path / "none")[1].used == 0


def test_a_file_that_disappears_meanwhile_does_not_count(tmp_path: Path) -> None:
    """Another run that was writing made the check crash. A link to nowhere is such a file."""
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")

    assert check_budgets(BUDGETS, minutes=0, folder=tmp_path)[1].used == 0

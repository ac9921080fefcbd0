"""Where a file of each class may lie, asked of a real repository and of real modes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.classes import require_class
from ds_pipeline.ingestion.read import read_source, source_digest
from ds_pipeline.use_case.sources import Table

WHERE = "payments (data/payments.csv)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "payments.csv"
    path.parent.mkdir()
    path.write_text("payment\n1\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., None]:
    """A command in a repository that begins at the project."""

    def run(*arguments: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True, capture_output=True)

    run("init")
    return run


@pytest.fixture
def classed(declare: Callable[..., Table]) -> Callable[[str], Table]:
    """The table of payments in a class; a copy, since no file may be declared as restricted."""

    def make(data_class: str) -> Table:
        return declare(path="data/payments.csv", format="csv", synthetic=False).model_copy(
            update={"data_class": data_class}
        )

    return make


def refusal(path: Path, table: Table) -> str:
    with pytest.raises(SourceError) as error:
        require_class(path, table, where=WHERE)
    assert str(path.parents[1]) not in str(error.value)
    assert str(error.value).startswith(f"{WHERE}: ")
    return str(error.value)


def test_a_public_file_may_lie_anywhere(file: Path, git: Callable[..., None], classed: Callable[[str], Table]) -> None:
    git("add", "data")
    file.chmod(0o644)

    require_class(file, classed("public"), where=WHERE)


@pytest.mark.parametrize("data_class", ["internal", "confidential"])
def test_a_file_that_git_tracks_is_refused(
    file: Path, git: Callable[..., None], classed: Callable[[str], Table], data_class: str
) -> None:
    require_class(file, classed(data_class), where=WHERE)
    git("add", "data")

    text = refusal(file, classed(data_class))

    assert "git tracks this file" in text
    assert "git rm --cached data/payments.csv" in text
    git("rm", "--cached", "data/payments.csv")
    require_class(file, classed(data_class), where=WHERE)


def test_a_link_to_a_file_that_git_tracks_is_refused(
    tmp_path: Path, file: Path, git: Callable[..., None], classed: Callable[[str], Table]
) -> None:
    git("add", "data")
    link = tmp_path / "elsewhere" / "payments.csv"
    link.parent.mkdir()
    link.symlink_to(file)

    assert "git tracks this file" in refusal(link, classed("internal"))


def test_a_name_that_looks_like_a_pattern_is_taken_as_it_is(
    tmp_path: Path, git: Callable[..., None], classed: Callable[[str], Table]
) -> None:
    """As a pattern, pay*.csv is tracked where payments.csv is."""
    (tmp_path / "data").mkdir()
    for name in ("payments.csv", "pay*.csv"):
        (tmp_path / "data" / name).write_text("payment\n1\n")
    git("add", "data/payments.csv")

    require_class(tmp_path / "data" / "pay*.csv", classed("internal"), where=WHERE)


def test_the_variables_of_a_git_hook_do_not_lead_to_another_repository(
    tmp_path: Path,
    file: Path,
    git: Callable[..., None],
    classed: Callable[[str], Table],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    git("add", "data")
    subprocess.run(["git", "init", str(tmp_path / "other")], check=True, capture_output=True)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))

    assert "git tracks this file" in refusal(file, classed("internal"))


def test_outside_of_a_repository_nothing_is_tracked(file: Path, classed: Callable[[str], Table]) -> None:
    require_class(file, classed("confidential"), where=WHERE)


@pytest.mark.parametrize("broken", ["no-git", "no-answer"])
def test_where_git_cannot_answer_the_file_is_refused(
    tmp_path: Path, file: Path, classed: Callable[[str], Table], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """A repository of another owner makes git answer nothing, and that was once taken for a no."""
    if broken == "no-git":
        monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / ".git").write_text("gitdir: nowhere\n")

    assert "git could not say" in refusal(file, classed("internal"))
    require_class(file, classed("public"), where=WHERE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_confidential_file_must_be_private_to_its_owner(
    file: Path, classed: Callable[[str], Table], mode: int
) -> None:
    file.chmod(mode)

    assert refusal(file, classed("confidential")) == (
        f"{WHERE}: others can open this file (mode {mode:04o}); its class is confidential. "
        "Run: chmod 600 data/payments.csv"
    )
    require_class(file, classed("internal"), where=WHERE)


def test_a_restricted_table_is_never_read_from_a_file(file: Path, classed: Callable[[str], Table]) -> None:
    assert "only be read by a database query" in refusal(file, classed("restricted"))


def test_the_class_is_enforced_whenever_a_source_is_opened(
    tmp_path: Path, declare: Callable[..., Table], classed: Callable[..., Any]
) -> None:
    table = declare({"payment": {"type": "integer"}}, synthetic=False, data_class="confidential")
    path = tmp_path / table.path
    path.parent.mkdir()
    rows = {"payment": [1], "paid_at": pa.array([0], pa.timestamp("us"))}
    pq.write_table(pa.table(rows), path)
    path.chmod(0o644)

    for opened in (read_source, source_digest):
        with pytest.raises(SourceError, match=r"chmod 600 data/payments.parquet"):
            opened(table, name="payments", project=tmp_path)
    path.chmod(0o600)
    assert read_source(table, name="payments", project=tmp_path).num_rows == 1

"""What made an artifact, with and without git."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.lineage import PACKAGES, code_digest, lineage


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_facts_of_code_interpreter_and_packages(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_bytes(b"pandas==2.3.3")

    facts = lineage(tmp_path)

    assert facts["code"] == code_digest()
    assert facts["lock"] == digest_bytes(b"pandas==2.3.3")
    assert facts["python"] == platform.python_version()
    assert tuple(facts["packages"]) == PACKAGES
    assert str(tmp_path) not in str(facts)


def test_a_project_without_git_or_lock_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    facts = lineage(tmp_path)

    assert (facts["git"], facts["tree_is_dirty"], facts["lock"]) == (None, None, None)


def test_a_repository_gives_its_commit_and_whether_it_has_changed(tmp_path: Path) -> None:
    git(tmp_path, "init")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "first")

    clean = lineage(tmp_path)
    (tmp_path / "file").write_text("two")

    assert len(clean["git"]) == 40
    assert (clean["tree_is_dirty"], lineage(tmp_path)["tree_is_dirty"]) == (False, True)


def test_no_git_program_counts_as_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert lineage(tmp_path)["git"] is None

"""What made an artifact: code, lock file, interpreter and platform, as facts that can be compared later."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from ds_pipeline.digests import digest_bytes, digest_files, digest_json

PACKAGES = ("scikit-learn", "numpy", "pandas", "pyarrow", "duckdb", "joblib", "optuna", "pandera", "dagster")


# What makes masked tables, features and labels: whole rooms, and of two others the modules that decide bytes.
HISTORY_CODE = (
    "boundary/", "clock.py", "features/", "ingestion/", "masking/", "sql/", "store/",
    "training/labels.py", "training/weeks.py",
    "use_case/features.py", "use_case/problem.py", "use_case/sources.py", "use_case/sql.py",
)  # fmt: skip
HISTORY_PACKAGES = (
    "duckdb", "pyarrow", "pandas", "numpy", "presidio-analyzer", "spacy", "regex", "phonenumbers",
)  # fmt: skip
NOT_CODE = {".pyc", ".md"}


@cache
def code_digest() -> str:
    """One digest over the source files of this package, the text model and its word lists included."""
    return digest_files(_code())


@cache
def history_digest() -> str:
    """One digest over the code and packages that make masked tables, features and labels; a change makes them anew."""
    code = {name: content for name, content in _code().items() if name.startswith(HISTORY_CODE)}
    return digest_json([digest_files(code), {name: metadata.version(name) for name in HISTORY_PACKAGES}])


def _code() -> dict[str, bytes]:
    root = Path(__file__).parent
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix not in NOT_CODE
    }


def lineage(project: Path) -> dict[str, Any]:
    """The environment of a run.

    Returns:
        code (digest), git (SHA or None), tree_is_dirty (None without git), lock (digest or None), python, platform,
        packages (name to version).
    """
    lock = project / "requirements.lock"
    sha = _git(project, "rev-parse", "HEAD")
    changes = _git(project, "status", "--porcelain")
    return {
        "code": code_digest(),
        "git": sha or None,
        "tree_is_dirty": None if changes is None else bool(changes),
        "lock": digest_bytes(lock.read_bytes()) if lock.is_file() else None,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }


def _git(project: Path, *arguments: str) -> str | None:
    """What git answers, or None where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments],
            capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()

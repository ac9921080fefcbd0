"""Find the files of a source, in a stable order: one file, a pattern or a folder, in the project or behind a URL."""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from ds_pipeline.digests import digest_json
from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.classes import require_class
from ds_pipeline.use_case.sources import Table

ENDINGS = {"parquet": (".parquet", ".pq"), "csv": (".csv",), "jsonl": (".jsonl", ".ndjson")}
COMPRESSED = ("", ".gz", ".bz2", ".xz", ".zst")
WILDCARD = r"[*?\[]"
HIDDEN = (".", "_")  # writers leave _SUCCESS, .part and the like beside their files


@dataclass(frozen=True)
class SourceFile:
    """One file of a source.

    Attributes:
        shown: its name in messages and in quarantine: relative to the project, or to the folder that the files of a
            URL share.
    """

    shown: str
    path: str
    system: Any

    def open(self) -> IO[bytes]:
        """The content, decompressed where the name says that it is compressed."""
        return self.system.open(self.path, "rb", compression="infer")

    @property
    def local(self) -> Path | None:
        return Path(self.path) if isinstance(self.system, LocalFileSystem) else None

    def digest(self) -> str:
        """What changes with the content: its SHA-256; of a remote file what its store says of it (size, ETag, time)."""
        if self.local is None:
            return str(self.system.ukey(self.path))
        state = self.local.stat()
        return _sha256(self.path, state.st_ino, state.st_size, state.st_mtime_ns)


@dataclass(frozen=True)
class SourceFiles:
    """The files of a source by name.

    Attributes:
        are_many: the path is a pattern or a folder, however many files it names today.
    """

    files: list[SourceFile]
    are_many: bool

    def digest(self) -> str:
        """One digest over names and contents."""
        if not self.are_many:
            return self.files[0].digest()
        return digest_json([[file.shown, file.digest()] for file in self.files])


def find_files(table: Table, *, name: str, project: Path) -> SourceFiles:
    """The files that a table is read from now, sorted by name.

    Raises:
        SourceError: none is there, the URL cannot be opened, or a table of its class may not be read from such a file.
    """
    where = f"{name} ({table.path})"
    try:
        files = _behind_url(table) if "://" in table.path else _in_project(table, project)
    except ImportError:
        scheme = table.path.partition("://")[0]
        raise SourceError(
            f"{where}: a package that opens {scheme}:// is not installed. Install the one fsspec names."
        ) from None
    except (OSError, ValueError):  # their messages may hold folders of this machine
        raise SourceError(
            f"{where}: the place cannot be opened. Is the URL right, does it exist, and may you read there?"
        ) from None
    if not files.files:
        what = "no file is there that it names" if files.are_many else "the file is missing"
        raise SourceError(f"{where}: {what}. Put it there or correct path in sources.yaml.")
    for file in files.files:
        if file.local is not None:
            require_class(file.local, table, where=f"{name} ({file.shown})", shown=file.shown)
    return files


def _in_project(table: Table, project: Path) -> SourceFiles:
    path, system = project / table.path, LocalFileSystem()
    if path.is_file():
        return SourceFiles([SourceFile(table.path, str(path), system)], are_many=False)
    is_pattern = bool(re.search(WILDCARD, table.path)) and not path.exists()
    if not is_pattern and not path.is_dir():
        return SourceFiles([], are_many=False)
    inside = project.glob(table.path) if is_pattern else path.rglob("*")
    names = [file.relative_to(project).as_posix() for file in inside if file.is_file()]
    chosen = _chosen(names, table, below=_fixed(table.path), any_ending=is_pattern)
    return SourceFiles([SourceFile(file, str(project / file), system) for file in chosen], are_many=True)


def _behind_url(table: Table) -> SourceFiles:
    system, path = fsspec.core.url_to_fs(table.path)
    if system.isfile(path):
        return SourceFiles([SourceFile(posixpath.basename(path), path, system)], are_many=False)
    is_pattern = bool(re.search(WILDCARD, table.path))
    if not is_pattern and not system.isdir(path):
        return SourceFiles([], are_many=False)
    inside = system.glob(path, detail=True) if is_pattern else system.find(path, detail=True)
    names = [file for file, info in inside.items() if info["type"] == "file"]
    chosen = _chosen(names, table, below=_fixed(path), any_ending=is_pattern)
    shared = posixpath.commonpath([posixpath.dirname(file) for file in chosen]) if chosen else ""
    return SourceFiles([SourceFile(posixpath.relpath(file, shared), file, system) for file in chosen], are_many=True)


def _chosen(names: list[str], table: Table, *, below: str, any_ending: bool) -> list[str]:
    """What counts of the files found: none that is hidden, and in a folder only those with an ending of the format."""
    endings = tuple(ending + packed for ending in ENDINGS[table.format] for packed in COMPRESSED)
    return sorted(
        name
        for name in names
        if not any(part.startswith(HIDDEN) for part in name.removeprefix(below).split("/"))
        and (any_ending or name.endswith(endings))
    )


def _fixed(path: str) -> str:
    """The folder that a path names itself, before any part that is a pattern."""
    plain = re.split(WILDCARD, path)[0]
    return plain if plain == path else posixpath.dirname(plain)


@lru_cache(maxsize=4096)
def _sha256(path: str, inode: int, size: int, changed_ns: int) -> str:
    """The digest of a local file; the last three say when it has to be read again."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

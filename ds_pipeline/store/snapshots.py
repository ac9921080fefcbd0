"""Where tables lie: immutable snapshots named by their digest, and one small pointer per dataset and partition.

A file appears whole or not at all. Folders are 0700 and files 0600. What a snapshot means is the caller's business.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ds_pipeline.digests import SHORT, canonical_json, digest_bytes
from ds_pipeline.errors import StoreError

WRITING = ".writing-"
LEFTOVER_SECONDS = 24 * 60 * 60  # no file takes that long to write
NAME = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
)  # no empty part, none that begins with a dot: a name stays below its root
DIGEST = re.compile(r"[0-9a-f]{64}")


REBUILD = "Rebuild it: ds-pipeline history USE_CASE --rebuild"


@dataclass(frozen=True)
class Snapshot:
    """One immutable version of one partition of a dataset."""

    dataset: str
    partition: str
    digest: str
    rows: int
    info: dict[str, Any]


@dataclass(frozen=True)
class StoredFile:
    """One snapshot file as it lies there, whether or not its partition still points at it."""

    dataset: str
    partition: str
    digest: str
    is_current: bool


def make_folder(folder: Path) -> Path:
    """The folder; what is missing of it and above it is made, private to its owner."""
    if not folder.is_dir():
        make_folder(folder.parent)  # one by one: mkdir(parents=True) leaves the parents open to others
        folder.mkdir(mode=0o700, exist_ok=True)
        flush_folder(folder.parent)
    return folder


def write_file(path: Path, content: bytes, *, replace: bool) -> None:
    """Write a whole file or nothing: beside it, flushed to disk, then moved to its name.

    Raises:
        FileExistsError: the file is there and replace is False.
        StoreError: it cannot be written; what was there before is untouched.
    """
    try:
        make_folder(path.parent)
        _write_whole(path, content, replace=replace)
    except FileExistsError:
        raise
    except OSError as error:
        raise StoreError(
            f"{path.name} cannot be written: {error.strerror}. What was there before is untouched. "
            "Check free space and permissions, then run again."
        ) from error


def _write_whole(path: Path, content: bytes, *, replace: bool) -> None:
    _remove_leftovers(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=WRITING)  # mkstemp makes it 0600
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            os.link(temporary, path)  # unlike a rename, fails when the name is taken
        flush_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _remove_leftovers(folder: Path) -> None:
    """Remove what a killed run was writing here; a file so old belongs to no run that is alive."""
    for path in folder.glob(f"{WRITING}*"):
        with suppress(FileNotFoundError):  # another run may remove it, or be done with it, at the same time
            if time.time() - path.stat().st_mtime > LEFTOVER_SECONDS:
                path.unlink()


def remove_half_written(folder: Path) -> None:
    """Remove whatever a killed run was writing anywhere below a folder. Only for a caller that no run can be beside."""
    for path in folder.glob(f"**/{WRITING}*"):
        path.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def encode(table: pa.Table) -> bytes:
    """The parquet bytes of a table; the same table gives the same bytes under one lock file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()


class Store:
    """The snapshots of one use case below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(
        self, table: pa.Table, *, dataset: str, partition: str, info: dict[str, Any] | None = None, once: bool = False
    ) -> Snapshot:
        """Store a table and point the partition at it.

        Args:
            table: what is stored; the order of its rows is part of its digest.
            dataset: a name such as masked/customers/1f2e3d4c5b6a.
            partition: a scoring date as YYYY-MM-DD.
            info: small facts about the snapshot (JSON); never a cell value.
            once: the partition may be written a single time; a second write raises FileExistsError.
        """
        content = encode(table)
        snapshot = Snapshot(dataset, partition, digest_bytes(content), table.num_rows, info or {})
        path = self._content_path(snapshot)
        if not path.exists() or path.read_bytes() != content:  # a damaged one is repaired by building it again
            write_file(path, content, replace=True)
        self._point(snapshot, once=once)
        return snapshot

    def _point(self, snapshot: Snapshot, *, once: bool) -> None:
        pointer = canonical_json({"digest": snapshot.digest, "rows": snapshot.rows, "info": snapshot.info})
        write_file(self._pointer_path(snapshot.dataset, snapshot.partition), pointer, replace=not once)

    def find(self, dataset: str, partition: str) -> Snapshot | None:
        """The snapshot the partition points at, or None.

        Raises:
            StoreError: the pointer is damaged.
        """
        try:
            content = self._pointer_path(dataset, partition).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            return _from_pointer(dataset, partition, content)
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{dataset} {partition}: its pointer file is damaged. {REBUILD}") from error

    def get(self, dataset: str, partition: str) -> Snapshot:
        """The snapshot the partition points at; StoreError where there is none."""
        snapshot = self.find(dataset, partition)
        if snapshot is None:
            raise StoreError(f"{dataset} {partition}: nothing is stored. Build the partition first.")
        return snapshot

    def read(self, snapshot: Snapshot) -> pa.Table:
        """The table of a snapshot, after its bytes were checked against its digest."""
        where = f"{snapshot.dataset} {snapshot.partition}"
        try:
            content = self._content_path(snapshot).read_bytes()
        except FileNotFoundError:
            raise StoreError(f"{where}: the snapshot {snapshot.digest[:SHORT]} is missing. {REBUILD}") from None
        found = digest_bytes(content)
        if found != snapshot.digest:
            raise StoreError(
                f"{where}: expected the digest {snapshot.digest[:SHORT]}, found {found[:SHORT]}: "
                f"the file was changed after it was written. {REBUILD}"
            )
        table = pq.read_table(pa.BufferReader(content))
        if table.num_rows != snapshot.rows:
            raise StoreError(
                f"{where}: its pointer says {snapshot.rows} rows, the snapshot has {table.num_rows}: "
                f"the pointer was changed after it was written. {REBUILD}"
            )
        return table

    def partitions(self, dataset: str) -> list[str]:
        """The partitions of a dataset that are stored, oldest first."""
        return sorted(path.parent.name for path in self._folder(dataset).glob("*/current.json"))

    def relabel(self, snapshot: Snapshot, *, info: dict[str, Any]) -> None:
        """Other facts about the same snapshot."""
        self._point(Snapshot(snapshot.dataset, snapshot.partition, snapshot.digest, snapshot.rows, info), once=False)

    def files(self) -> Iterator[StoredFile]:
        """Every snapshot file below the root, superseded ones included, by dataset, partition and digest."""
        for path in sorted(self.root.glob("**/*.parquet")):
            if DIGEST.fullmatch(path.stem):
                dataset, partition = path.parent.parent.relative_to(self.root).as_posix(), path.parent.name
                current = self.find(dataset, partition)
                yield StoredFile(dataset, partition, path.stem, current is not None and current.digest == path.stem)

    def read_file(self, file: StoredFile) -> pa.Table | None:
        """The table of a snapshot file; None where its bytes are not those of its name."""
        content = self._path(file.dataset, file.partition, file.digest).read_bytes()
        return pq.read_table(pa.BufferReader(content)) if digest_bytes(content) == file.digest else None

    def remove_file(self, file: StoredFile) -> None:
        """Delete one snapshot file; the pointer as well if it names it, and first: it never names what is gone."""
        current = self.find(file.dataset, file.partition)
        if current is not None and current.digest == file.digest:
            self._pointer_path(file.dataset, file.partition).unlink()
        self._path(file.dataset, file.partition, file.digest).unlink(missing_ok=True)

    def _content_path(self, snapshot: Snapshot) -> Path:
        return self._path(snapshot.dataset, snapshot.partition, snapshot.digest)

    def _path(self, dataset: str, partition: str, digest: str) -> Path:
        return self._folder(dataset, partition) / f"{digest}.parquet"

    def _pointer_path(self, dataset: str, partition: str) -> Path:
        return self._folder(dataset, partition) / "current.json"

    def _folder(self, dataset: str, *partition: str) -> Path:
        parts = [*dataset.split("/"), *partition]
        wrong = [part for part in parts if not NAME.fullmatch(part)]
        if wrong:
            raise StoreError(
                f"{wrong[0]!r} cannot be part of a dataset's name or a partition: expected letters, digits, _, - and "
                "dots, not beginning with a dot or -."
            )
        return self.root.joinpath(*parts)


def _from_pointer(dataset: str, partition: str, content: bytes) -> Snapshot:
    pointer = json.loads(content)
    digest, rows, info = pointer["digest"], pointer["rows"], pointer["info"]
    if not DIGEST.fullmatch(digest) or type(rows) is not int or type(info) is not dict:
        raise ValueError("not a pointer")
    return Snapshot(dataset, partition, digest, rows, info)

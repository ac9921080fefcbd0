"""Where tables lie: immutable snapshots named by their digest, and one signed index per dataset that points at them.

A file appears whole or not at all. Folders are 0700 and files 0600. What a snapshot means is the caller's business.
Source: docs/decisions/0012-what-is-stored-is-signed.md
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ds_pipeline.digests import SHORT, digest_bytes
from ds_pipeline.errors import RegistryError, StoreError
from ds_pipeline.store.buckets import part_of, whole_of
from ds_pipeline.store.index import Pointer, Signer, seal, unseal

WRITING = ".writing-"
LEFTOVER_SECONDS = 24 * 60 * 60  # no file takes that long to write
NAME = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
)  # no empty part, none that begins with a dot: a name stays below its root
DIGEST = re.compile(r"[0-9a-f]{64}")
INDEX = "index.json"
Cut = Callable[[pa.Table], list[pa.Table]]  # a table to its parts, one for each bucket
UNSIGNED = "current.json"  # a pointer of a partition, from before there was an index


@dataclass(frozen=True)
class Snapshot:
    """One immutable version of one partition of a dataset.

    Attributes:
        digest: of its rows as one file, in however many parts it lies.
        parts: the digests of the files of its buckets; empty where it lies in one file.
    """

    dataset: str
    partition: str
    digest: str
    rows: int
    info: dict[str, Any]
    parts: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The digests of the files it lies in."""
        return self.parts or (self.digest,)


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


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """One writer of a folder at a time; the lock ends with the process that holds it, however that ends."""
    descriptor = os.open(make_folder(folder) / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _pointer(snapshot: Snapshot) -> Pointer:
    return Pointer(digest=snapshot.digest, rows=snapshot.rows, info=snapshot.info, parts=list(snapshot.parts))


def _refuse_to_sign() -> None:
    raise StoreError("A store that was sent to another process is there to be read; nothing is signed there.")


class Store:
    """The snapshots of one use case below one folder.

    Args:
        keys: what is stored is signed with them, and checked against them before anything is read.
        prepare: called before something is signed.
        final: datasets that are never made anew.
    """

    def __init__(
        self,
        root: Path,
        keys: Signer,
        *,
        use_case: str,
        prepare: Callable[[], None] = lambda: None,
        final: Collection[str] = (),
    ) -> None:
        self.root = root
        self.keys = keys
        self.use_case = use_case
        self.prepare = prepare
        self.final = final
        self._opened: dict[str, tuple[tuple[int, int, int], dict[str, Pointer]]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """What another process is sent, to read: without what prepares a signature, which holds secrets."""
        return vars(self) | {"prepare": _refuse_to_sign, "_opened": {}}

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
        return self.put_all({partition: (table, info or {})}, dataset=dataset, once=once)[partition]

    def put_all(
        self,
        made: Mapping[str, tuple[pa.Table, dict[str, Any]]],
        *,
        dataset: str,
        once: bool = False,
        cut: Cut | None = None,
    ) -> dict[str, Snapshot]:
        """Store tables with their info and point their partitions at them, all of them at the same instant.

        Args:
            cut: makes the parts of a table, each of which becomes a file; None is one file.
        """
        snapshots = {}
        for partition, (table, info) in made.items():
            parts = [self._write(part, dataset, partition) for part in cut(table)] if cut else []
            digest = digest_bytes(encode(table)) if parts else self._write(table, dataset, partition)
            snapshots[partition] = Snapshot(dataset, partition, digest, table.num_rows, info, tuple(parts))
        with self._changing(dataset) as index:
            taken = sorted(index.keys() & snapshots.keys()) if once else []
            if taken:
                raise FileExistsError(f"{dataset} {taken[0]}")
            for partition, one in snapshots.items():
                index[partition] = _pointer(one).follow(index.get(partition))
        return snapshots

    def _write(self, table: pa.Table, dataset: str, partition: str) -> str:
        """Write a table as a file that has the digest of its content as its name; the digest."""
        content = encode(table)
        path = self._path(dataset, partition, digest_bytes(content))
        if not path.exists() or path.read_bytes() != content:  # a damaged one is repaired by building it again
            write_file(path, content, replace=True)
        return path.stem

    def find(self, dataset: str, partition: str) -> Snapshot | None:
        """The snapshot the partition points at, or None; also where its file was removed and can be made anew.

        Raises:
            StoreError: the index of the dataset is damaged, not signed, or was changed after it was signed.
        """
        self._folder(dataset, partition)
        pointer = self._index(dataset).get(partition)
        if pointer is None or not self._is_there(dataset, partition, pointer):
            return None
        return Snapshot(dataset, partition, pointer.digest, pointer.rows, pointer.info, tuple(pointer.parts))

    def versions(self, dataset: str, partition: str) -> list[str]:
        """The digests of all that the partition ever pointed at, the newest last."""
        pointer = self._index(dataset).get(partition)
        return pointer.versions if pointer else []

    def get(self, dataset: str, partition: str) -> Snapshot:
        """The snapshot the partition points at; StoreError where there is none."""
        snapshot = self.find(dataset, partition)
        if snapshot is None:
            raise StoreError(f"{dataset} {partition}: nothing is stored. Build the partition first.")
        return snapshot

    def read(self, snapshot: Snapshot) -> pa.Table:
        """The table of a snapshot, after its bytes were checked against its digest."""
        files = [self._read(snapshot, digest) for digest in snapshot.files]
        return whole_of(files) if snapshot.parts else files[0]

    def read_part(self, snapshot: Snapshot, number: int) -> pa.Table:
        """The rows of one bucket of a snapshot that lies in parts, checked as in `read`."""
        return part_of(self._read(snapshot, snapshot.parts[number]))

    def _read(self, snapshot: Snapshot, digest: str) -> pa.Table:
        where = f"{snapshot.dataset} {snapshot.partition}"
        try:
            content = self._path(snapshot.dataset, snapshot.partition, digest).read_bytes()
        except FileNotFoundError:
            raise StoreError(
                f"{where}: the snapshot {digest[:SHORT]} is missing. {self._way_out(snapshot.dataset)}"
            ) from None
        found = digest_bytes(content)
        if found != digest:
            raise StoreError(
                f"{where}: expected the digest {digest[:SHORT]}, found {found[:SHORT]}: "
                f"the file was changed after it was written. {self._way_out(snapshot.dataset)}"
            )
        return pq.read_table(pa.BufferReader(content))

    def partitions(self, dataset: str) -> list[str]:
        """The partitions of a dataset that are stored, oldest first."""
        return sorted(name for name, one in self._index(dataset).items() if self._is_there(dataset, name, one))

    def relabel(self, snapshot: Snapshot, *, info: dict[str, Any]) -> None:
        """Other facts about the same snapshot."""
        self._point_at(replace(snapshot, info=info))

    def _point_at(self, snapshot: Snapshot) -> None:
        with self._changing(snapshot.dataset) as index:
            index[snapshot.partition] = _pointer(snapshot).follow(index.get(snapshot.partition))

    def verify(self) -> None:
        """Raise StoreError unless every index is signed and every snapshot in force is what its index says."""
        for dataset in self._datasets():
            for partition in self.partitions(dataset):
                self.read(self.get(dataset, partition))

    def begin_again(self) -> None:
        """Forget what datasets point at where nobody can say who signed it, but for those that are final."""
        for dataset in self._datasets():
            try:
                self._index(dataset)
            except StoreError:
                if dataset not in self.final:
                    folder = self._folder(dataset)
                    for path in (folder / INDEX, *folder.glob(f"*/{UNSIGNED}")):
                        path.unlink(missing_ok=True)

    def _datasets(self) -> list[str]:
        """All that have an index, or pointers from before there was one."""
        folders = {path.parent for path in self.root.glob(f"**/{INDEX}")}
        folders |= {path.parent.parent for path in self.root.glob(f"**/{UNSIGNED}")}
        return sorted(folder.relative_to(self.root).as_posix() for folder in folders)

    def files(self) -> Iterator[StoredFile]:
        """Every snapshot file below the root, superseded ones included, by dataset, partition and digest."""
        for path in sorted(self.root.glob("**/*.parquet")):
            if DIGEST.fullmatch(path.stem):
                dataset, partition = path.parent.parent.relative_to(self.root).as_posix(), path.parent.name
                current = self.find(dataset, partition)
                yield StoredFile(dataset, partition, path.stem, current is not None and path.stem in current.files)

    def read_file(self, file: StoredFile) -> pa.Table | None:
        """The table of a snapshot file; None where its bytes are not those of its name."""
        content = self._path(file.dataset, file.partition, file.digest).read_bytes()
        return pq.read_table(pa.BufferReader(content)) if digest_bytes(content) == file.digest else None

    def rewrite(self, file: StoredFile, rows: pa.Table, *, info: dict[str, Any]) -> None:
        """Other rows in the place of a file that is in force; the parts beside it stay."""
        snapshot = self.get(file.dataset, file.partition)
        written = self._write(rows, file.dataset, file.partition)
        parts = tuple(written if one == file.digest else one for one in snapshot.parts)
        whole = rows if not parts else self.read(replace(snapshot, parts=parts))
        digest = digest_bytes(encode(whole)) if parts else written
        self._point_at(replace(snapshot, digest=digest, rows=whole.num_rows, info=info, parts=parts))

    def remove_file(self, file: StoredFile) -> None:
        """Delete one snapshot file; the pointer as well if it names it, and first: it never names what is gone."""
        current = self.find(file.dataset, file.partition)
        if current is not None and file.digest in current.files:
            with self._changing(file.dataset) as index:
                del index[file.partition]
        self._path(file.dataset, file.partition, file.digest).unlink(missing_ok=True)

    @contextmanager
    def _changing(self, dataset: str) -> Iterator[dict[str, Pointer]]:
        """The index of a dataset, to be changed in place and then signed; one writer at a time."""
        folder = self._folder(dataset)
        self.prepare()
        with one_writer(folder):
            index = dict(self._index(dataset))
            yield index
            content = seal(index, self.keys, use_case=self.use_case, dataset=dataset)
            write_file(folder / INDEX, content, replace=True)

    def _index(self, dataset: str) -> Mapping[str, Pointer]:
        """What the partitions of a dataset point at, verified; the same file is read once."""
        folder = self._folder(dataset)
        try:
            state = (folder / INDEX).stat()
        except (FileNotFoundError, NotADirectoryError):
            self._require_no_unsigned(dataset, folder)
            return {}
        key = (state.st_ino, state.st_mtime_ns, state.st_size)
        if dataset not in self._opened or self._opened[dataset][0] != key:
            content = (folder / INDEX).read_bytes()
            try:
                index = unseal(content, self.keys, use_case=self.use_case, dataset=dataset)
            except (StoreError, RegistryError) as error:
                raise StoreError(f"{error} {self._way_out(dataset, also=True)}") from error
            self._opened[dataset] = key, index
        return self._opened[dataset][1]

    def _require_no_unsigned(self, dataset: str, folder: Path) -> None:
        if any(folder.glob(f"*/{UNSIGNED}")):
            out = self._way_out(dataset)
            if dataset in self.final:
                out = (
                    f"Move {dataset}/ out of the store of {self.use_case}; its dates can then be scored again by the "
                    "versions that were in force for them."
                )
            raise StoreError(
                f"{dataset}: expected a signed {INDEX}, found pointers of a version that signed nothing of what it "
                f"stored, so nobody can say who wrote them. {out}"
            )

    def _way_out(self, dataset: str, *, also: bool = False) -> str:
        if dataset in self.final:
            return f"It is never made anew: restore {dataset}/ in the store of {self.use_case} from a backup."
        return f"{'Or rebuild' if also else 'Rebuild'} it: ds-pipeline history {self.use_case} --rebuild"

    def _is_there(self, dataset: str, partition: str, pointer: Pointer) -> bool:
        """Whether a partition counts as stored; one of a final dataset does, and is missed when it is read."""
        files = pointer.parts or [pointer.digest]
        return dataset in self.final or all(self._path(dataset, partition, digest).exists() for digest in files)

    def _path(self, dataset: str, partition: str, digest: str) -> Path:
        return self._folder(dataset, partition) / f"{digest}.parquet"

    def _folder(self, dataset: str, *partition: str) -> Path:
        parts = [*dataset.split("/"), *partition]
        wrong = [part for part in parts if not NAME.fullmatch(part)]
        if wrong:
            raise StoreError(
                f"{wrong[0]!r} cannot be part of a dataset's name or a partition: expected letters, digits, _, - and "
                "dots, not beginning with a dot or -."
            )
        return self.root.joinpath(*parts)

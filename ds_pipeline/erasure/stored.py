"""The files of the store that hold a token: found, filtered or deleted, and proved to hold none any more."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ds_pipeline.boundary.cross import count_reasons
from ds_pipeline.boundary.erasures import Change
from ds_pipeline.digests import digest_bytes
from ds_pipeline.erasure.rows import rows_of, tokens_in, without
from ds_pipeline.errors import ErasureError, ErasureRefused
from ds_pipeline.masking.columns.tokens import key_fingerprint
from ds_pipeline.store.datasets import KEY, SCORES, Datasets
from ds_pipeline.store.snapshots import StoredFile, encode
from ds_pipeline.workbench import Workbench

PAIRED = ("masked", "quarantine")


def _change(file: StoredFile, *, rows: int, new: str | None) -> Change:
    return Change(dataset=file.dataset, partition=file.partition, rows=rows, old=file.digest, new=new)


def stored_changes(bench: Workbench, tokens: frozenset[str], *, seen: set[str] | None = None) -> Iterator[Change]:
    """Every snapshot file that holds one of the tokens: filtered where its partition points at it, else deleted.

    Args:
        seen: the tokens that were found are added to it.
    """
    store = bench.datasets.store
    for file in store.files():
        table = store.read_file(file)
        if table is None:  # its bytes are not those of its name
            if file.is_current:
                store.read(store.get(file.dataset, file.partition))  # says what is wrong and how to rebuild it
            yield _change(file, rows=0, new=None)
            continue
        rows = rows_of(table, tokens)
        if rows.any():
            if seen is not None:
                seen |= tokens & tokens_in(table.filter(pa.array(rows)))
            new = digest_bytes(encode(without(table, rows))) if file.is_current else None
            yield _change(file, rows=int(rows.sum()), new=new)


def apply_changes(bench: Workbench, changes: Sequence[Change], tokens: frozenset[str]) -> None:
    """Rewrite or delete each file that is still there; then make the counts of each week of a source add up again."""
    store = bench.datasets.store
    planned = {(change.dataset, change.partition, change.old): change for change in changes}
    for file in list(store.files()):
        change = planned.get((file.dataset, file.partition, file.digest))
        if change is None:
            continue
        if change.new is not None and file.is_current:
            snapshot = store.get(file.dataset, file.partition)
            table = store.read_file(file)
            assert table is not None  # it was read when the change was planned
            rows = rows_of(table, tokens) if change.rows < table.num_rows else np.ones(table.num_rows, dtype=bool)
            erased = {"erased": snapshot.info.get("erased", 0) + change.rows} if file.dataset == SCORES else {}
            store.rewrite(file, without(table, rows), info=snapshot.info | erased)
        store.remove_file(file)
    for change in changes:
        kind, _, rest = change.dataset.partition("/")
        if kind in PAIRED:
            _reconcile(bench, rest, change.partition)


def _reconcile(bench: Workbench, rest: str, partition: str) -> None:
    """Read = kept + quarantined + suppressed, as the next ingestion of the same source will count it."""
    store = bench.datasets.store
    masked, aside = (store.find(f"{kind}/{rest}", partition) for kind in PAIRED)
    if masked is None or aside is None:
        return
    counts = {
        "quarantined": count_reasons(store.read(aside)),
        "suppressed": masked.info["read"] - masked.rows - aside.rows,
    }
    for snapshot in (masked, aside):
        if snapshot.info | counts != snapshot.info:
            store.relabel(snapshot, info=snapshot.info | counts)


def other_keys_changes(
    bench: Workbench, keys: Iterable[bytes], tokens: frozenset[str], *, drop: bool
) -> Iterator[Change]:
    """What becomes of files that were made under other pseudonym keys: they are deleted, and such scores emptied.

    Raises:
        ErasureRefused: there are such files, and drop is not set.
    """
    store, foreign = bench.datasets.store, _of_other_keys(bench, keys, tokens)
    if foreign and not drop:
        raise _unreadable(bench, foreign)
    for file in foreign:
        table = store.read_file(file)
        assert table is not None  # its tokens were read a moment ago
        rows = np.ones(table.num_rows, dtype=bool)
        # Scores are never made anew: the date stays recorded, without rows.
        new = digest_bytes(encode(without(table, rows))) if file.dataset == SCORES and file.is_current else None
        yield _change(file, rows=table.num_rows, new=new)


def _of_other_keys(bench: Workbench, keys: Iterable[bytes], tokens: frozenset[str]) -> list[StoredFile]:
    """The files whose tokens were made with none of these keys, so that nobody can be found in them.

    A file of a given key shares tokens with the masked tables of that key; a file of another key shares none.
    """
    store = bench.datasets.store
    held: dict[StoredFile, set[str]] = {}
    for file in store.files():
        table = store.read_file(file)
        held[file] = tokens_in(table) if table is not None else set()
    fingerprints = {key_fingerprint(key) for key in keys}
    opened = [
        Datasets(bench.use_case, bench.project.store, bench.keys, key_fingerprint=fingerprint)
        for fingerprint in fingerprints
    ]
    ours = {
        name
        for datasets in opened
        for table in bench.use_case.sources.tables
        for name in (datasets.masked(table), datasets.quarantine(table))
    }
    known = set(tokens)
    for file, held_tokens in held.items():
        current = store.find(file.dataset, file.partition)
        if file.dataset in ours or (current is not None and current.info.get(KEY) in fingerprints):
            known |= held_tokens
    groups: dict[tuple[str, ...], list[StoredFile]] = {}
    for file in held:
        kind, _, rest = file.dataset.partition("/")
        # All weeks of a source under one policy were made with one key; anything else is looked at by itself.
        group = (rest,) if kind in PAIRED else (file.dataset, file.partition, file.digest)
        groups.setdefault(group, []).append(file)
    return [
        file
        for files in groups.values()
        if not set().union(*(held[file] for file in files)) & known
        for file in files
        if held[file]
    ]


def _unreadable(bench: Workbench, foreign: Sequence[StoredFile]) -> ErasureRefused:
    datasets = sorted({file.dataset for file in foreign})
    listed = "\n".join(
        f"  - {dataset}: {sum(file.dataset == dataset for file in foreign)} files" for dataset in datasets
    )
    return ErasureRefused(
        f"{bench.use_case.name}: made under another pseudonym key, so that nobody can be found in them:\n{listed}\n"
        "Nothing was changed. Give the old key in DS_PIPELINE_OLD_PSEUDONYM_KEY and call it again, or add "
        "--drop-other-keys: that deletes them; scores of such a date stay recorded, without rows, and are not made "
        "anew."
    )


def require_gone(bench: Workbench, tokens: frozenset[str], *, spared: Path) -> None:
    """Raise ErasureError if a token is left in any file of the use case, whatever made the file."""
    folders = [bench.datasets.root, bench.project.reports / bench.use_case.name]
    left = [
        bench.project.shown(path)
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != spared and _holds(path, tokens)
    ]
    if left:
        raise ErasureError(
            f"{bench.use_case.name}: a token of an erased person is still in {len(left)} files: "
            f"{', '.join(left[:6])}{' and more' if len(left) > 6 else ''}. The pipeline did not put it there. "
            f"Remove them, then finish with: ds-pipeline erase {bench.use_case.name} --resume"
        )


def _holds(path: Path, tokens: frozenset[str]) -> bool:
    content = path.read_bytes()
    if any(token.encode() in content for token in tokens):
        return True
    if path.suffix != ".parquet":
        return False
    try:
        return bool(rows_of(pq.read_table(pa.BufferReader(content)), tokens).any())
    except pa.ArrowException:
        return False

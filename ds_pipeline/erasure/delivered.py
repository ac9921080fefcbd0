"""The lists that were delivered: the rows of people who are erased, found by the consumer's own identifiers."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ds_pipeline.boundary.erasures import Change
from ds_pipeline.boundary.suppress import Suppression
from ds_pipeline.boundary.suppression_list import Hashes
from ds_pipeline.digests import digest_bytes
from ds_pipeline.erasure.rows import listed_rows, read_csv, without, write_csv
from ds_pipeline.errors import ErasureRefused
from ds_pipeline.scoring.delivery import as_it_was
from ds_pipeline.store.snapshots import encode, write_file
from ds_pipeline.workbench import Workbench

DELIVERED = "deliveries/"


def delivered_changes(bench: Workbench, hashes: Hashes, *, key: bytes) -> list[Change]:
    """The lists that name one of the people.

    Raises:
        ErasureRefused: a list was delivered under another contract, so its identifiers cannot be told from the rest.
    """
    return [
        Change(
            dataset=f"{DELIVERED}{path.name}",
            partition=path.parent.name,
            rows=rows,
            old=digest_bytes(path.read_bytes()),
            new=digest_bytes(content),
        )
        for path, rows, content in _rewritten(bench, hashes, key=key)
    ]


def remove_delivered(bench: Workbench, changes: Sequence[Change], hashes: Hashes, *, key: bytes) -> None:
    """Rewrite the lists without their rows."""
    if any(change.dataset.startswith(DELIVERED) for change in changes):
        for path, _, content in _rewritten(bench, hashes, key=key):
            write_file(path, content, replace=True)


def _rewritten(bench: Workbench, hashes: Hashes, *, key: bytes) -> Iterator[tuple[Path, int, bytes]]:
    """Each list that names one of the people, the number of rows that do, and its content without them."""
    suppression = Suppression(key, hashes)

    def is_listed(values: Sequence[object]) -> np.ndarray:
        column = pd.Series(list(values), dtype=object, name="identifier")
        return np.logical_or.reduce([suppression.holds(column, domain=domain) for domain in hashes])

    folder = bench.project.deliveries / bench.use_case.name
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".csv", ".parquet"):
            rewrite = _from_csv if path.suffix == ".csv" else _from_parquet
            rows, content = rewrite(bench, path, is_listed)
            if rows:
                yield path, rows, content


IsListed = Callable[[Sequence[object]], np.ndarray]


def _from_csv(bench: Workbench, path: Path, is_listed: IsListed) -> tuple[int, bytes]:
    lines = read_csv(path.read_bytes())
    header, cells = [as_it_was(name) for name in lines[0]], lines[1:]
    gone = np.zeros(len(cells), dtype=bool)
    for name in _identifying(bench, path, header):
        gone |= listed_rows([line[header.index(name)] for line in cells], is_listed)
    kept = [line for line, is_gone in zip(cells, gone, strict=True) if not is_gone]
    return int(gone.sum()), write_csv([lines[0], *kept])


def _from_parquet(bench: Workbench, path: Path, is_listed: IsListed) -> tuple[int, bytes]:
    table = pq.read_table(pa.BufferReader(path.read_bytes()))
    gone = np.zeros(table.num_rows, dtype=bool)
    for name in _identifying(bench, path, table.column_names):
        gone |= listed_rows(table[name].to_pylist(), is_listed)
    return int(gone.sum()), encode(without(table, gone))


def _identifying(bench: Workbench, path: Path, columns: Sequence[str]) -> list[str]:
    """The columns that hold identifiers by the contract."""
    contract = bench.use_case.contract
    names = [name for name, column in contract.columns.items() if column.origin == "identifier" and name in columns]
    strange = set(columns) - set(contract.columns)
    if strange and not names:
        raise ErasureRefused(
            f"{bench.project.shown(path)}: its columns are not those of contract.yaml ({len(strange)} are unknown), so "
            "nobody can be found in it. Nothing was changed. Remove the list, or put back the contract it was "
            "delivered under, and call it again."
        )
    return names

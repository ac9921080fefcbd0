"""What outside the history names a version: the ledger, the prediction log and the delivered lists.

Each proves that a promotion was made. A history without it was removed or replaced, which is not a fresh start.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ds_pipeline.errors import RegistryError, StoreError
from ds_pipeline.registry.history import Event
from ds_pipeline.registry.ledger import Ledger, Promoted, Scored, Superseded
from ds_pipeline.store.chain import file_name
from ds_pipeline.store.datasets import SCORES, Datasets
from ds_pipeline.use_case.contract import Contract


class Witness(NamedTuple):
    """A version that is named somewhere.

    Attributes:
        where: as a message shows it.
        event: number and digest of the event that put it in force; None where only the version is known.
    """

    where: str
    version: str
    event: tuple[int, str] | None = None


def witnesses_of(datasets: Datasets, ledger: Ledger, *, deliveries: Path, contract: Contract) -> list[Witness]:
    """All that name a version of the use case.

    Raises:
        RegistryError: an entry of the ledger is missing, also from the end, changed or of an unknown signer.
    """
    return [*_in_ledger(ledger), *_in_log(datasets), *_in_lists(deliveries, contract)]


def require_witnessed(events: Sequence[Event], witnesses: Sequence[Witness]) -> None:
    """Raise RegistryError if the history lacks what one of them names."""
    made, known = {event.number: event.digest for event in events}, {event.version for event in events}
    for where, version, event in witnesses:
        if version in known and (event is None or made.get(event[0]) == event[1]):
            continue
        lacks = f"history/{file_name(event[0])} is not there as it was made" if event else "the history lacks it"
        raise RegistryError(
            f"{where} names {version}, but {lacks}; known: {', '.join(sorted(known)) or 'no version'}. Nobody can say "
            "which version is in force, so nothing is trained, scored or promoted. Restore registry/ of the use case "
            "from a backup, with history/ and versions/."
        )


def _in_ledger(ledger: Ledger) -> Iterator[Witness]:
    for entry in ledger.read():
        says, where = entry.says, f"{ledger.folder.name}/{file_name(entry.number)}"
        if isinstance(says, Promoted):
            yield Witness(where, says.version, (says.event, says.digest))
        elif isinstance(says, Scored):
            yield Witness(where, says.version)
        elif isinstance(says, Superseded):
            yield from (Witness(where, says.before), Witness(where, says.after))


def _in_log(datasets: Datasets) -> Iterator[Witness]:
    with suppress(StoreError):  # a log that was damaged is refused where it is read; the others still tell
        for day in datasets.store.partitions(SCORES):
            logged = datasets.store.get(SCORES, day)
            yield Witness(f"the prediction log of {day}", str(logged.info.get("model_version")))


def _in_lists(folder: Path, contract: Contract) -> Iterator[Witness]:
    column = next((name for name, column in contract.columns.items() if column.origin == "model_version"), None)
    for path in sorted(folder.glob("*/campaign_list.*")) if column else []:
        read = {".csv": _first_in_csv, ".parquet": _first_in_parquet}.get(path.suffix)
        with suppress(OSError, ValueError, KeyError, csv.Error, pa.ArrowException):  # not, or no longer, a list of ours
            version = read(path, str(column)) if read else None
            if version:
                yield Witness(f"the list {path.name} of {path.parent.name}", version)


def _first_in_csv(path: Path, column: str) -> str | None:
    with path.open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file), None)  # a list is of one version
    return row[column] if row else None


def _first_in_parquet(path: Path, column: str) -> str | None:
    with pq.ParquetFile(path) as file:
        batch = next(file.iter_batches(batch_size=1, columns=[column]), None)
        return str(batch.column(column)[0]) if batch is not None and batch.num_rows else None

"""Keep people who were erased out of everything that is read from a source, and runs and erasures out of each other."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO

import numpy as np
import pandas as pd

from ds_pipeline.boundary.erasures import Erasures, PendingFile
from ds_pipeline.boundary.suppression_list import FROM_A_BACKUP, Hashes, SuppressionKey, SuppressionList, count
from ds_pipeline.errors import ErasureError, ErasureRefused
from ds_pipeline.ingestion.ingest import Week
from ds_pipeline.masking.columns.tokens import key_fingerprint, tokenize
from ds_pipeline.store.snapshots import make_folder
from ds_pipeline.use_case.sources import Table
from ds_pipeline.workbench import Workbench


@dataclass(frozen=True)
class Suppression:
    """The suppression list of a use case, opened with its key."""

    key: bytes
    hashes: Hashes

    def holds(self, values: pd.Series, *, domain: str) -> np.ndarray:
        """One bool per identifier: it is listed. Each distinct one is hashed once; null is nobody."""
        return hash_of(values, key=self.key, domain=domain).isin(self.hashes.get(domain, frozenset())).to_numpy(bool)


def hash_of(values: pd.Series, *, key: bytes, domain: str) -> pd.Series:
    """What the list holds of an identifier: a token under the list's own key."""
    return tokenize(values, key=key, domain=domain)


def suppression_list(bench: Workbench) -> SuppressionList:
    return SuppressionList(bench.datasets.root / "suppression")


def pending_file(bench: Workbench) -> PendingFile:
    return PendingFile(bench.datasets.root / "suppression")


def erasures_of(bench: Workbench) -> Erasures:
    """The record of what was erased."""
    return Erasures(bench.datasets.root / "erasures", bench.keys, use_case=bench.use_case.name)


def suppression_key(bench: Workbench) -> SuppressionKey:
    return SuppressionKey(bench.project.keys)


def suppression_of(bench: Workbench) -> Suppression | None:
    """Who must not come back; None where nobody was ever erased.

    Raises:
        ErasureError: an erasure is unfinished, or list and key are missing, damaged, or less than the record says.
    """
    require_finished(bench)
    done, listed = erasures_of(bench).read(), suppression_list(bench)
    if not done and not listed.exists():
        return None
    key = suppression_key(bench).read()
    hashes = listed.read(fingerprint=key_fingerprint(key))
    expected = max((erasure.listed for erasure in done), default=0)
    if count(hashes) < expected:
        raise ErasureError(
            f"{bench.use_case.name}: the suppression list has {count(hashes)} entries; the record of erasures says "
            f"{expected}. {FROM_A_BACKUP}"
        )
    return Suppression(key, hashes)


def without_suppressed(bench: Workbench, table: Table, weeks: list[Week]) -> tuple[list[Week], list[int]]:
    """The weeks without the rows of anyone who was erased, and the number of rows left out of each.

    A row counts if any of its token columns names such a person. A row whose identifier could not be read names nobody.
    """
    suppression = suppression_of(bench)
    if suppression is None:
        return weeks, [0] * len(weeks)
    kept = _held(suppression, table, [week.kept for week in weeks])
    aside = _held(suppression, table, [week.quarantined for week in weeks])
    cleaned = [
        replace(
            week,
            kept=week.kept[~good].reset_index(drop=True),
            quarantined=week.quarantined[~bad].reset_index(drop=True),
        )
        for week, good, bad in zip(weeks, kept, aside, strict=True)
    ]
    return cleaned, [int(good.sum() + bad.sum()) for good, bad in zip(kept, aside, strict=True)]


def _held(suppression: Suppression, table: Table, frames: list[pd.DataFrame]) -> list[np.ndarray]:
    whole = pd.concat(frames, ignore_index=True)
    listed = np.zeros(len(whole), dtype=bool)
    for alias, domain in table.tokens.items():
        if suppression.hashes.get(domain):
            listed |= suppression.holds(whole[alias], domain=domain)
    ends = np.cumsum([len(frame) for frame in frames])
    return np.split(listed, ends[:-1])


def require_finished(bench: Workbench) -> None:
    """Raise ErasureError if an erasure was begun and not finished: what is stored is then neither old nor new."""
    if pending_file(bench).find() is not None:
        name = bench.use_case.name
        raise ErasureError(
            f"{name}: an erasure was interrupted, and nothing runs before it is finished. "
            f"Finish it with: ds-pipeline erase {name} --resume"
        )


def at_work(bench: Workbench) -> IO[str]:
    """A file that is locked, together with other runs, until it is closed; waits for an erasure to end.

    A run that has read someone's rows could write them after they were erased; so the two exclude each other.
    """
    file = _lock_file(bench)
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


@contextmanager
def alone(bench: Workbench) -> Iterator[None]:
    """No run and no other erasure of the use case is at work; ErasureRefused if one is."""
    with _lock_file(bench) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ErasureRefused(
                f"{bench.use_case.name}: a run or another erasure is at work. Nothing was changed; call it again when "
                "that has ended."
            ) from None
        yield


def _lock_file(bench: Workbench) -> IO[str]:
    return os.fdopen(os.open(make_folder(bench.datasets.root) / ".lock", os.O_RDWR | os.O_CREAT, 0o600), "w")

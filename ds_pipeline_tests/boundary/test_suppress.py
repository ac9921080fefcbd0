"""Who was erased is left out of every week, and a run and an erasure exclude each other."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandas as pd
import pytest

from ds_pipeline.boundary.erasures import Pending
from ds_pipeline.boundary.suppress import (
    Suppression,
    alone,
    at_work,
    hash_of,
    pending_file,
    require_finished,
    suppression_key,
    suppression_list,
    suppression_of,
    without_suppressed,
)
from ds_pipeline.errors import ErasureError, ErasureRefused
from ds_pipeline.ingestion.ingest import Week
from ds_pipeline.masking.columns.tokens import key_fingerprint
from ds_pipeline.workbench import Workbench

KEY = b"k" * 32
DAY = date(2011, 3, 7)


def hashes(*people: str, key: bytes = KEY, domain: str = "customer") -> dict[str, frozenset[str]]:
    return {domain: frozenset(hash_of(pd.Series(list(people)), key=key, domain=domain))}


def suppress(bench: Workbench, *people: str) -> None:
    """Put people on the list of the use case."""
    key = suppression_key(bench).read_or_make(is_first=True)
    suppression_list(bench).add(hashes(*people, key=key), fingerprint=key_fingerprint(key))


def week(kept: list[str | None], aside: list[str | None]) -> Week:
    frames = (pd.DataFrame({"customer_token": pd.Series(people, dtype="string"), "n": range(len(people))})
              for people in (kept, aside))  # fmt: skip
    good, bad = frames
    return Week(DAY, len(kept) + len(aside), good, bad)


def test_the_listed_are_held_under_the_key_and_domain_of_the_list_alone() -> None:
    held = Suppression(KEY, hashes("ann", "bob"))
    people = pd.Series(["bob", "cat", None, "ann", "bob"], dtype="string")

    assert held.holds(people, domain="customer").tolist() == [True, False, False, True, True]
    assert not held.holds(people, domain="account").any()
    assert not Suppression(b"other" * 8, held.hashes).holds(people, domain="customer").any()


def test_where_nobody_was_erased_there_is_no_list_and_nothing_is_left_out(bench: Workbench) -> None:
    weeks = [week(["ann"], [None])]

    assert suppression_of(bench) is None
    assert without_suppressed(bench, bench.use_case.sources.tables["visits"], weeks) == (weeks, [0])


def test_rows_of_the_listed_are_left_out_of_both_parts_and_counted_by_week(bench: Workbench) -> None:
    suppress(bench, "ann")
    weeks = [week(["ann", "bob", "ann"], ["ann", None]), week([], []), week(["cat"], [])]

    cleaned, left_out = without_suppressed(bench, bench.use_case.sources.tables["visits"], weeks)

    assert left_out == [3, 0, 0]
    assert [one.kept["customer_token"].tolist() for one in cleaned] == [["bob"], [], ["cat"]]
    assert cleaned[0].kept.index.tolist() == [0]
    assert cleaned[0].quarantined["n"].tolist() == [1]  # whose identifier could not be read is nobody
    assert [one.read for one in cleaned] == [5, 0, 1]
    assert weeks[0].kept["customer_token"].tolist() == ["ann", "bob", "ann"]


def test_a_list_whose_key_is_gone_stops_everything(bench: Workbench) -> None:
    suppress(bench, "ann")
    suppression_key(bench).path.unlink()

    with pytest.raises(ErasureError, match="key"):
        suppression_of(bench)


def test_while_an_erasure_is_unfinished_nothing_reads_the_list(bench: Workbench) -> None:
    require_finished(bench)
    suppress(bench, "ann")
    pending_file(bench).write(
        Pending(
            request="r", actor="a", reason="r", at=datetime(2011, 3, 7, tzinfo=UTC), people=1, found=1, tokens=["t"],
            hashes={"customer": ["h"]}, changes=[],
        )
    )  # fmt: skip

    with pytest.raises(ErasureError, match="ds-pipeline erase shop --resume"):
        suppression_of(bench)
    pending_file(bench).remove()
    assert suppression_of(bench) is not None


def test_runs_share_the_use_case_and_an_erasure_has_it_alone(bench: Workbench) -> None:
    with at_work(bench), at_work(bench), pytest.raises(ErasureRefused, match="a run or another erasure is at work"):
        alone(bench).__enter__()

    with alone(bench), pytest.raises(ErasureRefused):
        alone(bench).__enter__()

    with alone(bench):
        pass

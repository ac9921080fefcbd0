"""Rows of people in lists that were delivered, found by the consumer's own identifiers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.boundary.suppress import hash_of
from ds_pipeline.boundary.suppression_list import Hashes
from ds_pipeline.digests import digest_bytes
from ds_pipeline.erasure.delivered import delivered_changes, remove_delivered
from ds_pipeline.errors import ErasureRefused
from ds_pipeline.workbench import Workbench

KEY = b"k" * 32
HEAD = "customer_id,rank,score"


def hashes(*people: str) -> Hashes:
    return {"customer": frozenset(hash_of(pd.Series(list(people), dtype="string"), key=KEY, domain="customer"))}


def deliver(bench: Workbench, day: str, lines: Sequence[str] = ("1003,1,0.9", "1001,2,0.8"), head: str = HEAD) -> Path:
    path = bench.project.deliveries / bench.use_case.name / day / "campaign_list.csv"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


def test_a_list_that_names_nobody_of_them_is_no_change(bench: Workbench) -> None:
    path = deliver(bench, "2011-03-07")
    before = path.read_bytes()

    assert delivered_changes(bench, hashes("1002"), key=KEY) == []
    assert delivered_changes(bench, hashes("1001"), key=b"other" * 8) == []
    remove_delivered(bench, [], hashes("1001"), key=KEY)

    assert path.read_bytes() == before


def test_before_anything_was_delivered_there_is_no_change(bench: Workbench) -> None:
    assert delivered_changes(bench, hashes("1001"), key=KEY) == []


def test_each_list_that_names_one_of_them_changes_by_her_rows(bench: Workbench) -> None:
    first, second = deliver(bench, "2011-03-07"), deliver(bench, "2011-03-14", ["1001,1,0.9", "1002,2,0.8"])
    deliver(bench, "2011-03-21", ["1009,1,0.9"])
    before = first.read_bytes()

    changes = delivered_changes(bench, hashes("1001", "1002"), key=KEY)
    remove_delivered(bench, changes, hashes("1001", "1002"), key=KEY)

    assert [(one.dataset, one.partition, one.rows) for one in changes] == [
        ("deliveries/campaign_list.csv", "2011-03-07", 1), ("deliveries/campaign_list.csv", "2011-03-14", 2),
    ]  # fmt: skip
    assert changes[0].old == digest_bytes(before)
    assert (first.read_text(), second.read_text()) == (f"{HEAD}\n1003,1,0.9\n", f"{HEAD}\n")
    assert [one.new for one in changes] == [digest_bytes(path.read_bytes()) for path in (first, second)]
    assert delivered_changes(bench, hashes("1001", "1002"), key=KEY) == []


def test_a_list_that_was_replaced_loses_her_rows_as_well(bench: Workbench) -> None:
    path = deliver(bench, "2011-03-07")
    kept = path.rename(path.with_stem("campaign_list.replaced-000012"))

    changes = delivered_changes(bench, hashes("1001"), key=KEY)
    remove_delivered(bench, changes, hashes("1001"), key=KEY)

    assert [one.dataset for one in changes] == ["deliveries/campaign_list.replaced-000012.csv"]
    assert kept.read_text() == f"{HEAD}\n1003,1,0.9\n"


def test_an_apostrophe_that_keeps_a_spreadsheet_from_running_a_cell_does_not_hide_her(bench: Workbench) -> None:
    path = deliver(bench, "2011-03-07", ["'1001,1,0.9", "1003,2,0.8"])

    (change,) = delivered_changes(bench, hashes("1001"), key=KEY)
    remove_delivered(bench, [change], hashes("1001"), key=KEY)

    assert path.read_text() == f"{HEAD}\n1003,2,0.8\n"


def test_a_list_as_parquet_is_found_by_its_numbers(bench: Workbench) -> None:
    path = deliver(bench, "2011-03-07").with_suffix(".parquet")
    pq.write_table(pa.table({"customer_id": [1003, 1001], "rank": [1, 2], "score": [0.9, 0.8]}), path)

    changes = delivered_changes(bench, hashes("1001"), key=KEY)
    remove_delivered(bench, changes, hashes("1001"), key=KEY)

    assert [one.dataset for one in changes] == ["deliveries/campaign_list.csv", "deliveries/campaign_list.parquet"]
    assert pq.read_table(path).to_pylist() == [{"customer_id": 1003, "rank": 1, "score": 0.9}]


def test_a_list_of_another_contract_refuses_and_nothing_is_changed(bench: Workbench) -> None:
    path = deliver(bench, "2011-03-07", head="kunde,rank,score")
    before = path.read_bytes()

    with pytest.raises(ErasureRefused, match=r"its columns are not those of contract.yaml \(1 are unknown\)") as error:
        delivered_changes(bench, hashes("1001"), key=KEY)

    assert path.read_bytes() == before
    assert "1001" not in str(error.value)


def test_a_list_without_identifiers_that_the_contract_knows_names_nobody(bench: Workbench) -> None:
    deliver(bench, "2011-03-07", ["1,0.9"], head="rank,score")

    assert delivered_changes(bench, hashes("1001"), key=KEY) == []

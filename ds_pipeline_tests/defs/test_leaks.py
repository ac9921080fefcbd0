"""A leak that is planted in something about to be written stops it, and nothing is written."""

from __future__ import annotations

import io
from datetime import date

import joblib
import pyarrow as pa
import pytest

from ds_pipeline.defs.boundary import masked_weeks
from ds_pipeline.defs.leaks import (
    Exemption,
    exemptions,
    guarded,
    look_alikes_of,
    raw_identifiers,
    require_clean_files,
    require_clean_table,
)
from ds_pipeline.defs.workbench import Workbench
from ds_pipeline.errors import LeakError, SourceError
from ds_pipeline_tests.defs.conftest import CUSTOMERS, Declare, write_sources

FIRST = date(2011, 3, 7)
LEAK = r"raw identifier: \d+ (cells|texts)\. Nothing was written"


def test_a_masked_table_with_a_raw_value_is_refused(bench: Workbench) -> None:
    write_sources(bench.project.root, plan="for Zarathea Wexcombe")

    with pytest.raises(LeakError, match=f"^plans: .*column 'plan', {LEAK}") as leak:
        masked_weeks(bench, "plans", [FIRST])

    assert "Zarathea" not in str(leak.value)


def test_a_quarantined_row_with_a_raw_value_is_refused(declare: Declare) -> None:
    bench = declare(plans={"max_quarantine_share": 1.0, "key": ["plan"]})  # all have one plan, so all clash
    write_sources(bench.project.root, plan="for Zarathea Wexcombe")

    with pytest.raises(LeakError, match=f"^quarantine of plans: .*column 'plan', {LEAK}"):
        masked_weeks(bench, "plans", [FIRST])


def test_a_column_that_only_looks_alike_is_exempt_and_listed_with_its_reason(declare: Declare) -> None:
    bench = declare(plan={"scan_exempt": "plans are named after founders"})
    write_sources(bench.project.root, plan="Zarathea Wexcombe")

    assert masked_weeks(bench, "plans", [FIRST])[0].kept.num_rows == 5
    assert look_alikes_of(bench.use_case.sources.tables["plans"]) == {"plan": "plans are named after founders"}
    assert Exemption("masked plans", "plan", "plans are named after founders") in exemptions(bench)


def test_an_exempt_column_is_still_searched_for_patterns(declare: Declare) -> None:
    bench = declare(plan={"scan_exempt": "plans are named after founders"})
    write_sources(bench.project.root, plan="ask a@b.org")

    with pytest.raises(LeakError, match="column 'plan', email: 5 cells"):
        masked_weeks(bench, "plans", [FIRST])


def test_numeric_and_delivered_columns_are_listed(bench: Workbench) -> None:
    listed = {(one.place, one.what) for one in exemptions(bench)}

    assert ("masked visits", "spend_gbp, visited_at, known_at") in listed
    assert ("features", "visits_seen") in listed
    assert ("deliveries", "customer_id") in listed


@pytest.mark.parametrize("dataset", ["features/0a1b", "labels/0a1b", "scores"])
def test_a_dataset_with_a_raw_value_is_not_stored(bench: Workbench, dataset: str) -> None:
    clean, leaking = (pa.table({"decision": [text], "rank": [1]}) for text in ("campaign", CUSTOMERS[4]))
    store = guarded(bench).datasets.store
    store.put(clean, dataset=dataset, partition="2011-03-07")
    before = sorted(store.root.rglob("*"))

    with pytest.raises(LeakError, match=f"{dataset[:5]}.* of 2011-03-14: .*column 'decision', {LEAK}"):
        store.put(leaking, dataset=dataset, partition="2011-03-14")

    assert sorted(store.root.rglob("*")) == before


def test_a_document_with_a_raw_value_is_not_stored(bench: Workbench) -> None:
    bench.keys.create_if_first(True)
    documents = guarded(bench).documents
    documents.put({"decision.json": b'{"rows": 12}'}, kind="evaluation", day=FIRST)

    with pytest.raises(LeakError, match=f"evaluation of 2011-03-14: .*file 'decision.json', {LEAK}"):
        documents.put({"decision.json": b'{"by": "Quillon Thistlewold"}'}, kind="evaluation", day=date(2011, 3, 14))

    assert bench.documents.days("evaluation") == [FIRST]


@pytest.mark.parametrize("name", ["evaluation.html", "reference.json", "model.joblib", "use_case/label.sql"])
def test_a_file_of_a_report_or_bundle_with_a_raw_value_is_refused(bench: Workbench, name: str) -> None:
    pickled = io.BytesIO()
    joblib.dump({"categories": ["gold", CUSTOMERS[0]]}, pickled)
    content = pickled.getvalue() if name.endswith(".joblib") else b"-- <p>Zarathea</p> Zarathea Wexcombe"

    with pytest.raises(LeakError, match=f"bundle: .*file '{name}', {LEAK}"):
        require_clean_files(bench, {name: content, "fine.json": b"{}"}, where="bundle")


def test_patterns_are_looked_for_in_every_file_but_those_that_people_wrote(bench: Workbench) -> None:
    require_clean_files(bench, {"use_case/contract.yaml": b"consumer: crm@example.org"}, where="bundle")
    with pytest.raises(LeakError, match=r"file 'training\.json', email: 1 texts"):
        require_clean_files(bench, {"training.json": b'"crm@example.org"'}, where="bundle")


def test_a_change_of_the_source_is_noticed(bench: Workbench) -> None:
    table = pa.table({"text": ["Hesper Quaxbreath"]})
    require_clean_table(bench, table, where="features")
    write_sources(bench.project.root, customers=[*CUSTOMERS, "Hesper Quaxbreath"])

    with pytest.raises(LeakError, match="features: "):
        require_clean_table(bench, table, where="features")


def test_the_source_is_read_once(bench: Workbench) -> None:
    assert raw_identifiers(bench) is raw_identifiers(bench)


def test_without_its_source_nothing_is_written(bench: Workbench) -> None:
    require_clean_table(bench, pa.table({"text": ["gold"]}), where="features")
    (bench.project.root / "data" / "visits.parquet").unlink()

    with pytest.raises(
        SourceError, match=r"visits \(data/visits.parquet\): the file is missing.*nothing can be written"
    ):
        require_clean_table(bench, pa.table({"text": ["gold"]}), where="features")

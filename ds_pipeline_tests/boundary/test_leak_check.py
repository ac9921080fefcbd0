"""A leak that is planted in something about to be written stops it, and nothing is written."""

from __future__ import annotations

import io
import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import joblib
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.boundary.cross import masked_weeks
from ds_pipeline.boundary.leak_check import (
    Exemption,
    exemptions,
    guarded,
    look_alikes_of,
    raw_identifiers,
    require_clean_files,
    require_clean_table,
)
from ds_pipeline.documents.write import generated_documents
from ds_pipeline.erasure.erase import erase, people_of
from ds_pipeline.errors import LeakError, SourceError
from ds_pipeline.project import Project, Settings
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.conftest import CONFIGS
from ds_pipeline_tests.workbenches import CUSTOMERS, Declare, write_sources

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


def test_nothing_of_the_raw_identifiers_is_stored(bench: Workbench) -> None:
    before = sorted(bench.project.root.rglob("*"))

    require_clean_table(bench, pa.table({"text": ["gold"]}), where="features")

    assert sorted(bench.project.root.rglob("*")) == before


def test_who_was_erased_is_still_looked_for_while_the_source_holds_them(bench: Workbench) -> None:
    """A hash that went with the erasure would let the name through that the source still brings."""
    people = people_of(bench, CUSTOMERS[:1])
    erase(bench, people, actor="dpo", reason="asked", at=datetime(2011, 3, 15, tzinfo=UTC), drop_other_keys=False)

    assert masked_weeks(bench, "plans", [FIRST])[0].suppressed == 1
    with pytest.raises(LeakError, match=f"features: .*column 'text', {LEAK}"):
        require_clean_table(bench, pa.table({"text": CUSTOMERS[:1]}), where="features")


def test_without_its_source_nothing_is_written(bench: Workbench) -> None:
    require_clean_table(bench, pa.table({"text": ["gold"]}), where="features")
    (bench.project.root / "data" / "visits.parquet").unlink()

    with pytest.raises(
        SourceError, match=r"visits \(data/visits.parquet\): the file is missing.*nothing can be written"
    ):
        require_clean_table(bench, pa.table({"text": ["gold"]}), where="features")


def test_a_band_of_ages_that_reads_like_a_row_number_is_no_leak(declare: Declare) -> None:
    """40-49 equals the visit 4049 without what stands between the digits."""
    band = {
        "alias": "age_band", "type": "date", "nullable": True, "identifies": "sensitive", "treatment": "band",
        "bands": [30, 40, 50], "meaning": "made up",
    }  # fmt: skip
    plain = declare().use_case.sources.tables["plans"].model_dump(mode="json", exclude_none=True)["columns"]
    bench = declare(plans={"columns": plain | {"born": band}, "k_anonymity": {"k": 2}})
    write_sources(bench.project.root, customers=["4049", "4041"])
    path = bench.project.root / "data" / "plans.parquet"
    rows = pq.read_table(path)
    pq.write_table(rows.append_column("born", pa.array([date(1970, 1, 1)] * rows.num_rows)), path)

    require_clean_table(bench, pa.table({"age_band": ["40-49"]}), where="features")
    with pytest.raises(LeakError, match="column 'age_band', raw identifier: 1 cells"):
        require_clean_table(bench, pa.table({"age_band": ["40-41"]}), where="features")


def test_a_leak_names_the_raw_columns_and_what_may_be_declared(bench: Workbench) -> None:
    leaking = {"plan": CUSTOMERS[0], "decision": CUSTOMERS[1]}

    def refusal(column: str) -> str:
        with pytest.raises(LeakError) as leak:
            require_clean_table(bench, pa.table({column: [leaking[column]]}), where="features")
        return str(leak.value)

    assert "are values of visits.customer_token and plans.customer_token" in refusal("plan")
    assert "with identifies: direct, redact or token" in refusal("plan")
    assert "or declare scan_exempt for plan, with the reason" in refusal("plan")
    assert "scan_exempt" not in refusal("decision")
    assert not any(name in refusal(column) for column in leaking for name in CUSTOMERS)


def test_a_document_of_a_use_case_that_would_publish_an_identifier_is_refused(tmp_path: Path) -> None:
    """A phone number in a remark that was taken for a category got into the data dictionary."""
    project = Project(Settings(project=tmp_path))
    shutil.copytree(CONFIGS / "retail_lapse", tmp_path / "configs" / "retail_lapse")
    contract, features = (tmp_path / "configs" / "retail_lapse" / f"{name}.yaml" for name in ("contract", "features"))
    contract.write_text(re.sub(r"(?m)^consumer: .*$", "consumer: crm@example.org", contract.read_text()))
    generated_documents(project)
    text = features.read_text()
    features.write_text(text.replace("meaning: ", "meaning: ask 0664 1234567 about ", 1))

    with pytest.raises(LeakError, match=r"docs/use_cases/retail_lapse/data_dictionary\.md: phone") as leak:
        generated_documents(project)

    assert "1234567" not in str(leak.value)

"""What is opened for one use case: where things lie, whose lineage is read, and when a key is made."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from datetime import date, timedelta

import cloudpickle
import pyarrow as pa
import pytest

from ds_pipeline.errors import KeyMissingError, RegistryError, StoreError
from ds_pipeline.project import DEMO_KEY, Project, Settings
from ds_pipeline.store.snapshots import make_folder
from ds_pipeline.use_case.sources import Sources
from ds_pipeline.workbench import Workbench, now, open_workbench
from ds_pipeline_tests.workbenches import TEST_SECRET

DAY = date(2011, 12, 5)


@pytest.fixture
def begun(bench: Workbench) -> Workbench:
    """A workbench in whose store something lies already."""
    make_folder(bench.datasets.root)
    return bench


def test_lists_and_reports_lie_below_their_use_case_and_date(bench: Workbench) -> None:
    root = bench.project.root
    both = bench.use_case.contract.model_copy(update={"format": ["csv", "parquet"]})
    bench = replace(bench, use_case=replace(bench.use_case, contract=both))

    assert [path.relative_to(root).as_posix() for path in bench.delivery_paths(DAY)] == [
        "data/deliveries/shop/2011-12-05/campaign_list.csv",
        "data/deliveries/shop/2011-12-05/campaign_list.parquet",
    ]
    assert bench.report_path(DAY).relative_to(root).as_posix() == "data/reports/shop/2011-12-05/evaluation.html"


def test_what_another_process_is_sent_reads_the_store_and_holds_no_secret(bench: Workbench) -> None:
    rows = pa.table({"rows": [1, 2]})
    bench.datasets.store.put(rows, dataset="masked/visits/x", partition=str(DAY))

    sent = cloudpickle.dumps(bench.datasets)
    store = pickle.loads(sent).store

    assert store.read(store.get("masked/visits/x", str(DAY))).equals(rows)
    assert bench.key not in sent
    assert TEST_SECRET.encode() not in sent
    with pytest.raises(StoreError, match="is there to be read"):
        store.put(rows, dataset="masked/visits/x", partition=str(DAY))


def note_lineage(bench: Workbench, candidate: str) -> None:
    bench.prepare_to_sign()
    content = json.dumps({"candidate": candidate}).encode()
    bench.documents.put({"lineage.json": content}, kind="lineage", day=DAY)


def test_the_lineage_is_that_of_the_candidate_that_is_asked_for(begun: Workbench) -> None:
    note_lineage(begun, "ours")

    assert json.loads(begun.lineage_of(DAY, "ours").files["lineage.json"]) == {"candidate": "ours"}


def test_the_lineage_of_another_candidate_is_an_interrupted_training(begun: Workbench) -> None:
    note_lineage(begun, "theirs")

    with pytest.raises(RegistryError, match="The lineage of 2011-12-05 is of another candidate"):
        begun.lineage_of(DAY, "ours")


def test_the_first_run_of_the_project_makes_the_signing_key_and_later_ones_keep_it(begun: Workbench) -> None:
    assert not begun.keys.private_path.exists()

    begun.prepare_to_sign()
    first = begun.keys.private_path.read_bytes()
    open_workbench(begun.project, begun.use_case).prepare_to_sign()

    assert begun.keys.private_path.read_bytes() == first


def test_a_lost_key_is_not_made_anew_where_another_use_case_has_a_history(begun: Workbench) -> None:
    history = begun.project.store / "other" / "registry" / "history"
    history.mkdir(parents=True)
    (history / "000001.json").write_text("{}")

    with pytest.raises(RegistryError, match="the signing key is missing, but it has signed before"):
        begun.prepare_to_sign()

    assert not begun.keys.private_path.exists()


def test_tables_that_are_not_public_need_a_key_of_ones_own(bench: Workbench) -> None:
    tables = bench.use_case.sources.model_dump(mode="json", exclude_none=True)["tables"]
    private = {name: table | {"data_class": "confidential", "synthetic": False} for name, table in tables.items()}
    use_case = replace(bench.use_case, sources=Sources.model_validate({"tables": private}))
    keyless = Project(Settings(project=bench.project.root, pseudonym_key=DEMO_KEY))

    with pytest.raises(KeyMissingError):
        open_workbench(keyless, use_case)


def test_now_is_an_instant() -> None:
    assert now().utcoffset() is not None
    assert now() - now() < timedelta(seconds=1)

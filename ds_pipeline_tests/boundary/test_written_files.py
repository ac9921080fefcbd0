"""The scan of everything on disk finds a leak wherever it is planted, and files that others may open."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.boundary import written_files as written
from ds_pipeline.boundary.leak_check import exemptions
from ds_pipeline.boundary.scan import Finding
from ds_pipeline.boundary.written_files import PlaceScan, scan_written, show_place, show_rest
from ds_pipeline.store.snapshots import write_file
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS

NAME = CUSTOMERS[0]
STORE, CASE = "data/store/shop", "shop"


def table_bytes(**columns: list[object]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


def database(text: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with sqlite3.connect(path) as log:
            log.execute("create table event_logs (event, body)")
            log.execute("insert into event_logs values (?, ?)", ("fine", zlib.compress(text.encode())))
        path.chmod(0o600)

    return make


LEAKING = table_bytes(product=["fine", NAME], pieces=[1, 2])
PLANTED: dict[str, tuple[str, bytes | Callable[[Path], None]]] = {
    "masked visits": (f"{STORE}/datasets/masked/visits/0a/2011-03-07/1.parquet", LEAKING),
    "quarantine plans": (f"{STORE}/datasets/quarantine/plans/0a/2011-03-07/1.parquet", LEAKING),
    "features": (f"{STORE}/datasets/features/0a/2011-03-07/1.parquet", LEAKING),
    "labels": (f"{STORE}/datasets/labels/0a/index.json", f'{{"info": "{NAME}"}}'.encode()),
    "scores": (f"{STORE}/datasets/scores/2011-03-07/1.parquet", LEAKING),
    "documents": (f"{STORE}/documents/evaluation/2011-03-07/0a/evaluation.json", f'["{NAME}"]'.encode()),
    "bundles": (f"{STORE}/registry/versions/v0001/bundle/use_case/label.sql", f"-- {NAME}".encode()),
    "reports": (f"data/reports/{CASE}/2011-03-07/evaluation.html", f"<p>{NAME}</p>".encode()),
    "deliveries": (
        f"data/deliveries/{CASE}/2011-03-07/campaign_list.csv",
        f"customer_id,model_version\n12,v1\n13,{NAME}\n".encode(),
    ),
    "Dagster databases": ("dagster/history/runs/index.db", database(f"failed on {NAME}")),
    "Dagster logs": ("dagster/storage/1/compute_logs/a.err", f"Traceback: {NAME}".encode()),
}


def plant(bench: Workbench, path: str, content: bytes | Callable[[Path], None]) -> None:
    whole = bench.project.root / path
    write_file(whole, content if isinstance(content, bytes) else b"", replace=True)
    if not isinstance(content, bytes):
        content(whole)


@pytest.mark.parametrize("place", list(PLANTED))
def test_a_leak_in_each_place_is_found_and_named_by_file_and_never_shown(bench: Workbench, place: str) -> None:
    path, content = PLANTED[place]
    plant(bench, path, content)

    scans = {scan.place: scan for scan in scan_written(bench)}

    assert [(file, one.kind) for file, one in scans[place].findings] == [(path, "raw identifier")]
    assert all(scan.is_clean for scan in scans.values() if scan.place != place)
    shown = "\n".join([*map(show_place, scans.values()), show_rest([*scans.values()], exemptions(bench))])
    assert path in shown
    assert NAME not in shown


def test_patterns_are_found_too(bench: Workbench) -> None:
    plant(bench, f"data/reports/{CASE}/2011-03-07/evaluation.html", b"<p>nobody@else.example.org</p>")

    (scan,) = [scan for scan in scan_written(bench) if scan.place == "reports"]

    assert [one.kind for _, one in scan.findings] == ["email"]


def test_what_is_clean_is_said_to_be(bench: Workbench) -> None:
    plant(bench, f"{STORE}/datasets/features/0a/2011-03-07/1.parquet", table_bytes(plan=["gold", "basic"], n=[1, 2]))

    scans = scan_written(bench)

    assert [(scan.place, scan.files, scan.cells) for scan in scans if scan.files] == [("features", 1, 2)]
    assert all(scan.is_clean for scan in scans)
    assert show_rest(scans, exemptions(bench)).endswith("No identifier was found.")


@pytest.mark.parametrize("column", ["customer_id", "model_version"])
def test_a_delivered_number_is_exempt_where_the_contract_flags_it(bench: Workbench, column: str) -> None:
    rows = {"customer_id": "7", "model_version": "v1"} | {column: "07700 900123"}
    content = f"customer_id,model_version\n{rows['customer_id']},{rows['model_version']}\n"
    plant(bench, f"data/deliveries/{CASE}/2011-03-07/campaign_list.csv", content.encode())

    assert all(scan.is_clean for scan in scan_written(bench)) == (column == "customer_id")


def test_a_phone_number_in_a_text_column_of_a_list_is_not_taken_for_a_number(bench: Workbench) -> None:
    plant(bench, f"data/deliveries/{CASE}/2011-03-07/campaign_list.csv", b"model_version\n07700900123\n")

    assert not all(scan.is_clean for scan in scan_written(bench))


def test_files_and_folders_that_others_may_open_are_listed(bench: Workbench) -> None:
    path = f"data/reports/{CASE}/2011-03-07/evaluation.html"
    plant(bench, path, b"fine")
    (bench.project.root / path).chmod(0o640)
    (bench.project.root / path).parent.chmod(0o701)

    scans = scan_written(bench)

    assert [scan.open_to_others for scan in scans if not scan.is_clean] == [[str(Path(path).parent), path]]
    assert path in show_rest(scans, [])


def test_a_file_that_cannot_be_read_is_a_finding(bench: Workbench) -> None:
    path = f"{STORE}/datasets/scores/2011-03-07/1.parquet"
    plant(bench, path, b"damaged")

    (scan,) = [scan for scan in scan_written(bench) if scan.place == "scores"]

    assert scan.findings == [(path, Finding("", "file that cannot be read", 1))]


def test_a_large_table_is_sampled_with_a_seed_and_says_so(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "SAMPLE_ROWS", 10)
    content = table_bytes(product=[NAME if row < 300 else "fine" for row in range(1000)])
    plant(bench, f"{STORE}/datasets/features/0a/2011-03-07/1.parquet", content)

    first, second = ([scan for scan in scan_written(bench) if scan.place == "features"] for _ in range(2))

    assert first == second
    assert (first[0].cells, first[0].sampled) == (10, (10, 1000))
    assert "sampled: 10 of 1,000 rows, seed 0" in show_place(first[0])


def test_only_marked_files_are_looked_at(bench: Workbench) -> None:
    for path, content in PLANTED.values():
        plant(bench, path, content)

    scans = scan_written(bench, marked=lambda path: "reports" in path.parts)

    assert {scan.place for scan in scans} == {"reports"}


def test_each_place_is_told_when_it_is_done(bench: Workbench) -> None:
    plant(bench, *PLANTED["features"])
    told: list[PlaceScan] = []

    assert scan_written(bench, on_place=told.append) == told


def test_a_store_below_the_folder_of_dagster_is_looked_at_once(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(bench.project.root / "data"))
    plant(bench, *PLANTED["features"])

    scans = scan_written(bench)

    path = PLANTED["features"][0]
    assert [scan.place for scan in scans if path in [file for file, _ in scan.findings]] == ["features"]

"""Tables as people send them: a folder of CSV files from a German spreadsheet, JSON lines behind a URL."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Done, Journey

WEEK = "2011-08-01"


def test_a_folder_of_csv_and_json_lines_behind_a_url_give_what_parquet_gives(
    new_journey: Journey, first_run: tuple[Journey, Done], tmp_path: Path
) -> None:
    journey = new_journey
    journey.begin(date(2011, 6, 20))
    folder = journey.root / "data" / "invoices"
    folder.mkdir()
    sent = pd.read_parquet(journey.source["transactions"])
    sent["UnitPrice"] = sent["UnitPrice"].map("{:.2f}".format).str.replace(".", ",")
    for month, rows in sent.groupby(sent["InvoiceDate"].dt.strftime("%Y-%m")):
        rows = rows.assign(InvoiceDate=rows["InvoiceDate"].dt.strftime("%d.%m.%y %H:%M"), Description="Größe L")
        rows.to_csv(folder / f"{month}.csv", sep=";", index=False, encoding="cp1252")
    lines = pd.read_parquet(journey.source["customers"]).astype({"birth_date": str, "updated_at": str})
    lines.to_json(tmp_path / "customers.jsonl", orient="records", lines=True)
    with journey.edit("sources.yaml") as sources:
        invoices, customers = (sources["tables"][name] for name in ("transactions", "customers"))
        invoices |= {"path": "data/invoices", "format": "csv", "delimiter": ";", "encoding": "cp1252"}
        invoices["columns"]["UnitPrice"]["decimal_mark"] = ","
        invoices["columns"]["InvoiceDate"]["formats"] = ["%d.%m.%y %H:%M"]
        invoices["possible"] = {"not_after": {"table": "customers", "column": "updated_at"}}
        customers |= {"path": f"file://{tmp_path}/customers.jsonl", "format": "jsonl"}

    done = journey.cli("history")

    assert done.code == 0, done.text
    assert features(journey).equals(features(first_run[0]))
    kept, aside = (sum(part.num_rows for part in parts(journey, name)) for name in ("masked", "quarantine"))
    assert f"cannot have been, by the limit they break; not_after: {kept:,}. They stay" in done.text
    known = sent[sent["InvoiceDate"] < pd.Timestamp(WEEK)]
    assert kept + aside == len(known)
    nameless = known[known["CustomerID"].isna() & (known["InvoiceDate"].dt.strftime("%Y-%m") == "2011-07")]
    july = sent[sent["InvoiceDate"].dt.strftime("%Y-%m") == "2011-07"].reset_index(drop=True)
    found = pd.concat([part.to_pandas() for part in parts(journey, "quarantine")])
    found = found[(found["_file"] == "data/invoices/2011-07.csv") & (found["_reason"] == "missing:customer_token")]
    assert len(found) == len(nameless) > 0
    assert july.loc[found["_row_number"], "CustomerID"].isna().all()


def features(journey: Journey) -> pd.DataFrame:
    (path,) = (journey.store / "datasets" / "features").glob(f"*/{WEEK}/*.parquet")
    return pq.read_table(path).to_pandas()


def parts(journey: Journey, dataset: str) -> list:
    return [pq.read_table(path) for path in (journey.store / "datasets" / dataset / "transactions").rglob("*.parquet")]

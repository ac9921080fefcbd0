"""The use case that ships, in full: the only journey that takes its time."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Journey

REPOSITORY = Path(__file__).resolve().parents[2]


def test_retail_lapse_is_promoted_and_its_summary_counts_what_pandas_counts(new_journey: Journey) -> None:
    journey = type(new_journey)(new_journey.root, "retail_lapse")
    shutil.copytree(REPOSITORY / "configs" / "retail_lapse", journey.case)
    for name in ("online_retail", "customers"):
        source = journey.root / "data" / "samples" / f"{name}.parquet"
        shutil.copy(REPOSITORY / "data" / "samples" / source.name, source)

    done = journey.shell("ds-pipeline", "run", "retail_lapse")

    assert done.code == 0, done.text
    rows = pd.read_parquet(REPOSITORY / "data" / "samples" / "online_retail.parquet")
    known = rows[rows["InvoiceDate"] < pd.Timestamp("2011-12-05")]
    nameless, free = known["CustomerID"].isna(), known["UnitPrice"] <= 0
    # Two rows are the same if every column that is kept or tokenized, or dropped, is the same.
    doubled = known.duplicated(keep="first") & ~nameless & ~free
    aside = int((nameless | free | doubled).sum())
    assert (len(known), aside) == (524_203, 133_947)
    assert re.search(rf"^transactions +{len(known):,} +{len(known) - aside:,} +{aside:,} ", done.out, re.MULTILINE)
    assert f"missing:customer_token {int(nameless.sum()):,}" in done.out
    assert f"exact_duplicate {int(doubled.sum()):,}" in done.out
    assert f"{len(rows) - len(known):,} further rows of the source" in done.out
    assert re.search(r"^Champion +v0001, trained as of 2011-12-05, signed$", done.out, re.MULTILINE)
    gates = {gate["name"]: gate["bound"] for gate in journey.status()["gates"]}
    assert gates["precision_in_top_decile"] > 0.60
    assert gates["gain_over_recency_rule"] > 0.08

"""The features and labels of retail_lapse, held against plain Python that works them out row by row."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.features.build import build_features
from ds_pipeline.ingestion.ingest import split_weeks
from ds_pipeline.ingestion.read import ROW_NUMBER
from ds_pipeline.masking.columns.policy import mask_table
from ds_pipeline.masking.columns.tokens import tokenize
from ds_pipeline.store.asof import AsOfTables
from ds_pipeline.training.labels import assign_labels
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.sql import masked_schema

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"
CUSTOMERS = range(12347, 18287, 40)  # about a hundred of the numbers in here are customers
DAYS = [date(2011, 3, 28), date(2011, 6, 6), date(2011, 9, 5), date(2011, 10, 31)]  # two follow a change of the clocks
PAIRS_PER_DAY = 6
KEY = b"a key for tests that is no secret"[:32]
Row = dict[str, Any]


class NoText:
    """In the place of the redactor of free text, which no feature reads."""

    def redact_table(self, texts: pd.DataFrame, owners: object = None) -> pd.DataFrame:
        return pd.DataFrame(None, index=texts.index, columns=texts.columns, dtype="string")


@pytest.fixture(scope="module")
def raw() -> dict[str, pa.Table]:
    return {
        "transactions": pq.read_table(SAMPLES / "online_retail.parquet", filters=[("CustomerID", "in", CUSTOMERS)]),
        "customers": pq.read_table(SAMPLES / "customers.parquet", filters=[("customer_id", "in", CUSTOMERS)]),
    }


@pytest.fixture(scope="module")
def made(raw: dict[str, pa.Table], retail_lapse: UseCase) -> dict[date, tuple[dict[str, Row], dict[str, int]]]:
    """Features and labels by token, made by the pipeline."""
    clock, weeks = retail_lapse.clock, {}
    for name, table in retail_lapse.sources.tables.items():
        numbered = raw[name].append_column(ROW_NUMBER, pa.array(range(raw[name].num_rows)))
        for week in split_weeks(numbered, table, name=name, clock=clock, days=clock.dates_until(clock.last)):
            masked = mask_table(week.kept, table, key=KEY, redactor=NoText())
            weeks[name, week.day] = pa.Table.from_pandas(masked, schema=masked_schema(table), preserve_index=False)
    found = {}
    with AsOfTables(retail_lapse, lambda name, day: weeks[name, day]) as tables:
        for day in DAYS:
            features = build_features(tables, day)
            labels = assign_labels(tables, day, features["customer_token"])
            found[day] = (
                {row["customer_token"]: row for row in features.to_pylist()},
                {row["customer_token"]: row["label"] for row in labels.to_pylist()},
            )
    return found


@pytest.fixture(scope="module")
def lines(raw: dict[str, pa.Table]) -> dict[int, list[Row]]:
    """The sound lines of each customer: a price above 0, and no line twice."""
    found: dict[int, list[Row]] = defaultdict(list)
    seen = set()
    for row in raw["transactions"].to_pylist():
        if tuple(row.values()) in seen or row["UnitPrice"] <= 0:
            continue
        seen.add(tuple(row.values()))
        price = Decimal(repr(row["UnitPrice"])).quantize(Decimal("0.001"), ROUND_HALF_EVEN)
        is_purchase = not row["InvoiceNo"].startswith("C") and row["Quantity"] > 0
        amount = price * int(row["Quantity"])
        found[int(row["CustomerID"])].append(row | {"price": price, "amount": amount, "is_purchase": is_purchase})
    return found


def expected(lines: list[Row], versions: list[Row], day: date) -> Row | None:
    """The features of one customer; None if the customer is not in scope."""
    cutoff = datetime.combine(day, datetime.min.time())
    recent = [row for row in lines if cutoff - timedelta(days=90) <= row["InvoiceDate"] < cutoff]
    for row in recent:
        row["days_ago"] = (day - row["InvoiceDate"].date()).days
    bought = [row for row in recent if row["is_purchase"]]
    back = [row for row in recent if not row["is_purchase"]]
    ago = sorted({row["days_ago"] for row in bought})
    if len(ago) < 2:
        return None
    gaps = [later - earlier for earlier, later in itertools.pairwise(ago)]
    invoices: dict[str, list[Row]] = defaultdict(list)
    for row in bought:
        invoices[row["InvoiceNo"]].append(row)
    amounts = {
        (min(row["days_ago"] for row in rows), number): sum(row["amount"] for row in rows)
        for number, rows in invoices.items()
    }
    known = sorted((row for row in versions if row["updated_at"] < cutoff), key=lambda row: row["updated_at"])
    person = known[-1] if known else None
    return {
        "scoring_date": day,
        "days_since_last_purchase": ago[0],
        "days_since_second_last_purchase": ago[1],
        "days_since_first_purchase_90d": ago[-1],
        "purchase_days_90d": len(ago),
        "purchase_days_30d": sum(1 for one in ago if one <= 30),
        "purchase_days_14d": sum(1 for one in ago if one <= 14),
        "purchase_days_31_to_60d": sum(1 for one in ago if 31 <= one <= 60),
        "mean_gap_days_90d": sum(gaps) / len(gaps),
        "max_gap_days_90d": max(gaps),
        "sd_gap_days_90d": statistics.stdev(gaps) if len(gaps) > 1 else None,
        "overdue_ratio": ago[0] / (sum(gaps) / len(gaps)),
        "spend_gbp_90d": sum(row["amount"] for row in bought),
        "spend_gbp_30d": sum(row["amount"] for row in bought if row["days_ago"] <= 30),
        "purchase_lines_90d": len(bought),
        "products_90d": len({row["StockCode"] for row in bought}),
        "median_unit_price_gbp_90d": statistics.median(row["price"] for row in bought),
        "refund_lines_90d": len(back),
        "refund_gbp_90d": -sum(row["amount"] for row in back),
        "invoices_90d": len(amounts),
        "mean_invoice_gbp_90d": sum(amounts.values()) / len(amounts),
        "max_invoice_gbp_90d": max(amounts.values()),
        "last_invoice_gbp": amounts[min(amounts)],
        "region": region_of(person),
        "age_band": age_band_of(person),
    }


def region_of(person: Row | None) -> str | None:
    if person is None:
        return None
    return "United Kingdom" if person["country"] == "United Kingdom" else "elsewhere"


def age_band_of(person: Row | None) -> str | None:
    if person is None:
        return None
    born, at = person["birth_date"], person["updated_at"]
    tens = (at.year - born.year - ((at.month, at.day) < (born.month, born.day))) // 10
    if tens < 3:
        return "0-29"
    return "70+" if tens >= 7 else f"{10 * tens}-{10 * tens + 9}"


def is_lapsed(lines: list[Row], day: date) -> int:
    cutoff = datetime.combine(day, datetime.min.time())
    end = cutoff + timedelta(days=30)
    return int(not any(row["is_purchase"] and cutoff <= row["InvoiceDate"] < end for row in lines))


def test_plain_python_comes_to_the_same_features_and_labels(
    made: dict[date, tuple[dict[str, Row], dict[str, int]]],
    raw: dict[str, pa.Table],
    lines: dict[int, list[Row]],
    retail_lapse: UseCase,
) -> None:
    versions: dict[int, list[Row]] = defaultdict(list)
    for row in raw["customers"].to_pylist():
        versions[row["customer_id"]].append(row)
    tokens = dict(zip(lines, tokenize(pd.Series(list(lines)), key=KEY, domain="customer"), strict=True))
    compared = 0
    for day in DAYS:
        features, labels = made[day]
        in_scope = [number for number in lines if expected(lines[number], versions[number], day)]
        assert set(features) == {tokens[number] for number in in_scope}
        assert labels == {tokens[number]: is_lapsed(lines[number], day) for number in in_scope}
        for number in in_scope[:: max(1, len(in_scope) // PAIRS_PER_DAY)]:
            found = {name: value for name, value in features[tokens[number]].items() if name != "customer_token"}
            wanted = expected(lines[number], versions[number], day)
            assert wanted is not None
            assert set(found) == set(wanted)
            differing = [name for name in found if not is_same(found[name], wanted[name])]
            assert not differing, (day, differing)
            compared += 1
    assert compared >= 20


def is_same(found: Any, wanted: Any) -> bool:
    if isinstance(found, float) and wanted is not None:
        return math.isclose(found, float(wanted), rel_tol=1e-8, abs_tol=1e-9)
    return bool(found == wanted)

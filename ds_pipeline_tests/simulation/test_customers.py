"""Claims about the synthetic customers, on a handful of invoices."""

from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from ds_pipeline.errors import SourceError
from ds_pipeline.simulation.customers import (
    MOVED_BEFORE,
    SEED,
    TEST_CARDS,
    make_customers,
    summarise_purchases,
    write_customers,
)


def make_invoices(customers: int) -> pd.DataFrame:
    """One invoice per customer, at the opening hour of days through the year, and one line of nobody."""
    countries = ["United Kingdom", "Germany", "Japan", "Channel Islands", "Singapore", "EIRE"]
    lines = pd.DataFrame(
        {
            "CustomerID": [float(12346 + number) for number in range(customers)],
            "InvoiceDate": [
                pd.Timestamp("2010-12-01 06:20") + pd.Timedelta(days=number % 370) for number in range(customers)
            ],
            "Country": [countries[number % len(countries)] for number in range(customers)],
        }
    )
    return pd.concat([lines, lines.head(1).assign(CustomerID=float("nan"))], ignore_index=True)


@pytest.fixture(scope="module")
def invoices() -> pd.DataFrame:
    return make_invoices(600)


@pytest.fixture(scope="module")
def customers(invoices: pd.DataFrame) -> pd.DataFrame:
    return make_customers(summarise_purchases(invoices), seed=SEED).to_pandas()


def test_a_customer_lives_where_most_of_the_lines_say_and_starts_with_the_first_invoice():
    invoices = pd.DataFrame(
        {
            "CustomerID": [7.0, 7.0, 7.0, 9.0, 9.0],
            "InvoiceDate": pd.to_datetime(["2011-03-02", "2011-03-01", "2011-03-03", "2011-05-05", "2011-05-06"]),
            "Country": ["Spain", "Cyprus", "Spain", "Portugal", "Austria"],
        }
    )
    summary = summarise_purchases(invoices)
    assert summary["customer_id"].tolist() == [7, 9]
    assert summary["country"].tolist() == ["Spain", "Austria"]
    assert summary["first_invoice_at"].tolist() == [pd.Timestamp("2011-03-01"), pd.Timestamp("2011-05-05")]


def test_every_customer_is_known_before_the_first_purchase(invoices: pd.DataFrame, customers: pd.DataFrame):
    first_invoice = invoices.groupby("CustomerID")["InvoiceDate"].min()
    first_known = customers.groupby("customer_id")["updated_at"].min()
    assert first_known.index.tolist() == first_invoice.index.astype(int).tolist()
    waited = first_invoice.to_numpy() - first_known.to_numpy()
    assert (waited > pd.Timedelta(0)).all()
    assert (waited <= pd.Timedelta(hours=2)).all()


def test_customer_and_time_are_a_key(customers: pd.DataFrame):
    assert not customers.duplicated(["customer_id", "updated_at"]).any()


def test_every_time_exists_once_on_a_clock_in_london(customers: pd.DataFrame):
    customers["updated_at"].dt.tz_localize("Europe/London", ambiguous="raise", nonexistent="raise")


def test_a_few_customers_move_once_and_stay_who_they_are(customers: pd.DataFrame):
    moved = customers[customers.duplicated("customer_id", keep=False)]
    before, after = moved.groupby("customer_id").nth(0), moved.groupby("customer_id").nth(1)
    assert 0.01 < len(after) / customers["customer_id"].nunique() < 0.06
    assert len(moved) == len(before) + len(after)
    same = ["customer_id", "full_name", "email", "phone", "birth_date", "country"]
    assert before[same].to_numpy().tolist() == after[same].to_numpy().tolist()
    assert (before["postcode"].to_numpy() != after["postcode"].to_numpy()).all()
    assert ((after["updated_at"].to_numpy() - before["updated_at"].to_numpy()) >= pd.Timedelta(days=30)).all()
    assert (after["updated_at"] < MOVED_BEFORE).all()


def test_everyone_is_18_to_90_on_the_day_the_data_begins(customers: pd.DataFrame):
    assert customers["birth_date"].between(date(1919, 12, 2), date(1992, 12, 1)).all()


def test_addresses_and_numbers_are_those_set_aside_for_examples(customers: pd.DataFrame):
    assert customers["email"].str.fullmatch(r"[a-z._]+\d+@example\.(org|com|net)").all()
    british = customers.loc[customers["country"] == "United Kingdom", "phone"].str.replace(r"\D", "", regex=True)
    reserved = (
        r"(44|0)(7700900|2079460|1(13|14|15|16|17|18|21|31|41|51|61)4960|1914980|2896496|2920180|1632960|3069990)\d{3}"
    )
    assert british.str.fullmatch(reserved).all()


def test_about_a_third_have_a_note_and_some_notes_hold_identifiers(customers: pd.DataFrame):
    notes = customers["service_note"].dropna()
    assert 0.2 < len(notes) / len(customers) < 0.4
    assert notes.str.contains("@example.").any()
    assert notes.str.contains("|".join(TEST_CARDS)).any()
    assert notes.str.contains(r"7700 ?900").any()
    assert notes.str.contains(r"order 5\d{5}").any()


def test_test_cards_pass_the_luhn_check():
    for card in TEST_CARDS:
        digits = [int(char) for char in reversed(card) if char.isdigit()]
        assert (
            sum(digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(digits)) % 10 == 0
        )


def test_a_customer_does_not_depend_on_who_else_is_there(invoices: pd.DataFrame, customers: pd.DataFrame):
    purchases = summarise_purchases(invoices)
    alone = make_customers(purchases[purchases["customer_id"] == 12400], seed=SEED).to_pandas()
    together = customers[customers["customer_id"] == 12400].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, together)


def test_two_runs_write_the_same_bytes_and_say_that_they_are_synthetic(tmp_path: Path):
    source = tmp_path / "invoices.parquet"
    make_invoices(50).to_parquet(source)
    for name in ("one.parquet", "two.parquet"):
        write_customers(invoices=source, customers=tmp_path / name, seed=SEED)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    metadata = pq.read_schema(tmp_path / "one.parquet").metadata
    assert metadata[b"synthetic"] == b"true"
    assert metadata[b"data_class"] == b"public"


def test_another_seed_gives_other_people(invoices: pd.DataFrame, customers: pd.DataFrame):
    others = make_customers(summarise_purchases(invoices), seed=SEED + 1).to_pandas()
    assert set(others["email"]).isdisjoint(customers["email"])


def test_invoices_without_a_needed_column_are_refused(tmp_path: Path):
    source = tmp_path / "invoices.parquet"
    make_invoices(1).drop(columns="Country").to_parquet(source)
    with pytest.raises(SourceError, match=r"\['Country'\] are missing"):
        write_customers(invoices=source, customers=tmp_path / "customers.parquet", seed=SEED)

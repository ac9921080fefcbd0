"""Synthetic customers for the public Online Retail invoices: `python -m ds_pipeline.simulation.customers`.

The invoices hold a customer number and nothing about the person. This module invents the person, so that the PII
boundary has something to mask. Nobody in the table exists: e-mail domains, telephone numbers and card numbers are
those that are set aside for examples, fiction and tests.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Hashable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import typer

from ds_pipeline.errors import SourceError
from ds_pipeline.simulation.invented import ascii_letters, make_faker
from ds_pipeline.store.snapshots import encode, write_file

if TYPE_CHECKING:
    from faker import Faker

SEED = 20101201
AGE_DAY = date(2010, 12, 1)  # ages are 18 to 90 on this day, the first of the invoices
MOVED_SHARE = 0.036  # of all customers; some of them started too late to move, which leaves about 3 %
FIRST_MOVE_AFTER = timedelta(days=30)
MOVED_BEFORE = datetime(2011, 12, 5)
NOTED_SHARE = 0.3
DOCTOR_SHARE = 0.03

_COLUMNS = [
    ("customer_id", pa.int64(), False),
    ("full_name", pa.string(), False),
    ("email", pa.string(), False),
    ("phone", pa.string(), False),
    ("birth_date", pa.date32(), False),
    ("postcode", pa.string(), False),
    ("country", pa.string(), False),
    ("service_note", pa.string(), True),
    ("updated_at", pa.timestamp("us"), False),
]
SCHEMA = pa.schema(
    [pa.field(name, kind, nullable) for name, kind, nullable in _COLUMNS],
    metadata={
        "synthetic": "true",
        "data_class": "public",
        "made_by": "ds_pipeline.simulation.customers",
        "time_zone_of_updated_at": "Europe/London",
    },
)

# Where names and postcodes come from. British customers come from many places, as people do.
_LOCALES = {
    "United Kingdom": ["en_GB"] * 32 + ["en_IE", "en_IN", "en_NG", "pl_PL", "ro_RO", "tr_TR", "pt_PT", "it_IT"],
    "Germany": ["de_DE"] * 9 + ["tr_TR"],
    "France": ["fr_FR"],
    "EIRE": ["en_IE", "ga_IE"],
    "Spain": ["es_ES"],
    "Netherlands": ["nl_NL"],
    "Belgium": ["nl_BE", "fr_BE"],
    "European Community": ["fr_BE"],
    "Switzerland": ["de_CH", "de_CH", "fr_CH"],
    "Portugal": ["pt_PT"],
    "Norway": ["no_NO"],
    "Italy": ["it_IT"],
    "Channel Islands": ["en_GB", "fr_FR"],
    "Finland": ["fi_FI"],
    "Cyprus": ["el_GR"],
    "Greece": ["el_GR"],
    "Sweden": ["sv_SE"],
    "Austria": ["de_AT"],
    "Denmark": ["da_DK"],
    "Japan": ["ja_JP"],
    "Poland": ["pl_PL"],
    "Israel": ["he_IL"],
    "Iceland": ["is_IS"],
    "Canada": ["en_CA", "fr_CA"],
    "RSA": ["zu_ZA"],
    "Brazil": ["pt_BR"],
    "Czech Republic": ["cs_CZ"],
    "Lithuania": ["lt_LT"],
    "Lebanon": ["ar_AA"],
    "Saudi Arabia": ["ar_SA"],
    "Australia": ["en_AU"],
    "USA": ["en_US"],
}
# Postcodes that faker does not know, or writes in a way the post does not.
_POSTCODES = {
    "Channel Islands": ["JE# #??", "GY# #??"],
    "Bahrain": ["###", "####"],
    "United Arab Emirates": ["00000"],
    "Malta": ["??? ####"],
    "Singapore": ["######"],
    "Cyprus": ["####"],
    "Greece": ["### ##"],
    "EIRE": ["D## X###", "T## Y###"],
}

# Reserved by the regulators for drama and examples (Ofcom, ACMA, ARCEP, BNetzA, PTS; 555-01xx in North America).
# Where no such range is known to us the account has a British number.
_PHONES = {
    "United Kingdom": [
        *["07700 900###", "07700900###", "+44 7700 900###", "+447700900###"] * 2,
        *["020 7946 0###", "(020) 7946 0###", "+44 20 7946 0###"],
        *["0113 496 0###", "0114 496 0###", "0115 496 0###", "0116 496 0###", "0117 496 0###", "0118 496 0###"],
        *["0121 496 0###", "0131 496 0###", "0141 496 0###", "0151 496 0###", "0161 496 0###", "0191 498 0###"],
        *["028 9649 6###", "029 2018 0###", "01632 960###", "03069 990###"],
    ],
    "Germany": ["+49 30 23125 ###", "+49 69 90009 ###", "+49 40 66969 ###", "+49 221 4710 ###", "+49 89 99998 ###"],
    "France": ["+33 1 99 00 ## ##", "+33 2 61 91 ## ##", "+33 4 65 71 ## ##", "+33 6 39 98 ## ##"],
    "Sweden": ["+46 8 465 004 ##", "+46 31 390 06 ##", "+46 40 628 04 ##"],
    "Australia": ["+61 2 5550 ####", "+61 3 7010 ####", "+61 7 5550 ####", "+61 491 570 006", "+61 491 570 156"],
    "USA": ["+1 202 555 01##", "(312) 555-01##", "1-415-555-01##"],
    "Canada": ["+1 416 555 01##", "+1-604-555-01##"],
}
_ABROAD = ["+44 7700 900###", "+447700900###", "+44 20 7946 0###", "+44 161 496 0###"]

# The numbers that card networks and payment services publish for tests; they pay for nothing.
TEST_CARDS = (
    "4111 1111 1111 1111",
    "4242424242424242",
    "4012-8888-8888-1881",
    "4000 0566 5566 5556",
    "5555 5555 5555 4444",
    "5105105105105100",
    "2223 0031 2200 3222",
    "3782 822463 10005",
    "371449635398431",
    "6011 1111 1111 1117",
    "3530 1113 3330 0000",
    "3056 9309 0259 04",
)

_NOTES = (
    "{full_name} rang about order {order}, very polite. Call back on {phone}.",
    "Spoke to {first}: the parcel went to the neighbour. Sorted.",
    "{colleague} from their accounts team wants a copy of invoice {order}.",
    "Moved. New address: {street}, {town}. Please change before the next dispatch.",
    "Goods-in is closed on Fridays, ask for {colleague}. Delivery to {street}.",
    "{initial} {last} wrote from {email}: two mugs missing in order {order}.",
    "customer {lower_name} says the card was charged twice, see {order}",
    "Hello, this is {full_name}. My order {order} never came. Regards, {first}",
    "Please call back on {phone} after 5 pm.",
    "Asked for a call-back about the catalogue. Number: {phone}.",
    "Left a voicemail, wants a ring on {phone} before noon.",
    "New mobile {phone}; the old one no longer works.",
    "Text {phone} when the parcel leaves the warehouse.",
    "Invoices should go to {other_email} from now on.",
    "Wrote from {email} to ask for the trade price list.",
    "Send the proof of delivery to {email}, not by post.",
    "Newsletter bounced at {email}. Confirmed {other_email} on the phone.",
    "Card ending was read out in full by mistake: {card}.",
    "Payment with {card} was declined. Customer will try again tomorrow.",
    "Refund to card {card}, expiry 04/13, for order {order}.",
    "Order {order} arrived with two cups broken. Replacement agreed.",
    "Asked where order {order} is. Answered by e-mail to {email}.",
    "Order {order} to be split in two parcels, carrier to ring {phone}.",
    "Wants a pro forma for order {order} before paying.",
    "Prefers delivery on weekday mornings.",
    "Buys for a gift shop, interested in the Christmas range. No calls, please.",
    "Asked for 10 % discount on orders over 500.00 GBP.",
    "Account checked, VAT certificate is on file.",
)


def summarise_purchases(invoices: pd.DataFrame) -> pd.DataFrame:
    """What the invoices say of each customer.

    Args:
        invoices: one row per line; CustomerID (NaN where unknown), InvoiceDate (naive Europe/London), Country.

    Returns:
        One row per customer_id, ascending: first_invoice_at (naive Europe/London) and country, the most frequent one
        and of equally frequent ones the first in the alphabet.
    """
    known = invoices.dropna(subset=["CustomerID"]).astype({"CustomerID": "int64"})
    by_customer = known.groupby("CustomerID", sort=True)
    summary = pd.DataFrame(
        {
            "first_invoice_at": by_customer["InvoiceDate"].min(),
            "country": by_customer["Country"].agg(lambda countries: countries.mode().iloc[0]),
        }
    )
    return summary.rename_axis("customer_id").reset_index()


def make_customers(purchases: pd.DataFrame, *, seed: int) -> pa.Table:
    """Invent a person for each customer; every version of a person is a row.

    Args:
        purchases: one row per customer_id, as summarise_purchases gives it.
        seed: a customer's rows depend on it and on that customer's row alone, not on who else is there.

    Returns:
        Table of SCHEMA, ordered by customer_id and updated_at, which are a key together.
    """
    rows = [
        row
        for purchase in purchases.sort_values("customer_id").to_dict("records")
        for row in _make_versions(purchase, random.Random(f"{seed}-{purchase['customer_id']}"))  # noqa: S311 - no secret
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA.with_metadata({**SCHEMA.metadata, b"seed": str(seed)}))


def _make_versions(purchase: Mapping[Hashable, Any], chance: random.Random) -> Iterator[dict[str, Any]]:
    """The customer as entered shortly before the first invoice and, for a few, once more after a move."""
    country = purchase["country"]
    fake = _seeded_faker(chance.choice(_LOCALES.get(country, ["en_GB"])), chance)
    first, last = fake.first_name(), fake.last_name()
    title = "Dr " if chance.random() < DOCTOR_SHARE else ""
    email = _email(first, last, chance)
    phone = _phone(country, chance)
    entered_at = purchase["first_invoice_at"].to_pydatetime() - timedelta(minutes=chance.randint(5, 120))
    entered = {
        "customer_id": purchase["customer_id"],
        "full_name": f"{title}{first} {last}",
        "email": email,
        "phone": phone,
        "birth_date": _birth_date(chance),
        "postcode": _postcode(country, fake, chance),
        "country": country,
        "service_note": _note(first, last, email, phone, country, fake, chance),
        "updated_at": entered_at,
    }
    yield entered
    days = (MOVED_BEFORE - entered_at - FIRST_MOVE_AFTER).days - 1
    if chance.random() < MOVED_SHARE and days > 0:
        day = entered_at.date() + FIRST_MOVE_AFTER + timedelta(days=chance.randint(1, days))
        yield {
            **entered,
            "postcode": _postcode(country, fake, chance),
            "service_note": _note(first, last, email, phone, country, fake, chance),
            "updated_at": datetime.combine(day, time(chance.randint(9, 16), chance.randint(0, 59))),
        }


_fakers = cache(make_faker)


def _seeded_faker(locale: str, chance: random.Random) -> Faker:
    fake = _fakers(locale)
    fake.seed_instance(chance.getrandbits(64))
    return fake


def _email(first: str, last: str, chance: random.Random) -> str:
    domain = chance.choice(["example.org", "example.com", "example.net"])
    names = [ascii_letters(name) for name in (first, last)]
    local = chance.choice([".", "_", ""]).join(name for name in names if name) or "customer"
    return f"{local}{chance.randint(1, 9999)}@{domain}"


def _phone(country: str, chance: random.Random) -> str:
    return _digits(chance.choice(_PHONES.get(country, _ABROAD)), chance)


def _digits(pattern: str, chance: random.Random) -> str:
    return "".join(str(chance.randint(0, 9)) if char == "#" else char for char in pattern)


def _birth_date(chance: random.Random) -> date:
    """A birthday that makes 18 to 90 years on AGE_DAY, most often about 45."""
    youngest, oldest = AGE_DAY.replace(year=AGE_DAY.year - 18), AGE_DAY.replace(year=AGE_DAY.year - 91)
    days_old = chance.triangular(0, (youngest - oldest).days - 1, 365 * 27)
    return youngest - timedelta(days=int(days_old))


def _postcode(country: str, fake: Faker, chance: random.Random) -> str:
    if country in _POSTCODES:
        return fake.bothify(chance.choice(_POSTCODES[country]), letters="ABDEFGHJLNPQRSTUWXYZ")
    if country in _LOCALES and country != "United Kingdom":
        return fake.postcode()
    return _seeded_faker("en_GB", chance).postcode()  # the name may come from elsewhere, the address does not


def _note(
    first: str, last: str, email: str, phone: str, country: str, fake: Faker, chance: random.Random
) -> str | None:
    if chance.random() >= NOTED_SHARE:
        return None
    british = _seeded_faker("en_GB", chance)
    return chance.choice(_NOTES).format(
        first=first,
        last=last,
        full_name=f"{first} {last}",
        lower_name=f"{first} {last}".lower(),
        initial=f"{first[0]}.",
        colleague=british.name_nonbinary(),
        street=fake.street_address().replace("\n", ", "),
        town=fake.city(),
        email=email,
        other_email=f"{chance.choice(['accounts', 'orders', 'buying', 'shop'])}{chance.randint(1, 999)}@example.org",
        phone=chance.choice([phone, _phone(country, chance)]),
        card=chance.choice(TEST_CARDS),
        order=chance.randint(536365, 581587),
    )


def write_customers(
    invoices: Annotated[Path, typer.Option(help="The invoice lines to read.")] = Path(
        "data/samples/online_retail.parquet"
    ),
    customers: Annotated[Path, typer.Option(help="The table to write.")] = Path("data/samples/customers.parquet"),
    seed: Annotated[int, typer.Option(help="Another seed gives other people.")] = SEED,
) -> None:
    """Make the synthetic customers of the Online Retail invoices.

    Raises:
        SourceError: there is no invoice file, or it lacks a column.
    """
    columns = ["CustomerID", "InvoiceDate", "Country"]
    if not invoices.is_file():
        raise SourceError(f"{invoices}: no such file. Name the invoices with --invoices.")
    if missing := set(columns) - set(pq.read_schema(invoices).names):
        raise SourceError(f"{invoices}: expected the columns {columns}, {sorted(missing)} are missing.")
    table = make_customers(summarise_purchases(pd.read_parquet(invoices, columns=columns)), seed=seed)
    write_file(customers, encode(table), replace=True)
    typer.echo(f"{customers}: {table.num_rows:,} rows")


if __name__ == "__main__":
    try:
        typer.run(write_customers)
    except SourceError as error:
        sys.exit(str(error))

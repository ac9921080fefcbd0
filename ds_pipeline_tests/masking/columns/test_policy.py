from dataclasses import dataclass, field
from datetime import date

import pandas as pd
import pytest

from ds_pipeline.errors import KeyMissingError, SourceError
from ds_pipeline.masking.columns.policy import mask_table
from ds_pipeline.masking.columns.tokens import tokenize
from ds_pipeline.masking.text.text import TextRedactor
from ds_pipeline.use_case.sources import Table

KEY = b"0123456789abcdef0123456789abcdef"
REDACTOR = TextRedactor()


@dataclass(frozen=True)
class Column:
    alias: str
    treatment: str
    token_domain: str | None = None
    categories: list[str] | None = None
    bands: list[int] | None = None


@dataclass(frozen=True)
class Declared:
    columns: dict[str, Column] = field(default_factory=dict)
    known_at: str = "known_at"


CUSTOMERS = Declared(
    {
        "Note": Column("note", "redact"),
        "Id": Column("customer_token", "token", "customer"),
        "Surname": Column("surname", "drop"),
        "First": Column("first_initial", "initial"),
        "Born": Column("age_band", "band"),
        "Post": Column("postcode_area", "prefix"),
        "Land": Column("country", "categories", categories=["Norway"]),
        "Seen": Column("known_at", "keep"),
    }
)


def customers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "_source_row": [11, 12],
            "customer_token": [17850, 13047],
            "surname": ["Doe", "Roe"],
            "first_initial": ["jane", None],
            "age_band": [date(1980, 6, 1), None],
            "postcode_area": ["SW1A 1AA", None],
            "country": ["Norway", "Malta"],
            "known_at": pd.to_datetime(["2011-12-05", "2011-12-05"], utc=True),
            "note": ["mail jane@acme.local", None],
        },
        index=[5, 6],
    )


def mask(frame: pd.DataFrame, table: object = CUSTOMERS, key: bytes = KEY) -> pd.DataFrame:
    return mask_table(frame, table, key=key, redactor=REDACTOR)


def test_each_column_gets_its_treatment_in_declared_order():
    masked = mask(customers())
    assert masked.columns.tolist() == [
        "note", "customer_token", "first_initial", "age_band", "postcode_area", "country", "known_at", "_source_row",
    ]  # fmt: skip
    first = masked.loc[5].drop(["customer_token", "known_at"])
    assert first.tolist() == ["mail <EMAIL>", "J.", "30-39", "SW", "Norway", 11]
    assert masked.loc[6, "country"] == "other"
    assert masked.loc[6].isna().sum() == 4
    assert masked["customer_token"].equals(tokenize(customers()["customer_token"], key=KEY, domain="customer"))


def test_the_argument_is_not_changed_and_shares_nothing_with_the_result():
    frame = customers()
    masked = mask(frame)
    masked.loc[:, "_source_row"] = 0
    masked.loc[:, "known_at"] = pd.Timestamp(0, tz="UTC")
    pd.testing.assert_frame_equal(frame, customers())


def test_an_undeclared_column_stops_the_run():
    with pytest.raises(SourceError, match="not declared: email"):
        mask(customers().assign(email="jane@acme.local"))


def test_a_declared_column_that_is_missing_stops_the_run():
    with pytest.raises(SourceError, match="missing: note"):
        mask(customers().drop(columns="note"))


def test_a_dropped_column_need_not_arrive():
    assert "surname" not in mask(customers().drop(columns="surname"))


def test_a_column_that_is_there_twice_stops_the_run():
    frame = customers()
    with pytest.raises(SourceError, match="more than once: note"):
        mask(pd.concat([frame, frame[["note"]]], axis=1))


@pytest.mark.parametrize("column", [Column("note", "hash"), Column("note", "token")], ids=["unknown", "no-domain"])
def test_a_treatment_that_cannot_be_applied_never_lets_the_column_pass(column):
    with pytest.raises(SourceError, match="'note'"):
        mask(pd.DataFrame({"note": ["jane@acme.local"]}), Declared({"Note": column}))


def test_an_age_needs_the_time_column():
    with pytest.raises(SourceError, match=r"'born'.*known_at"):
        mask(pd.DataFrame({"born": [date(1980, 6, 1)]}), Declared({"Born": Column("born", "band")}))


def test_without_a_key_nothing_is_masked():
    with pytest.raises(KeyMissingError):
        mask(customers(), key=b"")


def test_an_empty_table_keeps_its_columns():
    assert mask(customers().iloc[:0]).columns.tolist()[:2] == ["note", "customer_token"]


def test_the_declaration_of_a_use_case_is_understood():
    column = {"nullable": False, "meaning": "m"}
    table = Table.model_validate(
        {
            "meaning": "m", "kind": "events", "path": "data/t.csv", "format": "csv", "data_class": "public",
            "synthetic": True, "time_zone": "UTC", "event_time": "at", "known_at": "at", "key": [], "entity": [],
            "replayable": True,
            "max_quarantine_share": 0.1,
            "columns": {
                "Id": {"alias": "customer_token", "type": "integer", "identifies": "direct", "treatment": "token",
                       "token_domain": "customer", **column},
                "Name": {"alias": "name", "type": "string", "identifies": "direct", "treatment": "drop",
                         "holds": "name", **column},
                "At": {"alias": "at", "type": "timestamp", "identifies": "no", "treatment": "keep", **column},
            },
        }
    )  # fmt: skip
    frame = pd.DataFrame({"customer_token": [1], "name": ["Jane"], "at": pd.to_datetime(["2011-12-05"], utc=True)})
    assert mask(frame, table).columns.tolist() == ["customer_token", "at"]

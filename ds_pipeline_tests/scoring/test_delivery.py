"""The list a campaign receives: the contract's columns, the chosen customers, their own identifiers."""

from __future__ import annotations

import csv
import io
import traceback
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.errors import ScoringError
from ds_pipeline.scoring.delivery import as_it_was, campaign_list, render
from ds_pipeline.use_case.contract import Contract

D = date(2011, 12, 5)
SCORES = pd.DataFrame(
    {
        "scoring_date": [D] * 3, "customer_token": ["b", "a", "c"], "score": [0.875, 0.5, 0.25], "rank": [1, 2, 3],
        "decile": [4, 7, 10], "decision": ["campaign", "campaign", "no_action"], "model_version": ["v0001"] * 3,
    }
)  # fmt: skip
NUMBERS = pd.Series({"a": 11, "b": 12})


def contract(identifier: str | None = "integer", *, reasons: int = 0, unknown: float = 0.0) -> Contract:
    examples: dict[str, Any] = {"string": "x", "integer": 1, "double": 0.5, "date": D}
    origins = {"day": ("scoring_date", "date"), "place": ("rank", "integer"), "chance": ("score", "double")}
    origins |= {"decile": ("decile", "integer"), "version": ("model_version", "string")}
    if identifier:
        origins = {"number": ("identifier", identifier)} | origins
    columns = {
        name: {
            "origin": origin,
            "type": kind,
            "is_pii": origin == "identifier",
            "meaning": "m",
            "example": examples[kind],
        }
        for name, (origin, kind) in origins.items()
    }
    why = {"origin": "reason", "type": "string", "is_pii": False, "meaning": "m", "example": "x"}
    columns |= {f"reason_{place}": why | {"place": place} for place in range(1, reasons + 1)}
    return Contract.model_validate(
        {
            "consumer": "crm", "format": ["csv"], "selection": "the top", "top_share": 0.5, "columns": columns,
            "identifier": {"table": "customers", "column": "id", "max_unknown_share": unknown} if identifier else None,
            "freshness_hours": 1,
            "cadence": {"day": "Monday", "time": "06:00"}, "failure_behaviour": "none", "sunset": "2030-01-01",
        }
    )  # fmt: skip


def deliver(identifiers: pd.Series | None = NUMBERS, kind: str | None = "integer") -> pa.Table:
    return campaign_list(SCORES, contract(kind), entity="customer_token", identifiers=identifiers)


def refused(identifiers: pd.Series | None, kind: str = "integer") -> str:
    with pytest.raises(ScoringError) as error:
        deliver(identifiers, kind)
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return "".join(traceback.format_exception_only(error.value))


def test_the_chosen_come_in_rank_order_in_the_contracts_columns_and_types() -> None:
    table = deliver()

    assert table.schema == pa.schema(
        {
            "number": pa.int64(), "day": pa.date32(), "place": pa.int64(), "chance": pa.float64(),
            "decile": pa.int64(), "version": pa.string(),
        }
    )  # fmt: skip
    assert table["number"].to_pylist() == [12, 11]
    assert table["place"].to_pylist() == [1, 2]


def test_a_list_without_identifiers_has_none() -> None:
    assert "number" not in deliver(None, None).column_names


@pytest.mark.parametrize(
    "identifiers",
    [
        pytest.param(NUMBERS.drop("a"), id="unknown-token"),
        pytest.param(pd.Series({"a": None, "b": 12}, dtype=object), id="null"),
        pytest.param(pd.Series(dtype=object), id="no-identifier-at-all"),
        pytest.param(None, id="not-given"),
    ],
)
def test_a_customer_without_an_identifier_stops_the_delivery(identifiers: pd.Series | None) -> None:
    message = refused(identifiers)

    assert "of 2 chosen customers have no identifier" in message
    assert "Nothing was delivered" in message


@pytest.mark.parametrize(
    ("share", "known", "listed"),
    [
        pytest.param(0.01, 99, 99, id="one-of-a-hundred"),
        pytest.param(0.001, 99, 99, id="rounded-up"),
        pytest.param(0.01, 98, None, id="two-are-too-many"),
        pytest.param(0.99, 0, None, id="never-nobody"),
    ],
)
def test_unknown_customers_are_left_out_within_the_share_of_the_contract(
    share: float, known: int, listed: int | None
) -> None:
    """One customer who had bought, and was not in the table of customers, stopped the list of everyone."""
    scores = pd.concat([SCORES[:1]] * 100, ignore_index=True).assign(customer_token=[f"t{n}" for n in range(100)])
    numbers = pd.Series(range(known), index=[f"t{99 - n}" for n in range(known)], dtype=object)
    asked = contract(unknown=share)

    if listed is None:
        with pytest.raises(ScoringError, match=rf"{100 - known} of 100 chosen .* allows {round(share * 100)}\."):
            campaign_list(scores, asked, entity="customer_token", identifiers=numbers)
        return
    table = campaign_list(scores, asked, entity="customer_token", identifiers=numbers)
    assert table["number"].to_pylist() == list(range(known))[::-1]


def test_of_nobody_chosen_nobody_is_unknown() -> None:
    table = campaign_list(SCORES[:0], contract(unknown=0.1), entity="customer_token", identifiers=NUMBERS)

    assert (table.num_rows, table.column_names[0]) == (0, "number")


def test_an_identifier_of_another_type_is_none_where_some_may_be_left_out() -> None:
    """One test account with letters in its number stopped the list of everyone."""
    numbers = pd.Series({"a": "TEST-1", "b": "12"}, dtype=object)

    table = campaign_list(SCORES, contract(unknown=0.1), entity="customer_token", identifiers=numbers)

    assert table["number"].to_pylist() == [12]
    with pytest.raises(ScoringError, match="2 of 2 chosen customers have no identifier of the declared type"):
        campaign_list(
            SCORES, contract(unknown=0.1), entity="customer_token", identifiers=numbers.replace("12", "4929-1111")
        )


@pytest.mark.parametrize("value", ["4929-1111", "4929.5", 4929.5, 2**70])
def test_an_identifier_of_another_type_stops_the_delivery_and_is_not_shown(value: Any) -> None:
    """Arrow's message, which quotes it, was chained and so got into logs."""
    message = refused(pd.Series({"a": value, "b": value}, dtype=object))

    assert "contract.yaml: columns.number: the values are not of type integer" in message
    assert "4929" not in message


def test_of_two_spellings_of_one_identifier_the_newest_is_delivered() -> None:
    """A blank at the end of an older version of a row, which gives the same token, stopped the delivery."""
    spellings = pd.Series(["A1 ", "A1", "B1"], index=["a", "a", "b"])

    assert deliver(spellings, "string")["number"].to_pylist() == ["B1", "A1"]


def test_csv_has_the_contracts_columns_and_plain_values() -> None:
    assert render(deliver(), "csv") == (
        b"number,day,place,chance,decile,version\n12,2011-12-05,1,0.875,4,v0001\n11,2011-12-05,2,0.5,7,v0001\n"
    )


def test_parquet_has_the_same_table() -> None:
    table = deliver()

    assert pq.read_table(io.BytesIO(render(table, "parquet"))).equals(table)


@pytest.mark.parametrize(
    ("identifier", "cell"),
    [
        pytest.param('=HYPERLINK("x")', '"\'=HYPERLINK(""x"")"', id="equals"),
        pytest.param("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0", id="plus"),
        pytest.param("-1+2", "'-1+2", id="minus"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="at"),
        pytest.param("\t=1", "'\t=1", id="tab"),
        pytest.param("＝1+1", "'＝1+1", id="full-width-equals"),
        pytest.param("＋1+1", "'＋1+1", id="full-width-plus"),
        pytest.param("－1+1", "'－1+1", id="full-width-minus"),
        pytest.param("＠SUM(A1)", "'＠SUM(A1)", id="full-width-at"),
        pytest.param("\u2212(1)", "'\u2212(1)", id="minus-of-mathematics"),
        pytest.param("\u00a0 =1", "'\u00a0 =1", id="behind-blanks"),
        pytest.param("\u200b\ufeff=1", "'\u200b\ufeff=1", id="behind-signs-without-width"),
        pytest.param("A;=1;@b", "A;'=1;'@b", id="behind-the-separator-of-another-language"),
        pytest.param("A\t=1", "A\t'=1", id="behind-a-tab"),
        pytest.param("A,=1", '"A,\'=1"', id="behind-a-comma"),
        pytest.param("A\r\n=1\v\f", "A␍␊=1␋␌", id="line-ends"),
        pytest.param("A = 1; B", "A = 1; B", id="a-sign-in-a-text-stays"),
        pytest.param("+447700900123", "+447700900123", id="a-phone-number-stays"),
        pytest.param("-17850", "-17850", id="a-number-stays"),
        pytest.param("A-1", "A-1", id="inside-it-does-not-matter"),
    ],
)
def test_no_text_becomes_a_formula_in_csv(identifier: str, cell: str) -> None:
    table = deliver(pd.Series({"a": identifier, "b": "B1"}), "string")

    assert render(table, "csv").decode().splitlines()[2].startswith(f"{cell},2011")
    assert pq.read_table(io.BytesIO(render(table, "parquet")))["number"].to_pylist()[1] == identifier
    (line,) = [line for line in csv.reader(io.StringIO(render(table, "csv").decode())) if "0.5" in line]
    assert as_it_was(line[0]) == identifier


def test_no_header_becomes_a_formula_or_a_second_line_in_csv() -> None:
    table = pa.table({"=1+1": ["x"], "＠SUM(A1)": ["y"], "a\nb": ["z"]})

    assert render(table, "csv").decode() == "'=1+1,'＠SUM(A1),a␊b\nx,y,z\n"
    assert pq.read_table(io.BytesIO(render(table, "parquet"))).column_names == ["=1+1", "＠SUM(A1)", "a\nb"]


def test_reasons_come_beside_their_customers_in_the_places_of_the_contract() -> None:
    reasons = pd.DataFrame({1: ["first of a", "first of b"], 2: ["x", "y"], 3: ["x", "y"]}, index=["a", "b"])

    table = campaign_list(SCORES, contract(None, reasons=2), entity="customer_token", identifiers=None, reasons=reasons)

    assert table["reason_1"].to_pylist() == ["first of b", "first of a"]
    assert table["reason_2"].to_pylist() == ["y", "x"]
    assert "reason_3" not in table.column_names


@pytest.mark.parametrize(
    "reasons", [pytest.param(None, id="none"), pytest.param(pd.DataFrame({1: ["x"]}, index=["b"]), id="of-one-only")]
)
def test_a_customer_without_promised_reasons_stops_the_delivery(reasons: pd.DataFrame | None) -> None:
    with pytest.raises(ScoringError, match="of 2 chosen customers have no reasons"):
        campaign_list(SCORES, contract(None, reasons=1), entity="customer_token", identifiers=None, reasons=reasons)

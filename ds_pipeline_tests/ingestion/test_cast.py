"""What each declared type takes, and that a cell it does not take becomes null and is reported."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.ingestion.cast import cast_columns
from ds_pipeline.use_case.sources import Table

WITH_OFFSET = "%Y-%m-%dT%H:%M:%S%z"
NOON = datetime(2011, 3, 7, 12)
Declare = Callable[..., Table]
Cast = Callable[..., tuple[list[Any], list[bool]]]


@pytest.fixture
def cast(declare: Declare) -> Cast:
    """Cast one column; its values, and which of them could not be read."""

    def run(values: pa.Array, type: str, **more: Any) -> tuple[list[Any], list[bool]]:
        table = declare({"it": {"type": type} | more})
        typed, unreadable = cast_columns(pa.table({"it": values, "paid_at": pa.array([NOON] * len(values))}), table)
        return typed["it"].to_pylist(), unreadable["it"].tolist()

    return run


@pytest.mark.parametrize(
    ("values", "read"),
    [
        pytest.param(pa.array([12345.0, -3.0]), [12345, -3], id="doubles"),
        pytest.param(pa.array(["17850", " 17850.0 ", "+7", "1e3"]), [17850, 17850, 7, 1000], id="text"),
        pytest.param(pa.array([2**53 + 1]), [2**53 + 1], id="exact-integers-have-no-limit"),
        pytest.param(
            pa.array(["9007199254740993", "7", "-123456789012345678", "1e3"]),
            [2**53 + 1, 7, -123456789012345678, 1000],
            id="text-of-17-and-18-digits",
        ),
        pytest.param(pa.array([7], pa.uint64()), [7], id="unsigned"),
        pytest.param(pa.array([Decimal("7.00")]), [7], id="decimals"),
    ],
)
def test_whole_numbers_are_read_however_they_are_stored(cast: Cast, values: pa.Array, read: list[int]) -> None:
    assert cast(values, "integer") == (read, [False] * len(read))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(pa.array([1.5]), id="fraction"),
        pytest.param(pa.array([2.0**53]), id="double-that-two-integers-share"),
        pytest.param(pa.array(["9007199254740993e0"]), id="text-of-such-a-double"),
        pytest.param(pa.array([str(2**63)]), id="text-too-large"),
        pytest.param(pa.array([float("nan")]), id="nan"),
        pytest.param(pa.array([float("-inf")]), id="infinite"),
        pytest.param(pa.array(["12a"]), id="text"),
        pytest.param(pa.array(["0x10"]), id="hexadecimal"),
        pytest.param(pa.array(["1e999"]), id="text-beyond-doubles"),
        pytest.param(pa.array(["1,000"]), id="thousands"),
        pytest.param(pa.array(["1.5"]), id="text-fraction"),
        pytest.param(pa.array([Decimal("1.5")]), id="decimal-fraction"),
        pytest.param(pa.array([Decimal(2**63)]), id="decimal-too-large"),
        pytest.param(pa.array([2**63], pa.uint64()), id="unsigned-too-large"),
    ],
)
def test_what_is_no_whole_number_is_unreadable(cast: Cast, values: pa.Array) -> None:
    """A decimal of 1.5 became 1, and an unsigned integer beyond 2**63 a negative one."""
    assert cast(values, "integer") == ([None], [True])


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(pa.array([0.12, 1.239, 0.1 + 0.2, 2.5]), id="doubles"),
        pytest.param(pa.array(["0.12", "1.239", "0.30000000000000004", "2.5"]), id="text"),
        pytest.param(pa.array([Decimal("0.120"), Decimal("1.239"), Decimal("0.300"), Decimal("2.5")]), id="decimals"),
    ],
)
def test_a_number_with_more_digits_than_its_scale_is_unreadable(cast: Cast, values: pa.Array) -> None:
    """1.239 became 1.24 without a word; what a double is off anyway is no digit."""
    assert cast(values, "decimal", scale=2) == (
        [Decimal("0.12"), None, Decimal("0.30"), Decimal("2.50")], [False, True, False, False],
    )  # fmt: skip


def test_long_numbers_in_text_keep_every_digit(cast: Cast) -> None:
    assert cast(pa.array(["1234567890123456.78", "0.1"]), "decimal", scale=2) == (
        [Decimal("1234567890123456.78"), Decimal("0.10")], [False, False],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "texts", "read"),
    [
        pytest.param("%Y%m%d", ["20240111", "2024111", "202411"], [date(2024, 1, 11), None, None], id="year-first"),
        pytest.param("%d%m%Y", ["01112024", "1112024"], [date(2024, 11, 1), None], id="day-first"),
        pytest.param("%d%b%Y", ["5Oct2024"], [date(2024, 10, 5)], id="a-name-between"),
        pytest.param("%d/%m/%Y", ["1/2/2024"], [date(2024, 2, 1)], id="separators"),
        pytest.param("%Y%m%d %H:%M", ["20240111 9:05", "2024111 9:05"], [date(2024, 1, 11), None], id="with-a-time"),
    ],
)
def test_numbers_that_touch_have_all_of_their_digits(
    cast: Cast, one: str, texts: list[str], read: list[date | None]
) -> None:
    """2024111 was read as 1 November, and 202411 as 1 January."""
    assert cast(pa.array(texts), "date", formats=[one])[0] == read


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland"])
def test_an_open_end_is_an_instant_of_a_far_year_in_every_zone(cast: Cast, zone: str) -> None:
    read, unreadable = cast(pa.array(["9999-12-31 23:59:59", "9999-12-31"]), "timestamp", time_zone=zone)

    assert (unreadable, [one.year for one in read]) == ([False, False], [9999, 9999])


@pytest.mark.parametrize(
    "kind", [pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("ms", "UTC"), pa.date32()], ids=str
)
@pytest.mark.parametrize("target", ["timestamp", "date"])
def test_a_time_beyond_microseconds_is_an_open_end_and_one_far_back_is_none(
    cast: Cast, kind: pa.DataType, target: str
) -> None:
    """Java's largest number of milliseconds, a usual "never", was read as the end of 1969, known in the first week."""
    most = 2 ** (31 if kind == pa.date32() else 63) - 1
    numbers = pa.array(
        [most, most // 3, most // 8, 19_789, 1 - most], pa.int32() if kind == pa.date32() else pa.int64()
    )

    read, unreadable = cast(numbers.cast(kind), target, time_zone="UTC")

    assert [one and one.year for one in read[:3]] == [9999, 9999, 9999]
    assert read[3].year == (2024 if kind == pa.date32() else 1970)
    assert (read[4], unreadable) == (None, [False, False, False, False, True])


@pytest.mark.parametrize("cells", [pa.array([-0.0, 0.0]), pa.array(["-0", "0"])], ids=["numbers", "text"])
def test_minus_zero_is_zero(cast: Cast, cells: pa.Array) -> None:
    """Rows that tie are equal to the last bit, so that the order of a source is in none of them."""
    assert [math.copysign(1, one) for one in cast(cells, "double")[0]] == [1.0, 1.0]


def test_nanoseconds_in_text_are_cut_to_microseconds(cast: Cast) -> None:
    read, unreadable = cast(pa.array(["2024-03-07 09:30:15.123456789"]), "timestamp", time_zone="UTC")

    assert (read, unreadable) == ([datetime(2024, 3, 7, 9, 30, 15, 123456, tzinfo=UTC)], [False])


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"], ids=lambda one: one)
def test_the_day_of_an_instant_is_that_of_the_table_whatever_the_file_shows(cast: Cast, zone: str) -> None:
    """Of parquet it was the day in the zone of the file, of CSV the one in the zone of the table."""
    evening = datetime(2011, 6, 30, 23, 30, tzinfo=UTC)  # 1 July in London, summer time

    assert cast(pa.array([evening], pa.timestamp("us", zone)), "date")[0] == [date(2011, 7, 1)]
    text = pa.array(["2011-06-30T23:30:00+00:00"])
    assert cast(text, "date", formats=[WITH_OFFSET])[0] == [date(2011, 7, 1)]
    assert cast(text, "date", formats=[WITH_OFFSET], time_zone="UTC")[0] == [date(2011, 6, 30)]


def test_a_year_before_1700_is_a_slip(cast: Cast) -> None:
    texts = pa.array(["0024-03-07", "1699-12-31", "1700-01-01"])

    assert cast(texts, "date") == ([None, None, date(1700, 1, 1)], [True, True, False])
    assert cast(pa.array([date(24, 3, 7)]), "timestamp") == ([None], [True])


@pytest.mark.parametrize(
    ("values", "unreadable"),
    [
        pytest.param(pa.array([10**16, 10**15]), [True, False], id="integers"),
        pytest.param(pa.array([Decimal(10**16), Decimal(10**15)]), [True, False], id="decimals"),
        pytest.param(pa.array([1e14, 9e13]), [True, False], id="doubles"),
        pytest.param(pa.array(["1e14", "9e13"]), [True, False], id="text"),
    ],
)
def test_a_decimal_that_would_lose_digits_is_unreadable(cast: Cast, values: pa.Array, unreadable: list[bool]) -> None:
    """Too large an integer stopped the run with its value in the message, too large a decimal was passed on."""
    assert cast(values, "decimal", scale=2)[1] == unreadable


def test_a_double_is_any_finite_number(cast: Cast) -> None:
    assert cast(pa.array([1.5, float("inf"), None]), "double") == ([1.5, None, None], [False, True, False])
    assert cast(pa.array(["1e-3", "inf", "x"]), "double") == ([0.001, None, None], [False, True, True])
    assert cast(pa.array([3], pa.int32()), "double") == ([3.0], [False])


def test_words_of_yes_and_no_are_booleans(cast: Cast) -> None:
    words = ["true", "T", " YES ", "1", "False", "no", "0", "maybe"]

    assert cast(pa.array(words), "boolean") == ([True] * 4 + [False] * 3 + [None], [False] * 7 + [True])
    assert cast(pa.array([True, None]), "boolean") == ([True, None], [False, False])


def test_empty_and_null_words_are_missing_and_not_faulty(cast: Cast) -> None:
    for kind in ("integer", "double", "boolean", "date", "timestamp"):
        assert cast(pa.array(["", "  ", "NA", "NULL", "nan", None]), kind) == ([None] * 6, [False] * 6)


def test_a_text_may_be_called_na_or_null_where_the_column_says_so(cast: Cast) -> None:
    """The country code of Namibia and the surname Null were lost in CSV, not in parquet."""
    assert cast(pa.array(["NA", "NULL", " x "]), "string", null_words=[]) == (["NA", "NULL", " x "], [False] * 3)


TOKEN = {"identifies": "direct", "treatment": "token", "token_domain": "customer", "nullable": True}


@pytest.mark.parametrize("word", ["NULL", "null", " None ", "nan", "NaN", "<NA>", "N/A", r"\N", "NaT", "#N/A", "na"])
@pytest.mark.parametrize("more", [{}, TOKEN], ids=["text", "identifier"])
def test_a_classic_word_for_nothing_is_missing_in_every_column(cast: Cast, word: str, more: dict[str, Any]) -> None:
    """Guests were one customer called NULL, with the orders of all of them."""
    assert cast(pa.array([word, "Nullmeyer"]), "string", **more) == ([None, "Nullmeyer"], [False, False])


@pytest.mark.parametrize(
    ("values", "type"),
    [
        pytest.param(pa.array(["-1", "unknown", "Unknown", "7"]), "string", id="text"),
        pytest.param(pa.array([-1, -1, -1, 7]), "integer", id="whole-numbers"),
        pytest.param(pa.array(["-1", "-1.0", "unknown", "7"]), "integer", id="whole-numbers-in-text"),
    ],
)
def test_a_declared_word_for_nobody_is_missing_however_it_is_stored(cast: Cast, values: pa.Array, type: str) -> None:
    read = cast(values, type, null_words=["-1", "unknown"], **TOKEN)

    assert (read[0][:3], str(read[0][3]), read[1]) == ([None] * 3, "7", [False] * 4)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(pa.array(["a", None, "a"]).dictionary_encode(), id="dictionary"),
        pytest.param(pa.array(["a", None, "a"], pa.large_string()), id="large-string"),
        pytest.param(pa.chunked_array([["a"], [None, "a"]]), id="chunks"),
    ],
)
def test_text_is_read_however_it_is_stored(cast: Cast, values: pa.Array) -> None:
    assert cast(values, "string") == (["a", None, "a"], [False] * 3)


@pytest.mark.parametrize("kind", ["string", "integer", "decimal", "double", "boolean", "date", "timestamp"])
def test_a_column_of_nulls_fits_every_type(cast: Cast, kind: str) -> None:
    scale = {"scale": 2} if kind == "decimal" else {}

    assert cast(pa.nulls(2), kind, **scale) == ([None, None], [False, False])


@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param("2011-03-07", datetime(2011, 3, 7, tzinfo=UTC), id="day"),
        pytest.param("2011-03-07 09:30", datetime(2011, 3, 7, 9, 30, tzinfo=UTC), id="minutes"),
        pytest.param("2011-03-07T09:30:15", datetime(2011, 3, 7, 9, 30, 15, tzinfo=UTC), id="iso"),
        pytest.param("2011-03-07 09:30:15.25", datetime(2011, 3, 7, 9, 30, 15, 250000, tzinfo=UTC), id="fraction"),
        pytest.param("2011-06-07 09:30:15", datetime(2011, 6, 7, 8, 30, 15, tzinfo=UTC), id="summer-time"),
        pytest.param("2011-02-30", None, id="no-such-day"),
        pytest.param("2011-02-29 10:00:00", None, id="no-leap-year"),
        pytest.param("2011-13-01", None, id="no-such-month"),
        pytest.param("2011-03-07 24:00:00", None, id="no-such-hour"),
        pytest.param("07/03/2011", None, id="day-or-month-first"),
        pytest.param("2011-3-7", None, id="no-zeros"),
        pytest.param("2011-03-07 10:00:00 CET", None, id="zone"),
        pytest.param("2011-03-07T10:00:00+01:00", None, id="offset"),
        pytest.param("yesterday", None, id="word"),
    ],
)
def test_text_is_an_iso_time_or_unreadable(cast: Cast, text: str, read: datetime | None) -> None:
    """30 February was read as 2 March, and a time with a fraction, as pandas writes it, not at all."""
    assert cast(pa.array([text]), "timestamp") == ([read], [read is None])


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        pytest.param(datetime(2011, 3, 27, 1, 30), datetime(2011, 3, 27, 1, 0, tzinfo=UTC), id="hour-that-is-left-out"),
        pytest.param(datetime(2011, 10, 30, 1, 30), datetime(2011, 10, 30, 1, 30, tzinfo=UTC), id="hour-that-is-twice"),
        pytest.param(datetime(2011, 10, 30, 0, 59), datetime(2011, 10, 29, 23, 59, tzinfo=UTC), id="before"),
    ],
)
def test_where_the_clocks_change_the_later_instant_is_taken(cast: Cast, local: datetime, instant: datetime) -> None:
    assert cast(pa.array([local]), "timestamp")[0] == [instant]
    assert cast(pa.array([local.isoformat()]), "timestamp")[0] == [instant]


def test_an_instant_keeps_its_own_zone(cast: Cast) -> None:
    values = pa.array([datetime(2011, 6, 7, 12, tzinfo=UTC)], pa.timestamp("ns", "America/New_York"))

    assert cast(values, "timestamp")[0] == [datetime(2011, 6, 7, 12, tzinfo=UTC)]


def test_a_date_is_the_local_day(cast: Cast) -> None:
    at_midnight = pa.array([datetime(2011, 6, 6, 23, 30, tzinfo=UTC)], pa.timestamp("us", "Europe/London"))

    assert cast(at_midnight, "date")[0] == [date(2011, 6, 7)]
    assert cast(pa.array([datetime(1950, 6, 7, 23)]), "date")[0] == [date(1950, 6, 7)]
    assert cast(pa.array(["1950-06-07", "9999-12-31", "0000-00-00"]), "date")[0] == [
        date(1950, 6, 7), date(9999, 12, 31), None
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("formats", "text", "read"),
    [
        pytest.param(["%d/%m/%Y"], "07/03/2011", datetime(2011, 3, 7, tzinfo=UTC), id="day-first"),
        pytest.param(["%d.%m.%Y %H:%M"], "07.06.2011 09:30", datetime(2011, 6, 7, 8, 30, tzinfo=UTC), id="summer-time"),
        pytest.param(["%m/%d/%Y %I:%M %p"], "03/07/2011 01:05 PM", datetime(2011, 3, 7, 13, 5, tzinfo=UTC), id="pm"),
        pytest.param([WITH_OFFSET], "2011-03-07T09:30:00+02:00", datetime(2011, 3, 7, 7, 30, tzinfo=UTC), id="offset"),
        pytest.param([WITH_OFFSET], "2011-03-07T09:30:00Z", datetime(2011, 3, 7, 9, 30, tzinfo=UTC), id="zulu"),
        pytest.param(["iso", "%d/%m/%Y"], "2011-03-07 09:30", datetime(2011, 3, 7, 9, 30, tzinfo=UTC), id="iso-too"),
        pytest.param(["%d/%m/%Y"], "2011-03-07", None, id="iso-not-declared"),
        pytest.param(["%d/%m/%Y"], "07/03/11", None, id="two-digit-year"),
        pytest.param(["%d/%m/%y"], "07/03/11", datetime(2011, 3, 7, tzinfo=UTC), id="two-digit-year-declared"),
        pytest.param(["%d/%m/%y"], "07/03/2011", None, id="four-digits-where-two-are-declared"),
        pytest.param(["%d/%m/%Y"], "30/02/2011", None, id="no-such-day"),
        pytest.param(["%d/%m/%Y"], "07/03/2011 x", None, id="more-behind-it"),
        pytest.param(["%d/%m/%Y", "%m/%d/%Y"], "07/03/2011", None, id="two-readings"),
        pytest.param(["%d/%m/%Y", "%m/%d/%Y"], "25/03/2011", datetime(2011, 3, 25, tzinfo=UTC), id="one-reading"),
        pytest.param(["%d/%m/%Y", "%m/%d/%Y"], "03/03/2011", datetime(2011, 3, 3, tzinfo=UTC), id="same-reading"),
    ],
)  # fmt: skip
def test_declared_formats_are_read_and_nothing_is_guessed(
    cast: Cast, formats: list[str], text: str, read: datetime | None
) -> None:
    assert cast(pa.array([text, None]), "timestamp", formats=formats) == ([read, None], [read is None, False])


def test_a_date_with_an_offset_is_the_day_of_the_tables_zone(cast: Cast) -> None:
    values = pa.array(["2011-06-07T01:00:00+05:00", "2011-06-07T23:30:00+00:00"])

    assert cast(values, "date", formats=[WITH_OFFSET])[0] == [date(2011, 6, 6), date(2011, 6, 8)]


def test_a_column_may_have_a_time_zone_of_its_own(cast: Cast) -> None:
    noon = datetime(2011, 6, 7, 12)

    for values in (pa.array([noon]), pa.array([noon.isoformat()])):
        read = cast(values, "timestamp", time_zone="America/New_York")[0]
        assert read == [datetime(2011, 6, 7, 16, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param("1,5", 1.5, id="comma"),
        pytest.param("-0,25", -0.25, id="negative"),
        pytest.param("3", 3.0, id="whole"),
        pytest.param("1.5", None, id="point"),
        pytest.param("1.234,5", None, id="thousands"),
        pytest.param("1,2,3", None, id="two-commas"),
    ],
)
def test_a_decimal_comma_is_read_where_it_is_declared(cast: Cast, text: str, read: float | None) -> None:
    """With a point 1.234 may be a thousand or a fraction, so neither is assumed."""
    assert cast(pa.array([text]), "double", decimal_mark=",") == ([read], [read is None])
    is_plain = read is not None and "," not in text
    assert cast(pa.array([text]), "double")[1] == [not is_plain and text != "1.5"]


def test_a_decimal_comma_keeps_the_digits_of_a_decimal(cast: Cast) -> None:
    assert cast(pa.array(["12,345"]), "decimal", scale=3, decimal_mark=",")[0] == [Decimal("12.345")]


@pytest.mark.parametrize(
    "column",
    [
        pytest.param({"type": "timestamp", "formats": ["%d %H"]}, id="no-month-and-year"),
        pytest.param({"type": "timestamp", "formats": ["%d/%m/%Y %Z"]}, id="name-of-a-zone"),
        pytest.param({"type": "timestamp", "formats": ["%d/%m/%Y %I:%M"]}, id="neither-am-nor-pm"),
        pytest.param({"type": "timestamp", "formats": ["yyyy-mm-dd"]}, id="other-notation"),
        pytest.param({"type": "string", "formats": ["iso"]}, id="no-time"),
        pytest.param({"type": "integer", "decimal_mark": ","}, id="no-fraction"),
        pytest.param({"type": "string", "time_zone": "UTC"}, id="zone-of-a-text"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused(declare: Declare, column: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"formats|format of a date|decimal_mark|%I"):
        declare({"it": column})


def test_a_blank_identifier_is_a_missing_one(declare: Declare) -> None:
    table = declare(
        {"client": {"type": "string", "identifies": "direct", "treatment": "token", "token_domain": "client"}}
    )
    raw = pa.table({"client": ["", "  ", " c1 "], "paid_at": pa.array([None] * 3, pa.timestamp("us"))})
    assert cast_columns(raw, table)[0]["client"].to_pylist() == [None, None, "c1"]

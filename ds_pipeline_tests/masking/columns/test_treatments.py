from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ds_pipeline.errors import SourceError
from ds_pipeline.masking.columns.treatments import age_band, categories, initial, keep, prefix


def band(born: object, at: str = "2011-12-05") -> object:
    return age_band(pd.Series([born], name="born_on"), at=pd.Series(pd.to_datetime([at], utc=True), name="known_at"))[0]


def test_an_initial_is_the_first_letter_and_a_null_stays_null():
    initials = initial(pd.Series(["jane", " Óscar", "'t Hooft", None, np.nan, "42"]))
    assert initials.fillna("null").tolist() == ["J.", "Ó.", "T.", "null", "null", "null"]


def test_values_that_are_not_listed_become_other_and_a_null_stays_null():
    countries = pd.Series(["Norway", "Malta", "Nor way", None])
    assert categories(countries, kept=["Norway"]).fillna("null").tolist() == ["Norway", "other", "other", "null"]


def test_case_and_blanks_make_no_other_category():
    """`norway` and `Norway ` were other: a category of people who live in the same place was split in two."""
    countries = pd.Series(["norway", "Norway ", " NORWAY", "US  A", "us a", "Us"])

    assert categories(countries, kept=["Norway", "US A"]).tolist() == ["Norway"] * 3 + ["US A"] * 2 + ["other"]
    assert categories(pd.Series(["us", "US", "Us"]), kept=["US", "us"]).tolist() == ["us", "US", "US"]


def test_a_postcode_keeps_only_its_area():
    codes = pd.Series(["SW1A 1AA", "n1 9gu", "EC2", "10115", "k1a 0b1", "1012 AB", None, " "])
    assert prefix(codes).fillna("null").tolist() == ["SW", "N", "EC", "10", "K1", "10", "null", "null"]


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        pytest.param(date(2001, 12, 6), "0-9", id="day-before-the-tenth-birthday"),
        pytest.param(date(2001, 12, 5), "10-19", id="tenth-birthday"),
        pytest.param(date(2011, 12, 5), "0-9", id="born-that-day"),
        pytest.param(date(1921, 12, 6), "80-89", id="89"),
        pytest.param(date(1921, 12, 5), "90+", id="90"),
        pytest.param(date(1890, 12, 6), "90+", id="120"),
    ],
)
def test_age_counts_completed_years(born, expected):
    assert band(born) == expected


@pytest.mark.parametrize(("years", "expected"), [(0, "0-29"), (29, "0-29"), (30, "30-64"), (64, "30-64"), (65, "65+")])
def test_bands_begin_where_they_are_told_to(years, expected):
    born, at = pd.Series([date(2011 - years, 1, 1), None]), pd.Series(pd.to_datetime(["2011-12-05"] * 2, utc=True))
    assert age_band(born, at=at, starts=[30, 65]).fillna("null").tolist() == [expected, "null"]


def test_a_leap_day_birthday_falls_on_the_first_of_march():
    assert [band(date(2000, 2, 29), at=at) for at in ("2010-02-28", "2010-03-01")] == ["0-9", "10-19"]


def test_age_is_measured_at_the_instant_of_the_row():
    born = pd.Series(pd.to_datetime(["1980-06-01", "1980-06-01", None]))
    at = pd.Series(pd.to_datetime(["2010-05-31", "2010-06-01", "2010-06-01"], utc=True))
    assert age_band(born, at=at).fillna("null").tolist() == ["20-29", "30-39", "null"]


@pytest.mark.parametrize("dtype", ["datetime64[s]", "date32[pyarrow]"])
def test_a_typed_date_column_is_read(dtype):
    born = pd.Series([date(1980, 6, 1), None]).astype("datetime64[ns]").astype(dtype)
    at = pd.Series(pd.to_datetime(["2011-12-05"] * 2, utc=True))
    assert age_band(born, at=at).fillna("null").tolist() == ["30-39", "null"]


@pytest.mark.parametrize(
    "born",
    [
        pytest.param(date(2011, 12, 6), id="in-the-future"),
        pytest.param(date(1890, 12, 5), id="121-years"),
        pytest.param(date(1, 1, 1), id="beyond-a-timestamp"),
        pytest.param("05/06/1980", id="text"),
        pytest.param(19800605, id="number"),
    ],
)
def test_an_impossible_birth_date_stops_the_run_and_is_not_shown(born):
    with pytest.raises(SourceError, match="'born_on'") as refusal:
        band(born)
    assert str(born) not in str(refusal.value)


def test_an_age_that_cannot_be_measured_stops_the_run():
    born = pd.Series([date(1980, 6, 1)] * 2, name="born_on")
    at = pd.Series(pd.to_datetime([None, "2011-12-05"], utc=True), name="known_at")
    with pytest.raises(SourceError, match="1 birth dates"):
        age_band(born, at=at)


def test_what_is_kept_is_a_copy():
    values = pd.Series([1, 2])
    keep(values)[0] = 9
    assert values.tolist() == [1, 2]


def test_a_birth_date_that_nothing_can_hold_is_not_quoted_by_a_chained_error() -> None:
    with pytest.raises(SourceError) as error:
        age_band(
            pd.Series([date(1601, 7, 13)], dtype=pd.ArrowDtype(pa.date32())),
            at=pd.Series([pd.Timestamp("2011-03-01", tz="UTC")]),
        )
    assert "1601" not in str(error.value)
    # Dagster writes cause and context into its event log, cell and all.
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__

"""What a text is prepared into: words, one row of letters and digits, and the days its dates may mean."""

from datetime import UTC, date, datetime

import pytest

from ds_pipeline.masking.people.prepared import PreparedText, days_of, fold_text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("Anna 12", "anna 12", id="ascii"),
        pytest.param("ÅNNA Müller", "anna muller", id="accents"),
        pytest.param("Straße ŁÓDŹ", "strasse lodz", id="letters-of-their-own"),
        pytest.param("é" * 50, "e" * 50, id="a-long-row"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_text_is_folded_as_its_words_are(text: str, folded: str) -> None:
    assert fold_text(text) == folded


def test_words_are_letters_or_digits_and_the_row_has_nothing_between_them() -> None:
    text = PreparedText("Anna's no: C-10 4477_x")

    assert text.words == {"anna", "s", "no", "c", "10", "4477", "x"}
    assert text.row == "annasnoc104477x"


def test_each_view_of_a_text_has_its_own_words_and_row() -> None:
    text = PreparedText("An\u200bna")

    assert text.words == {"anna", "an", "na"}
    assert text.row == "anna\nanna"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        pytest.param("1980-03-14", {(1980, 3, 14)}, id="year-first"),
        pytest.param("14.3.1980", {(1980, 3, 14)}, id="day-first"),
        pytest.param("3/4/1980", {(1980, 4, 3), (1980, 3, 4)}, id="day-or-month-first"),
        pytest.param("3/4/80", {(1980, 4, 3), (1980, 3, 4), (2080, 4, 3), (2080, 3, 4)}, id="either-century"),
        pytest.param("19800314", {(1980, 3, 14)}, id="a-row"),
        pytest.param("14031980", {(1980, 3, 14)}, id="a-row-day-first"),
        pytest.param("3rd of March, 1980", {(1980, 3, 3)}, id="english"),
        pytest.param("Mar. 3, 1980", {(1980, 3, 3)}, id="american"),
        pytest.param("3. März 1980", {(1980, 3, 3)}, id="german"),
        pytest.param("3 févr. 1980", {(1980, 2, 3)}, id="french"),
        pytest.param("3 PAŹ 1980", {(1980, 10, 3)}, id="polish"),
        pytest.param("14 dic 1980", {(1980, 12, 14)}, id="italian"),
        pytest.param("3 de mayo de 1980", {(1980, 5, 3)}, id="spanish"),
        pytest.param("1980-13-14", set(), id="no-such-month"),
        pytest.param("1980-03-32", set(), id="no-such-day"),
        pytest.param("1980-03/14", set(), id="two-separators"),
        pytest.param("119800314", set(), id="a-longer-row"),
        pytest.param("1980", set(), id="year-alone"),
        pytest.param("", set(), id="nothing"),
    ],
)
def test_a_date_means_every_day_it_may_be_read_as(text: str, days: set[tuple[int, int, int]]) -> None:
    assert PreparedText(text).days.keys() == days
    assert days_of(text) == days


@pytest.mark.parametrize(
    "value", [date(1980, 3, 14), datetime(1980, 3, 14, 23, 59, tzinfo=UTC)], ids=["date", "instant"]
)
def test_a_date_that_is_one_is_its_day(value: date) -> None:
    assert days_of(value) == {(1980, 3, 14)}


def test_a_day_is_where_it_stands_in_the_stored_characters_each_time() -> None:
    text = "born 14/03/19\u200b80, again 14.3.1980"

    places = PreparedText(text).days[(1980, 3, 14)]

    assert {text[start:end] for start, end in places} == {"14/03/19\u200b80", "14.3.1980"}

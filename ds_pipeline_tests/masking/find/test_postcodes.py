"""Postcodes by their form, by the word before them, and beside a place."""

import pytest

from ds_pipeline.masking.find.postcodes import around_place, find_postcodes


def codes(text: str) -> set[str]:
    return {text[start:end] for start, end in find_postcodes(text)}


@pytest.mark.parametrize(
    "code",
    ["SW1A 1AA", "M1 1AE", "K1A 0B6", "D02 X285", "IL 62704", "IL, 62704-1234", "NSW 2000", "sw1a 1aa", "sw1a1aa"],
)
def test_a_code_of_a_form_like_no_other_needs_no_word(code: str) -> None:
    assert codes(f"to {code}, please") == {code}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("62704", id="digits-alone"),
        pytest.param("XX1A 1AA", id="no-such-area"),
        pytest.param("SW1A 1CA", id="letter-never-given"),
        pytest.param("XSW1A 1AA", id="inside-a-code"),
        pytest.param("SW1A 1AA-7", id="begins-a-code"),
        pytest.param("m11ae", id="short-and-small-in-one-piece"),
        pytest.param("ZZ 62704", id="no-such-state"),
        pytest.param("IL 627045", id="six-digits"),
        pytest.param("D-10115 parts", id="country-before-a-small-letter"),
        pytest.param("K-10115 Berlin", id="no-such-country"),
        pytest.param("postcode please", id="no-digit"),
    ],
)
def test_what_only_resembles_a_code_stays(text: str) -> None:
    assert codes(text) == set()


def test_the_letters_of_a_country_count_before_a_capital() -> None:
    """The look at what follows stood behind the blank, where a word may not follow: nothing was ever found."""
    assert codes("in D-10115 Berlin") == {"D-10115"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("zip: 90210-1234", "90210-1234", id="american"),
        pytest.param("Postleitzahl = 10115", "10115", id="german"),
        pytest.param("kod pocztowy 00-238", "00-238", id="polish"),
        pytest.param("CEP 01310-100", "01310-100", id="brazilian"),
        pytest.param("pincode is 226016", "226016", id="indian"),
        pytest.param("post code '1015 CH'", "1015 CH", id="dutch"),
    ],
)
def test_any_code_counts_after_its_word(text: str, code: str) -> None:
    assert code in codes(text)


def around(text: str, place: str) -> str:
    start = text.index(place)
    begin, end = around_place(text, start, start + len(place))
    return text[begin:end]


@pytest.mark.parametrize(
    ("text", "place", "whole"),
    [
        pytest.param("in 10115 Berlin.", "Berlin", "10115 Berlin", id="before"),
        pytest.param("in D-10115 Berlin", "Berlin", "D-10115 Berlin", id="with-the-country"),
        pytest.param("in Springfield, IL 62704 now", "Springfield", "Springfield, IL 62704", id="after"),
        pytest.param("in 1015 CH Amsterdam 2", "Amsterdam", "1015 CH Amsterdam", id="dutch"),
        pytest.param("in 2011 Leeds won", "Leeds", "Leeds", id="year"),
        pytest.param("paid £12345 Leeds", "Leeds", "Leeds", id="amount"),
        pytest.param("Leeds 12345.5", "Leeds", "Leeds", id="decimal"),
        pytest.param("Leeds 12345%", "Leeds", "Leeds", id="per-cent"),
        pytest.param("Leeds", "Leeds", "Leeds", id="alone"),
    ],
)
def test_a_place_takes_the_code_that_touches_it(text: str, place: str, whole: str) -> None:
    assert around(text, place) == whole
